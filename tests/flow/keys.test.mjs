// keys.test.mjs - keys from elsewhere: key servers, key lists, several issuers; slow, wrong, huge, redirecting and dead
// ones; and nobody else ever waits.
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { equal, lacks, match, ok, rejects, run, same, sleep, test, until } from '../support/harness.mjs';
import { Client } from '../support/client.mjs';
import { frame } from '../support/hostile.mjs';
import { ALICE, FAST, a, b, certificate, jwk, login, pairOf, refused, sha256, token, withKeyServer } from '../support/keyserver.mjs';
import { GAVEL_RELEASE, configText, gavel, temporaryFolder, withServer } from '../support/server.mjs';
import { claimsFor, makeToken } from '../support/token.mjs';
import { NS } from '../support/xml.mjs';

const keysOf = (s) => JSON.parse(gavel(['keys', '--config', s.file, '--json']).out).result;
const counters = (s) => JSON.parse(gavel(['explain', '--config', s.file, '--live', '--counters', '--json']).out).result;

/** A server whose keys are those of k. */
const withBoth = (body, { config = {}, ...options } = {}) => withKeyServer(
  (k) => withServer({ key_source: 'keyserver', key_server: `${k.url}/keys`, ...FAST, ...config }, (s) => body(s, k), options), options.keys);

test('a key server: one request per kid, its answers remembered, the good and the others', () => withBoth(async (s, k) => {
  k.publish('k1', a, '/keys');
  await login(s, 'k1');
  await login(s, 'k1');
  equal(k.asked(k.path('k1', '/keys')), 1, 'requests for k1');
  const since = s.mark();
  await refused(s, 'k2', /it answered 404; asked again in \d+ s/);
  match(await s.logged(/event=keys outcome=missing/, { since }),
    new RegExp(`kid_sha256=${sha256('k2')} status=404 .*fix="publish the key`), 'what the fetch says');
  await refused(s, 'k2', /it answered 404; asked again in \d+ s/);
  equal(k.asked(k.path('k2', '/keys')), 1, 'requests for k2');
  // another key under the same kid, and another algorithm than the key's
  equal((await rejects(login(s, 'k1', b))).text, 'Invalid signature', 'signed with another key');
  await refused(s, 'k1', /another type/, pairOf('ES256'), { alg: 'ES256' });
  equal(k.asked(), 2, 'requests in all');
  const [source] = keysOf(s);
  same([source.source, source.known, source.unknown, source.requests, source.good, source.missing], ['keyserver', 1, 1, 2, 1, 1], 'gavel keys');
  const text = gavel(['keys', '--config', s.file]).out;
  match(text, new RegExp(`kid SHA-256 ${sha256('k1')}\n    last answer: good \\(200\\); read \\d+ s ago, fresh for 3\\d{3} s\n    key RSA`), 'gavel keys');
  lacks(text + s.log, /BEGIN|k1\b/, 'output and log');
}, { config: { algs: ['RS256', 'ES256'] } }));

test('all who come while a key is fetched wait for one request', () => withBoth(async (s, k) => {
  let release;
  k.set(k.path('big', '/keys'), (req, res) => { release = () => res.end(a.pem); });
  const many = Array.from({ length: 60 }, () => login(s, 'big'));
  await until(() => release && keysOf(s)[0].waiting === 60, { what: 'all of them wait', timeout: 9000 });
  release();
  await Promise.all(many);
  equal(k.asked(), 1, 'requests');
  equal(keysOf(s)[0].waiting, 0, 'waiting afterwards');
}));

test('a slow key server: whoever needs its answer waits, the others do not', () => withBoth(async (s, k) => {
  k.publish('k1', a, '/keys');
  await login(s, 'k1');
  const held = [];
  const slow = Array.from({ length: 40 }, (_, i) => {
    k.set(k.path(`slow ${i}`, '/keys'), (req, res) => held.push(res));
    return login(s, `slow ${i}`).then(() => 'in', () => 'refused');
  });
  await until(() => held.length >= 32, { what: 'as many requests as there may be', timeout: 9000 });
  for (let i = 0; i < 50; i += 1) await login(s, 'k1');
  same([keysOf(s)[0].waiting, held.length], [40, 32], 'the slow ones still wait, some without a request yet');
  for (let n = 0; n < 40;) {
    await until(() => held.length > n, { what: 'the next request' });
    for (; n < held.length; n += 1) held[n].end(a.pem);
  }
  same(await Promise.all(slow), Array(40).fill('in'), 'all of them in the end');
}, { config: { key_lookups_per_second: 100 } }), { timeout: 30000 });

test('a key server that never answers: refused when the time is over', () => withBoth(async (s, k) => {
  k.set(k.path('never', '/keys'), () => {});
  k.set(k.path('dribbles', '/keys'), (req, res) => {
    res.writeHead(200);
    const timer = setInterval(() => res.write('-'), 100);
    res.on('close', () => clearInterval(timer));
  });
  const began = Date.now();
  await Promise.all([refused(s, 'never', /asked again in/), refused(s, 'dribbles', /asked again in/)]);
  const took = Date.now() - began;
  ok(took > 1300 && took < 4000, 'it took about two seconds', took);
  match(s.log, /event=keys outcome=failed .*because="(Operation|Resolving|Connection) timed? ?out/i, 'the log');
}, { config: { key_timeout: 2 } }));

test('wrong answers: no key, a private key, a short one, too long, other codes, redirects elsewhere', () => withKeyServer((elsewhere) => withBoth(async (s, k) => {
  elsewhere.set('/stolen', a.pem);
  const cases = {
    html: [(req, res) => res.end('<html>Welcome</html>'), /the answer: no PEM/],
    empty: [(req, res) => res.end(''), /the answer: no PEM/],
    private: [(req, res) => res.end(a.privateKey.export({ type: 'pkcs8', format: 'pem' })), /it holds a private key/],
    huge: [(req, res) => res.end(a.pem + 'x'.repeat(70000)), /longer than 65536 bytes/],
    chunked: [(req, res) => { for (let i = 0; i < 70; i += 1) res.write('x'.repeat(1000)); res.end(); }, /longer than 65536 bytes/],
    heads: [(req, res) => { for (let i = 0; i < 10; i += 1) res.setHeader(`x-${i}`, 'y'.repeat(7000)); res.end(a.pem); }, /longer than/],
    unauthorized: [(req, res) => res.writeHead(401).end(), /it answered 401/],
    teapot: [(req, res) => res.writeHead(418).end(a.pem), /it answered 418/],
    down: [(req, res) => res.writeHead(503).end(a.pem), /it answered 503; asked again in 2 s/],
    cut: [(req, res) => { res.writeHead(200, { 'Content-Length': 5000 }); res.write(a.pem); res.destroy(); }, /asked again in 2 s/],
    away: [(req, res) => res.writeHead(302, { Location: `${elsewhere.url}/stolen` }).end(), /redirects to another origin/],
    file: [(req, res) => res.writeHead(302, { Location: 'file:///etc/passwd' }).end(), /redirects to another origin/],
    user: [(req, res) => res.writeHead(302, { Location: `http://u:p@127.0.0.1:${k.port}/ok` }).end(), /redirects to another origin/],
    nowhere: [(req, res) => res.writeHead(302).end(), /without saying where/],
    round: [(req, res) => res.writeHead(301, { Location: req.url }).end(), /redirects too often/],
  };
  k.set('/ok', a.pem);
  for (const [kid, [answer, because]] of Object.entries(cases)) {
    k.set(k.path(kid, '/keys'), answer);
    await refused(s, kid, because);
  }
  equal(elsewhere.asked(), 0, 'requests to where it was sent');
  equal(k.asked(k.path('round', '/keys')), 4, 'round and round');
  // what is the same origin is followed
  k.set(k.path('near', '/keys'), (req, res) => res.writeHead(307, { Location: '/ok' }).end());
  await login(s, 'near');
}, { config: { key_lookups_per_second: 100 } })), { timeout: 60000 });

test('a dead key server: refused, and let in when it is back; known keys go on', () => withBoth(async (s, k) => {
  k.publish('k1', a, '/keys');
  k.publish('k3', a, '/keys');
  await login(s, 'k1');
  await k.stop();
  await refused(s, 'k3', /Failed to connect .*asked again in 2 s/);
  match(s.log, /event=keys outcome=failed source=keyserver .*fix="see that the address can be reached/, 'the log');
  await login(s, 'k1');
  // whoever looks into it is told which server, what it said last, and that one key is there still
  const told = gavel(['keys', '--config', s.file]);
  equal(told.code, 0, 'gavel keys has its answer');
  match(told.out, new RegExp(`^keyserver "${k.url}/keys"\n  requests \\d+: good 1, missing 0, broken 0, failed [1-9]`, 'm'), 'the source');
  match(told.out, new RegExp(`kid SHA-256 ${sha256('k3')}\n    last answer: failed, ".*(connect|refused).*"`, 'i'), 'the key that did not come');
  match(told.out, new RegExp(`kid SHA-256 ${sha256('k1')}\n    last answer: good`), 'the key that is known');
  await k.listen();
  await until(() => login(s, 'k3').then(() => true, () => false), { what: 'k3 is let in', timeout: 6000 });
  await login(s, 'k1');
  equal(k.asked(k.path('k1', '/keys')), 1, 'requests for the known key');
}), { timeout: 30000 });

test('key lists: read at the start; RSA, elliptic curves, Ed25519; use and alg count; a map of certificates', () => withKeyServer(async (k) => {
  const es = pairOf('ES256');
  const ed = pairOf('EdDSA');
  k.list('/jwks', [jwk(a, 'r'), jwk(es, 'e'), jwk(ed, 'd'), jwk(b, 'enc', { use: 'enc' }), jwk(b, 'only', { alg: 'RS512' }),
    { kty: 'oct', kid: 'o', k: 'c2VjcmV0' }]);
  k.set('/map', JSON.stringify({ m: a.pem }));
  const issuers = [
    { iss: 'list', jwks: `${k.url}/jwks`, algs: ['RS256', 'RS512', 'ES256', 'EdDSA'] },
    { iss: 'map', jwks: `${k.url}/map` },
  ];
  await withServer({ app_id: undefined, issuers, ...FAST }, async (s) => {
    await until(() => k.asked() === 2, { what: 'both lists are read before anybody came' });
    await login(s, 'r', a, { iss: 'list' });
    await login(s, 'e', es, { iss: 'list', alg: 'ES256' });
    await login(s, 'd', ed, { iss: 'list', alg: 'EdDSA' });
    await login(s, 'only', b, { iss: 'list', alg: 'RS512' });
    await login(s, 'm', a, { iss: 'map' });
    await refused(s, 'enc', /the key list has no such key: it holds 4/, b, { iss: 'list' });
    await refused(s, 'only', /the key list has no such key/, b, { iss: 'list' });
    await refused(s, 'r', /the key list has no such key/, a, { iss: 'map' });
    equal(k.asked(), 2, 'requests');
    const shown = gavel(['keys', '--config', s.file]).out;
    match(shown, /jwks "http[^"]*\/jwks" for issuer "list"/, 'gavel keys');
    match(shown, /key P-256 kid "e"/, 'gavel keys');
  });
}));

test('several issuers: a key serves only its own issuer', () => withKeyServer(async (k) => {
  k.publish('k', a, '/a');
  k.publish('k', b, '/b');
  const issuers = [{ iss: 'a', key_server: `${k.url}/a` }, { iss: 'b', key_server: `${k.url}/b` },
    { iss: 'c', app_secret: 'c'.repeat(40) }];
  await withServer({ app_id: undefined, issuers, ...FAST }, async (s) => {
    await login(s, 'k', a, { iss: 'a' });
    await login(s, 'k', b, { iss: 'b' });
    equal((await rejects(login(s, 'k', b, { iss: 'a' }))).text, 'Invalid signature', 'the key of b for a');
    equal((await rejects(login(s, 'k', a, { iss: 'b' }))).text, 'Invalid signature', 'the key of a for b');
    equal((await rejects(login(s, 'k', a, { iss: 'c' }))).text, 'Invalid or incorrect alg', 'the key of a for c');
    ok(await rejects(login(s, 'k', a, { iss: 'd' })), 'an issuer that nobody configured');
    const secret = s.keep(makeToken(claimsFor(ALICE, { iss: 'c' }), 'c'.repeat(40)));
    await (await Client.connect(s, { token: secret })).close();
    equal(k.asked(), 2, 'requests');
  });
}));

test('https: the server\'s authority must be known; no proxy of the environment is asked', () => {
  const tls = certificate();
  return withKeyServer(async (k) => {
    k.publish('k1', a);
    const proxies = { http_proxy: 'http://127.0.0.1:1', https_proxy: 'http://127.0.0.1:1', all_proxy: 'http://127.0.0.1:1' };
    const config = { key_source: 'keyserver', key_server: k.url, ...FAST };
    await withServer({ ...config, key_ca_file: tls.ca }, (s) => login(s, 'k1'), { env: proxies });
    equal(k.asked(), 1, 'requests');
    await withServer(config, async (s) => {
      await refused(s, 'k1', /certificate/);
      match(s.log, /event=keys outcome=failed .*certificate.*fix="key_ca_file names the authority/, 'the log');
    });
    equal(k.asked(), 1, 'requests');
  }, { tls });
}, { timeout: 30000 });

test('through a proxy, where one is set', () => withKeyServer((proxy) => {
  proxy.set('http://10.1.2.3/' + `${sha256('k1')}.pem`, a.pem);
  return withServer({ key_source: 'keyserver', key_server: 'http://10.1.2.3', key_proxy: proxy.url, ...FAST }, (s) => login(s, 'k1'));
}));

test('while a login waits: it may give up, nothing else; it may go; the server may end', () => withBoth(async (s, k) => {
  const auth = `<auth xmlns='${NS.sasl}' mechanism='ANONYMOUS'/>`;
  const held = [];
  const waiting = async (kid) => {
    k.set(k.path(kid, '/keys'), (req, res) => held.push(res));
    const c = await Client.open(s, { token: token(s, kid) });
    await c.hello(s.domain);
    c.send(auth);
    await until(() => k.asked(k.path(kid, '/keys')) === 1, { what: 'the request' });
    return c;
  };
  const aborts = await waiting('w1');
  let since = aborts.stanzas.length;
  aborts.send(`<abort xmlns='${NS.sasl}'/>`);
  const failure = await aborts.waitFor((e) => e.local === 'failure', { since, what: 'the answer to abort' });
  ok(failure.get('aborted', NS.sasl), 'aborted', failure.raw);
  since = aborts.stanzas.length;
  aborts.send(auth); // again, and now with an answer
  await until(() => keysOf(s)[0].waiting === 1, { what: 'it waits again' });
  held[0].end(a.pem);
  await aborts.waitFor((e) => e.local === 'success', { since, what: 'success' });
  await aborts.close();
  for (const [i, more] of [auth, `<iq xmlns='jabber:client' type='set' id='b'><bind xmlns='${NS.bind}'/></iq>`].entries()) {
    const hasty = await waiting(`hasty ${i}`);
    hasty.send(more);
    ok((await hasty.waitClosed()) && hasty.stanzas.some((e) => e.local === 'error'), 'one that does not wait is closed');
  }
  const goes = await waiting('w2');
  goes.drop();
  const closes = await waiting('w3');
  closes.send(`<close xmlns='${NS.framing}'/>`);
  await closes.waitClosed();
  await until(() => keysOf(s)[0].waiting === 0, { what: 'nobody waits' });
  for (const res of held.splice(0)) res.end(a.pem);
  await login(s, 'w2');
  await waiting('w4'); // and the server ends while this one waits
}), { timeout: 30000 });

test('no more logins wait than may', () => withBoth(async (s, k) => {
  const held = [];
  k.set(k.path('w', '/keys'), (req, res) => held.push(res));
  const three = [1, 2, 3].map(() => login(s, 'w'));
  await until(() => keysOf(s)[0].waiting === 3, { what: 'three wait' });
  await refused(s, 'w', /too many logins wait for keys: keys_waiting=3/);
  held[0].end(a.pem);
  await Promise.all(three);
  equal(counters(s).limit_keys_waiting, 1, 'the counter');
}, { config: { keys_waiting: 3 } }));

/** One stranger: a token with a kid of its own; resolves when the server has refused it. */
function stranger(s) {
  const part = (v) => Buffer.from(JSON.stringify(v)).toString('base64url');
  const t = `${part({ alg: 'RS256', typ: 'JWT', kid: randomBytes(12).toString('hex') })}.${part(claimsFor(ALICE))}.${randomBytes(256).toString('base64url')}`;
  const head = `GET /xmpp-websocket?token=${t} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n`
    + 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: xmpp\r\n\r\n';
  const say = (text) => frame(1, Buffer.from(text));
  return new Promise((done) => {
    const socket = connect({ host: '127.0.0.1', port: s.port });
    let text = '';
    socket.on('connect', () => socket.write(Buffer.concat([Buffer.from(head),
      say(`<open xmlns='${NS.framing}' to='${s.domain}' version='1.0'/>`), say(`<auth xmlns='${NS.sasl}' mechanism='ANONYMOUS'/>`)])));
    socket.on('data', (d) => {
      text += d.toString('latin1');
      if (/<failure .*could not obtain public key/.test(text)) { socket.destroy(); done('refused'); }
      else if (text.includes('<success')) { socket.destroy(); done('in'); }
    });
    socket.on('error', (e) => done(String(e)));
    socket.on('close', () => done('closed'));
  });
}

test('ten thousand kids in ten seconds: about a hundred requests, other logins unaffected', () => withBoth(async (s, k) => {
  k.publish('known', a, '/keys');
  await login(s, 'known');
  const before = k.asked();
  const began = Date.now();
  const ends = [];
  const times = [];
  let over = false;
  const others = (async () => {
    while (!over) {
      const at = Date.now();
      await login(s, 'known');
      times.push(Date.now() - at);
      await sleep(40);
    }
  })();
  // as many as are due by the clock, but no more at once than a slow build of the server can take
  for (let n = 0; n < 10000;) {
    const due = Math.min(10000, Math.floor((Date.now() - began) * 1.02) + 1);
    for (; n < due && n - ends.length < 250; n += 1) stranger(s).then((how) => ends.push(how));
    await sleep(5);
  }
  over = true;
  await others;
  const seconds = (Date.now() - began) / 1000;
  await until(() => ends.length === 10000, { what: 'all are answered', timeout: 20000 });
  const requests = k.asked() - before;
  const tally = {};
  for (const e of ends) tally[e] = (tally[e] ?? 0) + 1;
  times.sort((x, y) => x - y);
  console.log(`# ${requests} requests in ${seconds.toFixed(1)} s; ${times.length} other logins, median ${times[times.length >> 1]} ms, longest ${times.at(-1)} ms`);
  same(tally, { refused: 10000 }, 'how the strangers fared');
  ok(requests >= 90 && requests <= (seconds < 11 ? 150 : 12 * seconds + 30), 'about a hundred requests', requests, seconds);
  ok(times.length >= 20, 'other logins', times.length);
  const c = counters(s);
  ok(c.limit_key_lookups_per_second > 8000, 'counted', c);
  equal(c.key_documents, 1, 'known keys');
  await login(s, 'known');
  equal(k.asked(k.path('known', '/keys')), 1, 'requests for the known key');
}, { bin: GAVEL_RELEASE, config: { sessions: 20000, log_lines_per_second: 5 } }), { timeout: 120000 });

test('check tells what is asked of whom; a file that is no list, plain http and a missing authority are refused', () => {
  const folder = temporaryFolder();
  const write = (config) => {
    const path = join(folder, 'gavel.yaml');
    writeFileSync(path, configText({ app_id: 'my_app', state_directory: folder, ...config }));
    return path;
  };
  const good = gavel(['check', '--config', write({ issuers: [{ iss: 'x', jwks: 'https://x.example/jwks' }, { iss: 'y', key_server: 'https://y.example/k' }], app_id: undefined })]);
  equal(good.code, 0, 'exit code');
  match(good.out, /issuer "x": https:\/\/x\.example\/jwks is fetched at the start/, 'check');
  match(good.out, /issuer "y": https:\/\/y\.example\/k\/<SHA-256 of the kid>\.pem is fetched when a token names a kid/, 'check');
  const bad = [
    [{ jwks: join(folder, 'nothing.json') }, /jwks: .*nothing\.json: No such file/],
    [{ key_server: 'http://keys.example.com' }, /key_server: is not https/],
    [{ key_server: 'https://keys.example.com', key_ca_file: '/nothing.pem' }, /key_ca_file: \/nothing\.pem: No such file/],
  ];
  for (const [config, why] of bad) {
    const path = write(config);
    for (const command of ['check', 'serve']) {
      const r = gavel([command, '--config', path]);
      equal(r.code, 2, `${command}: exit code`);
      match(r.err, why, `${command}: the reason`);
    }
  }
});

test('a docker .env with a key server, and keys are told where no server is or no key comes from elsewhere', () => withKeyServer(async (k) => {
  k.publish('k1', a);
  const docker = { ENABLE_AUTH: '1', AUTH_TYPE: 'jwt', JWT_APP_ID: 'my_app', JWT_ASAP_KEYSERVER: k.url };
  await withServer({}, (s) => login(s, 'k1'), { docker });
  const list = { ...docker, JWT_ASAP_KEYSERVER: undefined, JWT_JWKS_URL: `${k.url}/jwks` };
  delete list.JWT_ASAP_KEYSERVER;
  k.list('/jwks', [jwk(a, 'k1')]);
  await withServer({}, (s) => login(s, 'k1'), { docker: list });
  await withServer({}, async (s) => {
    match(gavel(['keys', '--config', s.file]).out, /No key comes from elsewhere/, 'gavel keys');
  });
  const nobody = gavel(['keys', '--state', temporaryFolder()]);
  equal(nobody.code, 1, 'no server there');
  match(nobody.err, /^gavel keys: .*(no server|not running|answers)/m, 'in words');
  equal(gavel(['keys', '--nonsense']).code, 2, 'bad arguments');
  match(gavel(['keys', '--help']).out, /Exit codes/, 'help');
}), { timeout: 30000 });

await run();
