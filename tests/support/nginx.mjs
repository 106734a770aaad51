// nginx.mjs - a real nginx in a folder of its own, in front of a server: TLS ends there.
import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fail, ok, sleep } from './harness.mjs';
import { freePort, temporaryFolder } from './server.mjs';
import { getHttps } from './certificates.mjs';

export class Nginx {
  /** pair: of makeCertificate; upstream: the port of the server. */
  static async start(pair, upstream) {
    const n = new Nginx();
    n.folder = temporaryFolder('nginx');
    n.port = await freePort();
    n.file = join(n.folder, 'nginx.conf');
    const at = (name) => join(n.folder, name);
    // started by root its workers would be somebody else, who may not keep a body in this folder
    writeFileSync(n.file, `${process.getuid() === 0 ? 'user root;\n' : ''}daemon off;
pid ${at('pid')};
error_log ${at('error.log')} notice;
events { worker_connections 512; }
http {
  access_log off;
  client_body_temp_path ${at('body')};
  proxy_temp_path ${at('proxy')};
  fastcgi_temp_path ${at('fastcgi')};
  uwsgi_temp_path ${at('uwsgi')};
  scgi_temp_path ${at('scgi')};
  map $http_upgrade $connection_upgrade { default upgrade; '' close; }
  server {
    listen 127.0.0.1:${n.port} ssl;
    ssl_certificate ${pair.certificate};
    ssl_certificate_key ${pair.key};
    location / {
      proxy_pass http://127.0.0.1:${upstream};
      proxy_http_version 1.1;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection $connection_upgrade;
      proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_read_timeout 900s;
    }
  }
}
`);
    n.child = spawn('nginx', ['-c', n.file, '-p', n.folder, '-e', at('error.log')], {
      stdio: ['ignore', 'ignore', 'pipe'], env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` },
    });
    n.log = '';
    n.child.stderr.setEncoding('utf8').on('data', (d) => { n.log += d; });
    n.child.on('error', (e) => { n.log += String(e); });
    n.ended = new Promise((done) => { n.child.on('close', done); });
    for (const end = Date.now() + 8000; Date.now() < end; await sleep(30)) {
      const r = await getHttps(n.port, '/about/health').catch(() => null);
      if (r?.status === 200) return n;
      if (n.child.exitCode !== null) break;
    }
    n.child.kill('SIGKILL');
    return fail('nginx did not become ready:', n.log, readFileSync(at('error.log'), 'utf8').slice(-2000));
  }

  async stop() {
    this.child.kill('SIGTERM');
    const code = await this.ended;
    ok(code === 0, `nginx ended with ${code}: ${this.log}`);
  }
}
