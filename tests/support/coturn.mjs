// coturn.mjs - a real TURN server (Debian's coturn) on a port of its own, with a secret that it shares with the server.
import { spawn, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { createSocket } from 'node:dgram';
import { join } from 'node:path';
import { fail, sleep } from './harness.mjs';
import { temporaryFolder } from './server.mjs';

export const REALM = 'turn.example';

/** A UDP and TCP port that nobody has at the moment. */
async function freePort() {
  const s = createSocket('udp4');
  await new Promise((r) => s.bind(0, '127.0.0.1', r));
  const { port } = s.address();
  await new Promise((r) => s.close(r));
  return port;
}

export class Coturn {
  constructor(secret) { this.secret = secret; this.log = ''; }

  static async start(secret) {
    const t = new Coturn(secret);
    const folder = temporaryFolder('coturn');
    t.port = await freePort();
    const file = join(folder, 'turnserver.conf');
    writeFileSync(file, [`listening-port=${t.port}`, 'listening-ip=127.0.0.1', 'relay-ip=127.0.0.1', 'use-auth-secret',
      `static-auth-secret=${secret}`, `realm=${REALM}`, 'no-tls', 'no-dtls', 'no-cli', 'allow-loopback-peers', 'fingerprint',
      'log-file=stdout', `pidfile=${join(folder, 'pid')}`, `userdb=${join(folder, 'db')}`, 'verbose', 'min-port=42000', 'max-port=42200', ''].join('\n'),
    { mode: 0o600 });
    t.child = spawn('turnserver', ['-c', file], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
    t.ended = new Promise((r) => t.child.on('close', r));
    process.on('exit', () => t.child.kill('SIGKILL')); // also where a test failed
    t.child.on('error', (e) => { t.log += `${e}\n`; t.gone = true; });
    for (const stream of [t.child.stdout, t.child.stderr]) stream.setEncoding('utf8').on('data', (c) => { t.log += c; });
    for (let i = 0; i < 200 && !t.gone; i += 1) {
      if (spawnSync('turnutils_stunclient', ['-p', String(t.port), '127.0.0.1'], { timeout: 2000 }).status === 0) return t;
      await sleep(25);
    }
    t.child.kill('SIGKILL');
    return fail('turnserver did not become ready; its log:', t.log.slice(-3000));
  }

  /** Allocates relays with these credentials and sends a message through them. */
  relays({ username, password }, { tcp = false } = {}) {
    const r = spawnSync('turnutils_uclient', ['-u', username, '-w', password, '-p', String(this.port), '-y', '-n', '2', '-m', '1', '-c',
      ...(tcp ? ['-t'] : []), '127.0.0.1'], { encoding: 'utf8', timeout: 20000 });
    return { ok: r.status === 0 && /tot_recv_msgs ?= ?[1-9]/.test(r.stdout), out: r.stdout + r.stderr };
  }
}
