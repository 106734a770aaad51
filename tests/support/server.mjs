// server.mjs - starts the binary under test with a configuration of its own, and judges how it ended.
import { spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ending, fail, ok, sleep } from './harness.mjs';
import { makeCertificate } from './certificates.mjs';
import { claimsFor, makeToken } from './token.mjs';

export const ROOT = resolve(fileURLToPath(new URL('../..', import.meta.url)));

/** Every server of a run: GAVEL_WORKERS=N threads, GAVEL_PLACE=wrong for clients away from their rooms. */
const THREADS = {
  ...(process.env.GAVEL_WORKERS ? { workers: Number(process.env.GAVEL_WORKERS) } : {}),
  ...(process.env.GAVEL_PLACE ? { placement: process.env.GAVEL_PLACE } : {}),
};

const binary = (value, fallback) => resolve(ROOT, value || fallback);
export const GAVEL = binary(process.env.GAVEL, 'build/asan/gavel');
/** An optimised build, where one is at hand, for the cases that count hundreds of clients. */
export const GAVEL_RELEASE = process.env.GAVEL_RELEASE ? binary(process.env.GAVEL_RELEASE) : GAVEL;

/** Environment of every child: nothing of ours that could configure the server, sanitizers that end the process. */
export function cleanEnvironment(more = {}) {
  const { PATH, HOME, LANG, TMPDIR } = process.env;
  return {
    PATH, HOME, LANG, ...(TMPDIR ? { TMPDIR } : {}),
    ASAN_OPTIONS: 'exitcode=99:detect_leaks=1:allocator_may_return_null=1',
    UBSAN_OPTIONS: 'print_stacktrace=1:halt_on_error=1:exitcode=99',
    LSAN_OPTIONS: 'exitcode=99', TSAN_OPTIONS: 'exitcode=99:halt_on_error=0',
    ...more,
  };
}

const REPORT = /AddressSanitizer|LeakSanitizer|ThreadSanitizer|runtime error:|UndefinedBehaviorSanitizer|Assertion .* failed/;

export function temporaryFolder(name = 'gavel') {
  const dir = mkdtempSync(join(tmpdir(), `${name}-test-`));
  folders.push(dir);
  return dir;
}
const folders = [];
process.on('exit', () => { for (const d of folders) rmSync(d, { recursive: true, force: true }); });

/** The configuration file: each key on a line, its value as JSON (which YAML reads). */
export function configText(config) {
  return Object.entries(config).map(([k, v]) => `${k}: ${JSON.stringify(v)}\n`).join('');
}

/** Runs one command of the binary to its end. */
export function gavel(args, { input = '', env = {}, cwd = ROOT, timeout = 20000, bin = GAVEL } = {}) {
  const r = spawnSync(bin, args, {
    input, cwd, timeout, env: cleanEnvironment(env), encoding: 'utf8', maxBuffer: 64 << 20,
  });
  if (r.error) fail(`gavel ${args.join(' ')} did not run: ${r.error.message}`);
  const text = r.stdout + r.stderr;
  if (REPORT.test(text) || r.signal) fail(`gavel ${args.join(' ')} ended by ${r.signal ?? r.status}:`, text);
  return { code: r.status, out: r.stdout, err: r.stderr };
}

export async function freePort() {
  const s = createServer();
  await new Promise((r) => s.listen(0, '127.0.0.1', r));
  const { port } = s.address();
  await new Promise((r) => s.close(r));
  return port;
}

/** The door that clients of the run come by (doors.mjs): what of it a configuration has to say, and how a client finds it. */
let pair = null;
async function openDoor() {
  const port = await freePort();
  if (process.env.GAVEL_DOOR === 'tcp') return { config: { xmpp_port: port } };
  if (process.env.GAVEL_DOOR !== 'wss') return { config: {} };
  pair ??= makeCertificate(temporaryFolder(), 'door.example', { names: ['127.0.0.1', '::1'] });
  return { config: { https_port: port, tls_certificate: pair.certificate, tls_key: pair.key }, wss: { port, tls: { ca: [pair.pem] } } };
}

export class Server {
  /** config: keys of the configuration file, over those that every test wants. */
  constructor(config = {}, { env = {}, bin = GAVEL, name = '', docker = null } = {}) {
    this.docker = docker; // variables of a docker .env: then they configure the server, and there is no file
    this.secret = randomBytes(32).toString('hex');
    this.name = name;
    this.bin = bin;
    this.folder = temporaryFolder();
    this.env = env;
    this.config = { app_id: 'my_app', public_host: 'meet.example.com', ...THREADS, ...config };
    if (this.config.auth !== 'none' && !('key_source' in this.config) && !('app_secret' in this.config)
      && !('issuers' in this.config)) this.config.app_secret = this.secret;
    for (const k of Object.keys(this.config)) if (this.config[k] === undefined) delete this.config[k];
    this.domain = this.config.domain ?? 'meet.jitsi';
    this.muc = this.config.muc_domain ?? `muc.${this.domain}`;
    this.focus = `focus.${this.domain}`;
    this.log = '';
    this.tokens = new Set();
    this.clients = new Set();
    this.exit = null;
  }

  static async start(config, options) {
    const s = new Server(config, options);
    await s.start();
    return s;
  }

  /** As a power cut ends it, and up again where it was: the same port, configuration and state folder. */
  async crash() {
    this.child.kill('SIGKILL');
    await this.ended;
  }

  async again() {
    this.exit = null;
    await this.start(this.port);
  }

  async start(port) {
    this.port = port ?? await freePort();
    const door = await openDoor();
    this.config = { ...door.config, ...this.config };
    this.wss ??= door.wss;
    this.state = join(this.folder, 'state');
    mkdirSync(this.state, { mode: 0o700, recursive: true });
    this.file = join(this.folder, 'gavel.yaml');
    writeFileSync(this.file, configText({ ...this.config, http_port: this.port, state_directory: this.state }),
      { mode: 0o600 });
    const threads = Object.fromEntries(Object.entries(THREADS).map(([k, v]) => [k.toUpperCase(), String(v)]));
    const env = this.docker ? { ...threads, ...this.docker, HTTP_PORT: String(this.port), STATE_DIRECTORY: this.state } : {};
    this.child = spawn(this.bin, this.docker ? ['serve'] : ['serve', '--config', this.file], {
      cwd: this.folder, env: cleanEnvironment({ ...this.env, ...env }), stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.ended = new Promise((r) => this.child.on('close', (code, signal) => r(this.exit = { code, signal })));
    this.child.on('error', (e) => { this.log += `${e}\n`; this.exit = { code: null, signal: String(e) }; });
    const take = (chunk) => { this.log += chunk; };
    this.child.stdout.setEncoding('utf8').on('data', take);
    this.child.stderr.setEncoding('utf8').on('data', take);
    const end = Date.now() + 15000;
    while (!this.exit && Date.now() < end) {
      const answer = await this.get('/about/health').catch(() => null);
      if (answer?.status === 200) return;
      await sleep(25);
    }
    this.child.kill('SIGKILL');
    fail(`the server did not become ready (exit ${JSON.stringify(this.exit)}); its log:`, this.log);
  }

  get pid() { return this.child.pid; }

  /** One plain HTTP request; resolves with status, headers and body. */
  get(path, { method = 'GET', headers = {}, host = '127.0.0.1' } = {}) {
    return new Promise((done, reject) => {
      const r = request({ host, port: this.port, path, method, headers, agent: false, timeout: 5000 }, (res) => {
        const parts = [];
        res.on('data', (c) => parts.push(c));
        res.on('end', () => done({ status: res.statusCode, headers: res.headers, body: Buffer.concat(parts).toString() }));
      });
      r.on('error', reject);
      r.on('timeout', () => r.destroy(new Error('timed out')));
      r.end();
    });
  }

  /** A token of this server's issuer; it must never show up in the log. */
  token(user = { id: 'u1', name: 'Alice Example' }, more = {}, options = {}) {
    return this.sign(claimsFor(user, more), options);
  }

  sign(claims, options = {}) {
    const t = makeToken(claims, options.key ?? this.secret, options);
    this.keep(t);
    return t;
  }

  keep(token) {
    if (token) this.tokens.add(token);
    return token;
  }

  /** Lines of the log, from a position that mark() gave. */
  mark() { return this.log.length; }
  lines(since = 0) { return this.log.slice(since).split('\n').filter(Boolean); }
  async logged(pattern, { since = 0, timeout = 3000 } = {}) {
    const end = Date.now() + timeout;
    for (;;) {
      const line = this.lines(since).find((l) => pattern.test(l));
      if (line) return line;
      if (Date.now() > end) fail(`no log line matches ${pattern}; the log since then:`, this.log.slice(since).slice(-3000));
      await sleep(20);
    }
  }

  /** Ends it as an administrator would, and judges exit code, sanitizers and what the log gives away. */
  async stop() {
    for (const c of this.clients) c.drop?.();
    if (!this.exit) this.child.kill('SIGTERM');
    const timer = setTimeout(() => this.child.kill('SIGKILL'), 15000);
    const { code, signal } = await this.ended;
    clearTimeout(timer);
    this.judge(code, signal);
    rmSync(this.folder, { recursive: true, force: true });
  }

  judge(code, signal) {
    const tail = this.log.slice(-6000);
    ok(!REPORT.test(this.log), 'a sanitizer reported:', this.log.slice(this.log.search(REPORT) - 200).slice(0, 6000));
    ok(code === 0, `the server ended with code ${code}, signal ${signal}; its log:`, tail);
    ok(!this.log.includes(this.secret), 'the secret is in the log');
    const texts = [...this.tokens].filter((t) => typeof t === 'string' && t.length > 20);
    for (const t of texts) {
      for (const part of [t, ...t.split('.')]) {
        // Headers are public and equal for all; short parts prove nothing.
        if (part.length < 24 || part === t.split('.')[0]) continue;
        const i = this.log.indexOf(part);
        ok(i < 0, `a token is in the log (${part.slice(0, 12)}...):`, this.log.slice(Math.max(0, i - 200), i + 100));
      }
    }
  }
}

/** A server for the tests of a file: started now, and its end is one more test. */
export async function serverFor(config, options = {}) {
  const s = await Server.start(config, options);
  ending(`server${options.name ? ` (${options.name})` : ''} ends cleanly, its log without a token or secret`, () => s.stop());
  return s;
}

/** Runs body with a server of its own, which is stopped and judged whatever happens. */
export async function withServer(config, body, options = {}) {
  const s = await Server.start(config, options);
  let result;
  try {
    result = await body(s);
  } catch (e) {
    const tail = s.log.split('\n').slice(-15).join('\n');
    e.message += `\nthe server's last lines:\n${tail}`;
    await s.stop().catch((x) => { e.message += `\nand at the end: ${x.message}`; });
    throw e;
  }
  await s.stop();
  return result;
}

export function mustExist() {
  for (const b of new Set([GAVEL, GAVEL_RELEASE])) ok(existsSync(b), `no binary at ${b}; build it or set GAVEL`);
}

export function readJson(path) {
  return JSON.parse(readFileSync(path, 'utf8'));
}
