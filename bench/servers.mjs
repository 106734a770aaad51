// servers.mjs - starts what is compared, each with a configuration of ours in a folder of its own, on loopback.
import { execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const sleep = (ms) => new Promise((r) => setTimeout(r, ms));

const running = new Set();
process.on('exit', () => { for (const s of running) s.kill(); });
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => process.exit(130));

async function freePort() {
  const s = createServer();
  await new Promise((r) => { s.listen(0, '127.0.0.1', r); });
  const { port } = s.address();
  await new Promise((r) => { s.close(r); });
  return port;
}

const reachable = (port) => new Promise((done) => {
  const c = connect(port, '127.0.0.1', () => { c.destroy(); done(true); });
  c.on('error', () => done(false));
});

/** Without variables of ours: SESSIONS, ROOMS and others are settings of Gavel too. */
function plain() {
  const { PATH, HOME, LANG = 'C' } = process.env;
  return { PATH, HOME, LANG };
}

class Server {
  /** cores: those that it may use, as taskset names them; more: settings over those of prepare(). */
  constructor(cores, more = {}) {
    this.cores = cores;
    this.more = more;
    this.folder = mkdtempSync(join(tmpdir(), `bench-${this.name}-`));
  }

  async start() {
    this.port = await freePort();
    const [command, ...args] = this.prepare();
    this.child = spawn('taskset', ['-c', String(this.cores), command, ...args], {
      cwd: this.folder, env: plain(), stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.said = '';
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream.on('data', (d) => { if (this.said.length < 10000) this.said += d; });
    }
    running.add(this);
    this.ended = new Promise((r) => { this.child.on('close', r); });
    for (let i = 0; i < 400; i += 1) {
      if (this.child.exitCode !== null) break;
      if (await reachable(this.port)) return this;
      await sleep(50);
    }
    throw new Error(`${this.name} did not start:\n${this.said}`);
  }

  get pid() { return this.child.pid; }

  kill() {
    this.child?.kill('SIGKILL');
    rmSync(this.folder, { recursive: true, force: true });
    running.delete(this);
  }

  async stop() {
    this.child.kill('SIGTERM');
    const timer = setTimeout(() => this.child.kill('SIGKILL'), 3000);
    await this.ended;
    clearTimeout(timer);
    this.kill();
  }

  /** KiB. pss: what is mapped by others too counts in part; rss: all of it; own: only what no file holds. */
  memory() {
    const text = readFileSync(`/proc/${this.pid}/smaps_rollup`, 'utf8');
    const field = (name) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)[1]);
    return { pss: field('Pss'), rss: field('Rss'), own: field('Pss_Anon') };
  }

  /** The last lines of its log, for a message. */
  log() {
    try {
      return readFileSync(join(this.folder, 'log'), 'utf8').trimEnd().split('\n').slice(-12).join('\n');
    } catch {
      return '';
    }
  }

  descriptors() { return readdirSync(`/proc/${this.pid}/fd`).length; }

  /** Nanoseconds of CPU by thread, the main one first. */
  threads() {
    const folder = `/proc/${this.pid}/task`;
    return readdirSync(folder).map(Number).sort((a, b) => a - b)
      .map((t) => Number(readFileSync(`${folder}/${t}/schedstat`, 'utf8').split(' ')[0]));
  }
}

export class Gavel extends Server {
  static binary = 'build/gavel';
  get name() { return 'gavel'; }

  static version() { return execFileSync(Gavel.binary, ['version'], { encoding: 'utf8' }).trim().split('\n')[0]; }

  /** Tokens on, the log as it is by default, and limits out of the way of a load that comes from one address. */
  prepare() {
    this.secret = randomBytes(32).toString('hex');
    const state = join(this.folder, 'state');
    mkdirSync(state, { mode: 0o700 });
    const config = {
      app_id: 'my_app', app_secret: this.secret, public_host: 'meet.example.com', bind: ['127.0.0.1'],
      http_port: this.port, state_directory: state, joins_per_second: 100000, stanzas_per_second: 100000,
      bytes_per_second: 1 << 30, queued_bytes: 1 << 30, ...this.more,
    };
    const file = join(this.folder, 'gavel.yaml');
    writeFileSync(file, Object.entries(config).map(([k, v]) => `${k}: ${JSON.stringify(v)}\n`).join(''), { mode: 0o600 });
    return ['sh', '-c', `exec "$0" serve --config "$1" 2>log`, Gavel.binary, file];
  }

  /** What its control socket says: counters by name. */
  counters() {
    return new Promise((done, no) => {
      const c = connect(join(this.folder, 'state', 'control.sock'), () => c.write('{"ask":"counters"}\n'));
      let text = '';
      c.setEncoding('utf8').on('data', (d) => { text += d; });
      c.on('error', no);
      c.on('end', () => { try { done(JSON.parse(text).result); } catch (e) { no(e); } });
    });
  }

  loadOptions() {
    return ['--peer', 'gavel', '--secret', this.secret, '--domain', 'meet.jitsi', '--muc', 'muc.meet.jitsi', '--focus', 'focus.meet.jitsi'];
  }
}

export class Prosody extends Server {
  get name() { return 'prosody'; }

  static version() {
    return `Prosody ${execFileSync('dpkg-query', ['-W', '-f=${Version}', 'prosody'], { encoding: 'utf8' })}`;
  }

  /** As Jitsi's packages set it up, without Jitsi's modules: real addresses in the room, room for many rooms. */
  prepare() {
    const file = join(this.folder, 'prosody.cfg.lua');
    writeFileSync(file, `
run_as_root = true
pidfile = "${this.folder}/prosody.pid"
data_path = "${this.folder}"
log = { info = "${this.folder}/log" }
network_backend = "epoll"
gc = { mode = "incremental", threshold = 400, speed = 250, step_size = 13 }
interfaces = { "127.0.0.1" }
c2s_ports = {}
c2s_direct_tls_ports = {}
s2s_ports = {}
http_interfaces = { "127.0.0.1" }
http_ports = { ${this.port} }
https_ports = {}
consider_websocket_secure = true
c2s_require_encryption = false
http_paths = { websocket = "/xmpp-websocket" }
modules_enabled = { "saslauth", "disco", "websocket" }
modules_disabled = { "s2s", "offline", "tls" }
limits = {}
VirtualHost "meet.jitsi"
	authentication = "anonymous"
	http_host = "127.0.0.1"
Component "muc.meet.jitsi" "muc"
	restrict_room_creation = false
	muc_room_locking = false
	muc_room_default_public_jids = true
	muc_room_cache_size = 100000
	muc_tombstones = false
`);
    return ['prosody', '-F', '--config', file];
  }

  loadOptions() {
    return ['--peer', 'prosody', '--domain', 'meet.jitsi', '--muc', 'muc.meet.jitsi'];
  }
}
