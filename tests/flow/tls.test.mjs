// tls.test.mjs - HTTPS and secure WebSocket: certificates of the test's own, read again without dropping anybody; what is
// refused at the start and what at the door.
import { createHash, randomBytes } from 'node:crypto';
import { chmodSync, copyFileSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { connect as connectTcp } from 'node:net';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { equal, lacks, match, ok, rejects, run, same, sleep, test, until } from '../support/harness.mjs';
import { Client, enter, settleAll } from '../support/client.mjs';
import { Server, configText, freePort, gavel, temporaryFolder, withServer } from '../support/server.mjs';
import { getHttps, makeCertificate, shown } from '../support/certificates.mjs';

const MOD = { id: 'm', name: 'Mona', moderator: true };
const PAT = { id: 'p', name: 'Pat' };

const folder = temporaryFolder('certificates');
const one = makeCertificate(folder, 'one.example', { names: ['one.example', '127.0.0.1'] });
const two = makeCertificate(folder, 'two.example', { names: ['two.example', '*.wild.example'], type: 'rsa' });
const over = makeCertificate(folder, 'over.example', { days: -1 });
const locked = makeCertificate(folder, 'locked.example', { password: 'secret' });

const counters = (s) => JSON.parse(gavel(['explain', '--live', '--counters', '--json', '--state', s.state]).out).result;

async function withTls(config, body, options) {
  const https = await freePort();
  return withServer({ https_port: https, tls_certificate: one.certificate, tls_key: one.key, ...config }, async (s) => {
    s.https = https;
    s.wss = { port: https, tls: { ca: [one.pem], servername: 'one.example' } };
    return body(s);
  }, options);
}

test('a meeting over WSS: roles, names and lines as ever, large ones too', () => withTls({}, async (s) => {
  const a = await enter(s, 'wss', MOD, { connect: s.wss });
  const b = await enter(s, 'wss', PAT, { connect: { ...s.wss, room: 'wss' } });
  equal(a.self.affiliation, 'owner', 'the moderator');
  equal(b.self.affiliation, 'member', 'the participant');
  const text = randomBytes(60000).toString('hex');
  const since = b.mark();
  a.send(`<message xmlns='jabber:client' to='wss@${s.muc}' type='groupchat'><body>${text}</body></message>`);
  await b.heard(text, { since });
  const c = await enter(s, 'wss', { id: 'c', name: 'Clear' }); // and somebody by http
  await settleAll(a, b, c);
  ok(counters(s).tls_handshakes >= 2, 'handshakes are counted');
  await Promise.all([a, b, c].map((x) => x.close()));
}));

test('every file of the page is the same by HTTP and by HTTPS', () => withTls({}, async (s) => {
  for (const path of ['/', '/page.js', '/page.css', '/config.js', '/about/health', '/xmpp-websocket', '/nothing.js']) {
    const [clear, secure] = [await s.get(path), await getHttps(s.https, path, { ca: [one.pem], servername: 'one.example', rejectUnauthorized: true })];
    equal(secure.status, clear.status, path);
    equal(createHash('sha1').update(secure.body).digest('hex'), createHash('sha1').update(clear.body).digest('hex'), path);
    ok(!('strict-transport-security' in secure.headers), 'HSTS is asked for before it is told');
  }
}));

test('the name that a client asks for chooses the certificate', () => withTls({
  tls_certificate: [one.certificate, two.certificate], tls_key: [one.key, two.key],
}, async (s) => {
  for (const [name, cn] of [['one.example', 'one.example'], ['two.example', 'two.example'], ['a.wild.example', 'two.example'],
    ['other.example', 'one.example'], [undefined, 'one.example']]) {
    for (const version of ['TLSv1.2', 'TLSv1.3']) {
      const seen = await shown(s.https, { servername: name, minVersion: version, maxVersion: version });
      same([seen.cn, seen.version], [cn, version], `for ${name}`);
    }
  }
}));

for (const how of ['SIGHUP', 'gavel reload']) {
  test(`${how}: new ones get the new certificate, nobody is dropped, a bad one changes nothing`, () => {
    const live = temporaryFolder('live');
    const files = { certificate: join(live, 'fullchain.pem'), key: join(live, 'privkey.pem') };
    const install = (c, k = c) => { copyFileSync(c.certificate, files.certificate); copyFileSync(k.key, files.key); };
    install(one);
    return withTls({ tls_certificate: files.certificate, tls_key: [files.key] }, async (s) => {
      const reload = async (good) => {
        const since = s.mark();
        if (how === 'SIGHUP') s.child.kill('SIGHUP');
        else {
          const r = gavel(['reload', '--config', s.file]);
          equal(r.code, good ? 0 : 1, `exit code: ${r.out}${r.err}`);
          if (!good) match(r.err, /tls_(key|certificate): .*(fullchain|privkey)\.pem/, 'the reason');
        }
        await s.logged(good ? /event=reload certificates=1/ : /event=reload because=".*kept=the-old-ones/, { since });
      };
      const a = await enter(s, 'reload', MOD, { connect: s.wss });
      equal((await shown(s.https)).cn, 'one.example', 'before');
      install(two);
      await reload(true);
      equal((await shown(s.https)).cn, 'two.example', 'after');
      const b = await enter(s, 'reload', PAT, { connect: { port: s.https, tls: { ca: [two.pem], servername: 'two.example' } } });
      const since = b.mark();
      a.send(`<message xmlns='jabber:client' to='reload@${s.muc}' type='groupchat'><body>still here</body></message>`);
      await b.heard('still here', { since });
      install(two, one);
      await reload(false);
      install(over);
      await reload(false);
      writeFileSync(files.certificate, 'nonsense');
      await reload(false);
      equal((await shown(s.https)).cn, 'two.example', 'after three bad ones');
      await settleAll(a, b);
      ok(!a.closed && !b.closed, 'nobody was dropped');
      await Promise.all([a, b].map((x) => x.close()));
    });
  }, { timeout: 30000 });
}

test('what cannot work is refused by check and by serve, with the setting and the fix', async () => {
  const state = temporaryFolder();
  const port = await freePort();
  const base = { app_id: 'a', app_secret: 'x'.repeat(40), http_port: await freePort(), https_port: port, state_directory: state };
  const cases = [
    [{ tls_certificate: one.certificate, tls_key: two.key }, /tls_key: .*two\.example\.key is not the key of .*one\.example\.crt/],
    [{ tls_certificate: '/nowhere.crt', tls_key: one.key }, /tls_certificate: \/nowhere\.crt cannot be read: No such file/],
    [{ tls_certificate: one.certificate, tls_key: '/nowhere.key' }, /tls_key: \/nowhere\.key cannot be read/],
    [{ tls_certificate: one.certificate, tls_key: folder }, /tls_key: .* is no file/],
    [{ tls_certificate: one.key, tls_key: one.key }, /tls_certificate: .* holds no certificate/],
    [{ tls_certificate: one.certificate }, /tls_key: .*one\.example\.crt holds no private key/],
    [{ tls_certificate: locked.certificate, tls_key: locked.key }, /tls_key: .* protected by a password.*openssl pkey/],
    [{}, /https_port: needs a certificate: set tls_certificate and tls_key, or tls_self_signed/],
    [{ tls_key: one.key }, /tls_key: must name one key for each tls_certificate/],
    [{ tls_certificate: one.certificate, tls_key: one.key, tls_self_signed: true }, /tls_self_signed: contradicts tls_certificate/],
    [{ https_port: 0, http_redirect: true }, /http_redirect: has no HTTPS to send to/],
    [{ https_port: 0, trusted_proxies: ['10.0.0.0/33'] }, /trusted_proxies: .*10\.0\.0\.0\/33.* is no IP address/],
    [{ https_port: base.http_port, tls_self_signed: true }, /https_port: must be another one than http_port/],
  ];
  for (const [settings, reason] of cases) {
    const file = join(state, 'gavel.yaml');
    writeFileSync(file, configText({ ...base, ...settings }), { mode: 0o600 });
    for (const command of ['check', 'serve']) {
      const r = gavel([command, '--config', file]);
      equal(r.code, 2, `${command} with ${JSON.stringify(settings)}: ${r.err}`);
      match(r.err, reason, command);
      lacks(r.err, /x{40}/, 'what it says');
    }
  }
  chmodSync(over.key, 0o644);
  const file = join(state, 'gavel.yaml');
  writeFileSync(file, configText({ ...base, tls_certificate: over.certificate, tls_key: over.key }), { mode: 0o600 });
  const r = gavel(['check', '--config', file]);
  equal(r.code, 0, `an expired certificate is a warning: ${r.err}`);
  match(r.out, /over\.example\.crt has expired on/, 'the warning');
  match(r.out, /over\.example\.key can be read by everybody/, 'and the other');
}, { timeout: 60000 });

test('a self-signed certificate is made once, for this host, and kept over restarts', async () => {
  const https = await freePort();
  const s = new Server({ https_port: https, tls_self_signed: true });
  await s.start();
  const first = await shown(https);
  match(first.names, /DNS:localhost/, 'its names');
  match(first.names, /IP Address:127\.0\.0\.1/, 'its names');
  match(first.names, /DNS:meet\.jitsi/, 'its names');
  const days = (new Date(first.until) - Date.now()) / 86400000;
  ok(days > 396 && days <= 398, 'it lives', days);
  equal(statSync(join(s.state, 'self-signed.key')).mode & 0o777, 0o600, 'the key is private');
  match(readFileSync(join(s.state, 'self-signed.key'), 'utf8'), /PRIVATE KEY/, 'a key');
  s.child.kill('SIGTERM');
  await s.ended;
  s.exit = null;
  await s.start();
  equal((await shown(https)).fingerprint, first.fingerprint, 'after a restart');
  await s.stop();
});

test('a docker .env with HTTPS_PORT has HTTPS at once; DISABLE_HTTPS has none', async () => {
  const https = await freePort();
  for (const off of [false, true]) {
    const s = new Server({}, { docker: { ENABLE_AUTH: '0', HTTPS_PORT: String(https), ...(off ? { DISABLE_HTTPS: '1' } : { ENABLE_HTTP_REDIRECT: '1' }) } });
    await s.start();
    if (off) match((await rejects(shown(https))).message, /ECONNREFUSED/, 'nobody listens');
    else {
      equal((await getHttps(https, '/about/health')).status, 200, 'HTTPS');
      equal((await s.get('/demo')).status, 301, 'HTTP is redirected');
    }
    await s.stop();
  }
}, { timeout: 30000 });

test('clear text, old versions, renegotiation: refused at the door, each with its reason', () => withTls({}, async (s) => {
  const clear = await new Promise((done, no) => {
    request({ host: '127.0.0.1', port: s.https, path: '/demo' }, (res) => {
      let body = '';
      res.on('data', (c) => { body += c; });
      res.on('end', () => done({ status: res.statusCode, body }));
    }).on('error', no).end();
  });
  equal(clear.status, 400, 'HTTP to the HTTPS port');
  match(clear.body, /HTTPS port/, 'the answer');
  for (const version of ['TLSv1', 'TLSv1.1']) {
    const e = await rejects(shown(s.https, { minVersion: version, maxVersion: version, ciphers: 'DEFAULT@SECLEVEL=0' }));
    match(`${e.code} ${e.message}`, /PROTOCOL_VERSION|protocol version/i, version);
  }
  await rejects(shown(s.https, { maxVersion: 'TLSv1.2', ciphers: 'AES128-SHA' }), 'a cipher without forward secrecy');
  await rejects(shown(s.https, { ALPNProtocols: ['h2'] }), 'another protocol inside');
  const t = connectTls({ host: '127.0.0.1', port: s.https, rejectUnauthorized: false, maxVersion: 'TLSv1.2' });
  await new Promise((done) => { t.once('secureConnect', done); });
  const failed = new Promise((done) => { t.once('error', done); t.once('close', done); });
  t.renegotiate({ rejectUnauthorized: false }, () => {});
  await failed;
  t.destroy();
  const n = counters(s);
  ok(n.tls_refused_clear_text === 1 && n.tls_refused_version === 2 && n.tls_refused_nothing_in_common === 2, 'counted', n);
  match(await s.logged(/stage=tls because=version/), /peer=127\.0\.0\.1/, 'logged');
  equal(s.lines().filter((l) => /stage=tls/.test(l)).length <= 3, true, 'at a bounded rate');
}));

/** A ClientHello as this machine's TLS would send it. */
async function clientHello() {
  const { createServer } = await import('node:net');
  return new Promise((done) => {
    const server = createServer((socket) => socket.once('data', (d) => { done(d); socket.destroy(); server.close(); }));
    server.listen(0, '127.0.0.1', () => connectTls({ host: '127.0.0.1', port: server.address().port }).on('error', () => {}));
  });
}

test('half a handshake is cut in time, and holds nobody up', () => withTls({ handshake_timeout: 1 }, async (s) => {
  const hello = await clientHello();
  const started = Date.now();
  const halves = Array.from({ length: 60 }, (_, i) => {
    const c = connectTcp({ host: '127.0.0.1', port: s.https });
    c.on('error', () => {});
    c.on('close', () => { c.gone = Date.now(); });
    c.on('data', () => {});
    c.write(i % 3 ? hello.subarray(0, 5 + i) : hello); // a part, or all and nothing behind it
    if (i % 3 === 1) c.trickle = setInterval(() => c.write(hello.subarray(5 + i, 6 + i)), 200);
    return c;
  });
  const a = await enter(s, 'halves', MOD, { connect: s.wss });
  ok(Date.now() - started < 3000, 'others come in meanwhile');
  await until(() => halves.every((c) => c.gone), { what: 'the end of all of them', timeout: 6000 });
  halves.forEach((c) => clearInterval(c.trickle));
  await s.logged(/because="no TLS handshake"/);
  ok(counters(s).limit_handshake_timeout >= 40, 'counted', counters(s));
  await a.settle();
  await a.close();
}), { timeout: 30000 });

test('bytes of all kinds, before and inside a handshake and after it, hurt nobody', () => withTls({}, async (s) => {
  const hello = await clientHello();
  const a = await enter(s, 'garbage', MOD, { connect: s.wss });
  const ends = [];
  const pour = (bytes) => ends.push(new Promise((done) => {
    const c = connectTcp({ host: '127.0.0.1', port: s.https });
    c.on('error', () => {}).on('close', done).on('data', () => {});
    c.write(bytes);
    setTimeout(() => c.destroy(), 1500);
  }));
  for (let i = 0; i < 40; i += 1) {
    const changed = Buffer.from(hello);
    changed[5 + (i * 37) % (changed.length - 5)] ^= 1 << (i % 8);
    pour(changed);
    pour(Buffer.concat([hello, randomBytes(300 * i)]));
    pour(Buffer.concat([Buffer.from([22, 3, 1, 64, 0]), randomBytes(16384)]));
    pour(randomBytes(1 + i * 100));
  }
  await Promise.all(ends);
  // a good handshake, then bytes behind TLS's back
  const under = connectTcp({ host: '127.0.0.1', port: s.https });
  const t = connectTls({ socket: under, rejectUnauthorized: false });
  t.on('error', () => {});
  await new Promise((done) => { t.once('secureConnect', done); });
  const gone = new Promise((done) => { under.once('close', done); });
  under.write(randomBytes(500));
  await gone;
  await a.settle();
  const b = await enter(s, 'garbage', PAT, { connect: s.wss });
  await Promise.all([a, b].map((x) => x.close()));
  equal((await getHttps(s.https, '/about/health')).status, 200, 'healthy');
}), { timeout: 30000 });

test('http_redirect sends to HTTPS, all but health and the challenges of who issues certificates', async () => {
  const acme = temporaryFolder();
  mkdirSync(join(acme, '.well-known/acme-challenge'), { recursive: true });
  writeFileSync(join(acme, '.well-known/acme-challenge/token-1_A'), 'token-1_A.thumbprint');
  writeFileSync(join(acme, 'outside'), 'secret');
  await withTls({ http_redirect: true, acme_folder: acme, hsts: true }, async (s) => {
    const at = `https://meet.test:${s.https}`;
    const go = (path, o = {}) => s.get(path, { headers: { Host: 'meet.test:1234' }, ...o });
    for (const [path, o, status, location] of [
      ['/', {}, 301, `${at}/`], ['/room?x=1&y=%20', {}, 301, `${at}/room?x=1&y=%20`], ['/a/../%2e%2e/b', {}, 301, `${at}/a/../%2e%2e/b`],
      ['/config.js', { method: 'HEAD' }, 301, `${at}/config.js`], ['/x', { method: 'POST' }, 308, `${at}/x`],
      ['.evil.example/x', { method: 'POST' }, 400, undefined], ['//evil.example/x', {}, 301, `${at}//evil.example/x`],
      ['/', { headers: { Host: '[::1]:80' } }, 301, `https://[::1]:${s.https}/`],
      ['/', { headers: { Host: 'evil.example/@x' } }, 400, undefined], ['/', { headers: { Host: 'a b' } }, 400, undefined],
      ['/about/health', {}, 200, undefined], ['/.well-known/acme-challenge/token-1_A', {}, 200, undefined],
      ['/.well-known/acme-challenge/none', {}, 404, undefined], ['/.well-known/acme-challenge/../../outside', {}, 404, undefined],
      ['/.well-known/acme-challenge/%2e%2e%2f%2e%2e%2foutside', {}, 404, undefined],
    ]) {
      const r = await go(path, o);
      same([r.status, r.headers.location], [status, location], `${o.method ?? 'GET'} ${path} ${JSON.stringify(o.headers ?? {})}`);
      ok(!('strict-transport-security' in r.headers), 'HSTS by HTTP means nothing');
    }
    equal((await go('/.well-known/acme-challenge/token-1_A')).body, 'token-1_A.thumbprint', 'the challenge');
    match((await getHttps(s.https, '/')).headers['strict-transport-security'], /^max-age=\d+$/, 'HSTS by HTTPS, when asked for');
  });
  await withServer({ http_redirect: true, public_url: 'https://meet.example.com' }, async (s) => {
    equal((await s.get('/r?q')).headers.location, 'https://meet.example.com/r?q', 'behind a proxy: by its public name');
    equal((await s.get('/r', { headers: { 'X-Forwarded-Proto': 'https' } })).status, 200, 'unless the proxy says that it was HTTPS');
  });
}, { timeout: 30000 });

await run();
