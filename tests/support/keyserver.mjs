// keyserver.mjs - an HTTP server of the tests' own that hands out keys, well or badly, and counts who asks.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { join } from 'node:path';
import { Client } from './client.mjs';
import { fail, match, rejects, same } from './harness.mjs';
import { claimsFor, keyPair, makeToken } from './token.mjs';
import { temporaryFolder } from './server.mjs';

export const sha256 = (text) => createHash('sha256').update(text).digest('hex');

export const jwk = (pair, kid, more = {}) => ({ ...pair.publicKey.export({ format: 'jwk' }), kid, ...more });

/** An authority of the tests' own, and a certificate of it for 127.0.0.1. */
export function certificate() {
  const dir = temporaryFolder('gavel-tls');
  const path = (name) => join(dir, name);
  const openssl = (...args) => {
    const r = spawnSync('openssl', args, { encoding: 'utf8' });
    if (r.status !== 0) fail(`openssl ${args.join(' ')}:`, r.stderr);
  };
  const key = (name) => ['-newkey', 'rsa:2048', '-nodes', '-keyout', path(`${name}.key`)];
  openssl('req', '-x509', ...key('ca'), '-out', path('ca.pem'), '-days', '2', '-subj', '/CN=Authority of the tests');
  openssl('req', '-x509', ...key('server'), '-out', path('server.pem'), '-days', '2', '-subj', '/CN=127.0.0.1',
    '-addext', 'subjectAltName=IP:127.0.0.1', '-addext', 'basicConstraints=critical,CA:FALSE',
    '-CA', path('ca.pem'), '-CAkey', path('ca.key'));
  return { ca: path('ca.pem'), key: readFileSync(path('server.key')), cert: readFileSync(path('server.pem')) };
}

export class KeyServer {
  constructor() {
    this.answers = new Map(); // path -> text, or a function of request and response
    this.requests = []; // paths, in order
    this.open = new Set();
  }

  static async start({ tls, port = 0 } = {}) {
    const s = new KeyServer();
    s.tls = tls;
    await s.listen(port);
    return s;
  }

  async listen(port = this.port) {
    const take = (req, res) => this.take(req, res);
    this.server = this.tls ? createSecureServer({ key: this.tls.key, cert: this.tls.cert }, take) : createServer(take);
    this.server.on('connection', (c) => { this.open.add(c); c.on('close', () => this.open.delete(c)); });
    await new Promise((done, no) => { this.server.once('error', no); this.server.listen(port, '127.0.0.1', done); });
    this.port = this.server.address().port;
  }

  get url() { return `${this.tls ? 'https' : 'http'}://127.0.0.1:${this.port}`; }

  /** How often a path was asked for; without one, all of them. */
  asked(path) { return path === undefined ? this.requests.length : this.requests.filter((p) => p === path).length; }

  path(kid, folder = '') { return `${folder}/${sha256(kid)}.pem`; }

  set(path, answer) { this.answers.set(path, answer); }

  /** A key for a kid, as a key server has it. */
  publish(kid, pair, folder = '') { this.set(this.path(kid, folder), pair.pem); }

  withdraw(kid, folder = '') { this.answers.delete(this.path(kid, folder)); }

  list(path, keys, headers = {}) {
    this.set(path, (req, res) => res.writeHead(200, { 'Content-Type': 'application/json', ...headers }).end(JSON.stringify({ keys })));
  }

  take(req, res) {
    this.requests.push(req.url);
    const answer = this.answers.get(req.url);
    if (typeof answer === 'function') answer(req, res);
    else if (answer === undefined) res.writeHead(404).end('no such key\n');
    else res.writeHead(200, { 'Content-Type': 'application/x-pem-file' }).end(answer);
  }

  /** Nobody listens any more; listen() brings it back on the same port. */
  async stop() {
    for (const c of this.open) c.destroy();
    await new Promise((done) => this.server.close(done));
  }
}

/** Runs body with a key server, and stops it whatever happens. */
export async function withKeyServer(body, options) {
  const k = await KeyServer.start(options);
  try {
    return await body(k);
  } finally {
    await k.stop();
  }
}

const pairs = new Map();
/** One pair per algorithm and name, made once. */
export function pairOf(alg, name = '') {
  const id = `${alg} ${name}`;
  if (!pairs.has(id)) pairs.set(id, keyPair(alg));
  return pairs.get(id);
}

export const ALICE = { id: 'a', name: 'Alice Example' };
export const FAST = { log_lines_per_second: 10000 };
export const a = pairOf('RS256', 'a');
export const b = pairOf('RS256', 'b');

export const token = (s, kid, pair = a, { alg = 'RS256', ...claims } = {}) =>
  s.keep(makeToken(claimsFor(ALICE, claims), pair.privateKey, { header: { alg, typ: 'JWT', kid } }));

export const login = async (s, ...args) => {
  const c = await Client.connect(s, { token: token(s, ...args) });
  await c.close();
};

/** The login fails as for every key that cannot be had, and the log says what the client is not told. */
export async function refused(s, kid, because, ...args) {
  const since = s.mark();
  const e = await rejects(login(s, kid, ...args));
  same([e.stage, e.condition, e.text], ['sasl', 'not-allowed', 'could not obtain public key'], `refusal of ${kid}`);
  const line = await s.logged(/event=refuse stage=sasl reason=E_KEY/, { since });
  match(line, because, 'the reason in the log');
}
