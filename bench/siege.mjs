// siege.mjs - a server, a quiet room that is watched, and floods beside it: what bench/flood.mjs and the test of it share.
import { spawn, spawnSync } from 'node:child_process';
import { createHmac, generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

export const KINDS = ['joins', 'presences', 'half-open', 'slow', 'tokens', 'reader'];

/** Where everything happens: addresses that exist only in a network namespace of its own. */
export const NET = { server: '198.51.100.1', watch: '198.51.100.2', flood: Array.from({ length: 8 }, (_, i) => `198.51.100.${11 + i}`) };

const b64 = (v) => Buffer.from(typeof v === 'string' ? v : JSON.stringify(v)).toString('base64url');

/** Runs this very script again inside such a namespace; returns there, and only there. */
export function insideNamespace() {
  if (process.env.FLOOD_INSIDE) return;
  const lines = ['ip link set lo up', ...[NET.server, NET.watch, ...NET.flood].map((a) => `ip addr add ${a}/32 dev lo`), 'exec "$0" "$@"'];
  const flags = process.getuid() === 0 ? '-n' : '-rn';
  const r = spawnSync('unshare', [flags, 'sh', '-ec', lines.join('\n'), process.execPath, ...process.argv.slice(1)],
    { stdio: 'inherit', env: { ...process.env, FLOOD_INSIDE: '1' } });
  if (r.error) throw new Error(`a network namespace is needed (unshare, ip): ${r.error.message}`);
  process.exit(r.status ?? 1);
}

/** Two payloads of nearly 6 KiB, so that a token has 8: small members, the most work that its bytes can make. */
function forgedPayload(iss) {
  const claims = { iss, aud: 'jitsi', sub: 'meet.jitsi', room: '*', exp: 4e9 };
  for (let i = 0; JSON.stringify(claims).length < 5700; i += 1) claims[`m${i}`] = i;
  return b64(claims);
}

/** Settings over those of a load: limits as the product has them, and a second issuer with an RSA key that fits any kid. */
export function siegeSettings(more = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'bench-keys-'));
  const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const path = join(folder, 'key.pem');
  writeFileSync(path, publicKey.export({ type: 'spki', format: 'pem' }));
  return {
    joins_per_second: 200, stanzas_per_second: 100, bytes_per_second: 131072, queued_bytes: 8388608,
    issuers: [{ iss: 'rsa_app', algs: ['RS256'], key_source: 'file', key_files: [{ path }] }],
    accepted_issuers: ['my_app', 'rsa_app'], ...more,
  };
}

function token(secret) {
  const input = `${b64({ alg: 'HS256', typ: 'JWT' })}.${b64({ iss: 'my_app', aud: 'jitsi', sub: 'meet.jitsi', room: '*', exp: Math.floor(Date.now() / 1000) + 3600, context: { user: { id: 'f', name: 'Flood' } } })}`;
  return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`;
}

/** May a process have real-time priority here? */
export const realTime = spawnSync('chrt', ['-r', '5', 'true']).status === 0;

/** As a process that others on its core wait for; where that is not allowed, nothing happens. Real-time priority, which
 * other work on the machine does not disturb, needs `sysctl kernel.sched_rt_runtime_us=-1`: otherwise it would be
 * throttled when it takes the whole core. */
export function goesFirst(pid) {
  const whole = realTime && readFileSync('/proc/sys/kernel/sched_rt_runtime_us', 'utf8').trim() === '-1';
  for (const t of readdirSync(`/proc/${pid}/task`)) {
    if (whole) spawnSync('chrt', ['-r', '-p', '4', t]);
    else spawnSync('renice', ['-n', '-20', '-p', t]);
  }
}

function command(core, first, args) {
  return ['taskset', ['-c', String(core), ...first, ...args.map(String)]];
}

/** The quiet room. It goes first on its core, so that the floods' use of that core is not blamed on the server. */
export class Watch {
  static async start(tool, core, server, { host, from, room = 'quiet' } = {}) {
    const w = new Watch();
    const first = realTime ? ['chrt', '-r', '5', tool] : [tool];
    const options = [...(host ? ['--host', host] : []), ...(from ? ['--from', from] : [])];
    const [file, args] = command(core, first, ['--port', server.port, '--pid', server.pid, '--secret', server.secret, '--room', room, ...options]);
    w.child = spawn(file, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    w.waiting = [];
    w.kill = () => w.child.kill('SIGKILL');
    process.once('exit', w.kill);
    w.ended = new Promise((r) => { w.child.on('close', (code) => { process.off('exit', w.kill); for (const f of w.waiting.splice(0)) f.no(new Error(`watch ended with ${code}`)); r(code); }); });
    createInterface({ input: w.child.stdout }).on('line', (l) => w.waiting.shift()?.done(JSON.parse(l)));
    await w.line();
    return w;
  }

  line() { return new Promise((done, no) => { this.waiting.push({ done, no }); }); }

  /** Measures while body runs. */
  async stretch(name, body) {
    this.child.stdin.write(`${name}\n`);
    const said = this.line();
    said.catch(() => {});
    await body();
    this.child.stdin.write('-\n');
    return said;
  }

  /** Its last word: how many messages were heard, of how many words, and what was wrong. */
  async stop() {
    const last = this.line();
    this.child.stdin.end();
    const said = await last;
    return { ...said, code: await this.ended };
  }
}

/** Floods of the given kinds, until stop(). The watched room comes before them on their core. */
export class Flood {
  static start(tool, core, server, kinds, { host, from } = {}) {
    const f = new Flood();
    const options = [...(host ? ['--host', host] : []), ...(from ? ['--from', from.join(',')] : [])];
    const [file, args] = command(core, realTime ? [tool] : ['nice', '-n', '19', tool], ['--port', server.port, '--token', token(server.secret),
      '--forged-hs', forgedPayload('my_app'), '--forged-rs', forgedPayload('rsa_app'), ...options, ...kinds]);
    f.child = spawn(file, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    f.kill = () => f.child.kill('SIGKILL');
    process.once('exit', f.kill);
    f.out = '';
    f.child.stdout.setEncoding('utf8').on('data', (d) => { f.out += d; });
    f.ended = new Promise((r) => { f.child.on('close', (code) => { process.off('exit', f.kill); r(code); }); });
    return f;
  }

  async stop() {
    this.child.stdin.end();
    const code = await this.ended;
    if (code !== 0) throw new Error(`flood ended with ${code}`);
    return JSON.parse(this.out);
  }
}

export const median = (v) => {
  const s = [...v].sort((a, b) => a - b);
  return s.length % 2 ? s[(s.length - 1) / 2] : (s[s.length / 2 - 1] + s[s.length / 2]) / 2;
};
