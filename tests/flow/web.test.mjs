// web.test.mjs - an installed jitsi-meet: pages with their includes, rooms and tenants, compression, versions, ranges,
// big files read slowly, and nothing outside the folder.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import vm from 'node:vm';
import { request } from 'node:http';
import { equal, lacks, match, ok, run, same, sleep, test, until } from '../support/harness.mjs';
import { Client, enter } from '../support/client.mjs';
import { Raw } from '../support/hostile.mjs';
import { GAVEL_RELEASE, cleanEnvironment, configText, gavel, serverFor, temporaryFolder, withServer } from '../support/server.mjs';
import { BIG, THEIR_CONFIG, makeWebRoot, text } from '../support/webroot.mjs';

const folder = makeWebRoot();
const outside = dirname(folder);
writeFileSync(join(outside, 'outside.txt'), 'outside');
const server = await serverFor({ auth: 'none', web_root: folder, shard: 's-1', region: 'eu-west' });

/** One request whose body stays bytes. */
const get = (path, headers = {}, { method = 'GET', port = server.port } = {}) => new Promise((done, failed) => {
  const r = request({ host: '127.0.0.1', port, path, method, headers, agent: false, timeout: 8000 }, (res) => {
    const parts = [];
    res.on('data', (c) => parts.push(c));
    res.on('error', failed);
    res.on('end', () => done({ status: res.statusCode, headers: res.headers, body: Buffer.concat(parts) }));
  });
  r.on('error', failed).on('timeout', () => r.destroy(new Error(`${path}: timed out`))).end();
});
const file = (name) => readFileSync(join(folder, name));

function configOf(script, hash = '') {
  const page = { location: { protocol: 'http:', host: 'localhost:1', origin: 'http://localhost:1', hash, search: '' }, atob };
  page.window = page;
  vm.runInNewContext(script, page);
  return page.config;
}

test('the index page comes with everything that it includes', async () => {
  const { status, headers, body } = await get('/', { host: 'meet.example:8443' });
  const page = body.toString();
  equal(status, 200);
  equal(headers['content-type'], 'text/html; charset=utf-8');
  equal(headers['cache-control'], 'no-cache');
  for (const part of ['content="head"', '<base href="/" />', '<title>Fixture</title>', 'content="plugin"', 'content="deeper"',
    '<p id="said">body</p>', 'var interfaceConfig', 'var loggingConfig', '<div id="host">meet.example:8443</div>',
    '<div id="tenant">none</div>']) ok(page.includes(part), `the page holds ${part}`, page);
  lacks(page, /<!--#/, 'a directive is left');
  lacks(page, /never served/, "the folder's sample config");
  lacks(JSON.stringify(headers), /default-src 'none'/, 'the policy of the built-in page');
  equal(headers['x-content-type-options'], 'nosniff');
  match((await get('/', { host: 'a"><script>' })).body.toString(), /<div id="host">nowhere<\/div>/, 'a host that is none');
  const again = await get('/', { 'if-none-match': headers.etag, host: 'meet.example:8443' });
  equal(again.status, 304);
  equal(again.body.length, 0);
});

test('a path of one segment is a room, of two a room of a tenant', async () => {
  const index = (await get('/')).body.toString();
  for (const path of ['/standup', '/%D1%82%D0%B5%D1%81%D1%82', '/a:b', '/libs', '/room?x=1'])
    equal((await get(path)).body.toString(), index, `what ${path} shows`);
  const page = (await get('/acme.inc/standup')).body.toString();
  match(page, /<div id="tenant">acme.inc\/<\/div>/);
  match(page, /base \+= '\/' \+ "acme.inc";/);
  equal((await get('/acme/')).status, 200);
  match((await get('/acme/')).body.toString(), /<div id="tenant">acme\/<\/div>/);
  equal((await get('/acme/css/all.css')).body.toString(), file('css/all.css').toString(), 'a file below a tenant');
  equal((await get('/acme/manifest.json')).status, 200);
  equal((await get('/acme/external_api.js')).body.toString(), file('libs/external_api.min.js').toString());
  for (const path of ['/a/b/c', '/libs/none', '/libs/none.js', '/none.js', '/x%22y/room', "/x'y/room", '/%3Cb%3E/room', '/acme/none.css']) {
    const r = await get(path);
    equal(r.status, 404, path);
    match(r.body.toString(), /This page is missing/, 'the 404 page of the folder');
  }
});

test('config.js is generated, for a tenant with his addresses', async () => {
  const plain = await get('/config.js');
  equal(plain.headers['cache-control'], 'no-store');
  match(plain.headers['content-type'], /^text\/javascript/);
  const config = configOf(plain.body.toString());
  equal(config.websocket, 'ws://localhost:1/xmpp-websocket');
  same(config.deploymentInfo, { shard: 's-1', region: 'eu-west' });
  equal(config.conferenceRequestUrl, undefined);
  const tenant = configOf((await get('/acme/config.js')).body.toString());
  equal(tenant.websocket, 'ws://localhost:1/acme/xmpp-websocket');
  equal(tenant.websocketKeepAliveUrl, 'http://localhost:1/acme/xmpp-websocket');
  equal(tenant.hosts.domain, config.hosts.domain);
});

test('config.js of somebody else gets our end and its own includes', async () => {
  const theirs = join(temporaryFolder(), 'meet.example-config.js');
  writeFileSync(theirs, THEIR_CONFIG);
  const link = join(dirname(theirs), 'link-config.js');
  symlinkSync(theirs, link);
  await withServer({ web_root: folder, config_js: link, http_conference_request: true }, async (s) => {
    const script = (await s.get('/acme/config.js')).body;
    const free = configOf(script);
    ok(free.theirs, 'it is theirs');
    equal(free.websocket, 'ws://localhost:1/acme/xmpp-websocket');
    equal(free.subdomain, 'acme.');
    equal(configOf((await s.get('/config.js')).body).subdomain, '');
    equal(free.readOnlyName, undefined);
    equal(configOf(script, `#jwt=${s.token({ id: '1', name: 'Alice Example' })}`).readOnlyName, true, 'a frozen name is locked');
    match((await s.get('/room')).body, /theirs: true[\s\S]*names\.paths/, 'the page holds it, too');
    writeFileSync(theirs, 'var config = { theirs: 2 };');
    equal(configOf((await s.get('/config.js')).body).theirs, 2, 'an edit shows at once');
    renameSync(theirs, `${theirs}.away`);
    equal((await s.get('/config.js')).status, 500);
    equal((await s.get('/css/all.css')).status, 200);
  });
});

test('what cannot be served is said at the start', async () => {
  const empty = temporaryFolder();
  const start = (config) => {
    const f = join(temporaryFolder(), 'gavel.yaml');
    writeFileSync(f, configText({ auth: 'none', state_directory: dirname(f), http_port: 0, ...config }), { mode: 0o600 });
    return gavel(['serve', '--config', f]);
  };
  match(start({ web_root: join(empty, 'none') }).err, /web_root: .*none is not a folder/);
  match(start({ web_root: empty }).err, /web_root: .* holds no index\.html/);
  match(start({ web_root: folder, config_js: join(empty, 'c.js') }).err, /config_js: .*c\.js cannot be read/);
  match(start({ web_root: folder, web_folder: folder }).err, /web_folder: contradicts web_root/);
  match(start({ shard: 'a b' }).err, /shard: may hold letters/);
});

test('types, codings and versions are as clients want them', async () => {
  for (const [path, type] of [['/libs/tiny.wasm', 'application/wasm'], ['/fonts/f.woff2', 'font/woff2'], ['/sounds/s.mp3', 'audio/mpeg'],
    ['/images/favicon.svg', 'image/svg+xml'], ['/lang/main.json', 'application/json'], ['/external_api.js', 'text/javascript; charset=utf-8'],
    ['/libs/big.bin', 'application/octet-stream'], ['/.well-known/thing.json', 'application/json']]) {
    const r = await get(path, {}, { method: 'HEAD' });
    equal(r.status, 200, path);
    equal(r.headers['content-type'], type, path);
    equal(r.body.length, 0);
    equal(r.headers['access-control-allow-origin'], '*');
  }
  const plain = file('libs/packed.js');
  for (const [accept, coding] of [['gzip, deflate, br', 'br'], ['gzip', 'gzip'], ['br;q=0.5, gzip;q=0.8', 'gzip'], ['br;q=0, *', 'gzip'],
    ['*', 'br'], ['identity', undefined], ['gzip;q=0', undefined], ['', undefined], ['GZIP;Q=0.1', 'gzip'], ['identity, gzip;q=0.5', undefined]]) {
    const r = await get('/libs/packed.js?v=9', { 'accept-encoding': accept });
    equal(r.status, 200);
    equal(r.headers['content-encoding'], coding, `the coding for "${accept}"`);
    equal(r.headers.vary, 'Accept-Encoding');
    equal(r.headers['content-type'], 'text/javascript; charset=utf-8');
    equal(r.headers['cache-control'], 'public, max-age=31536000, immutable');
    equal(Number(r.headers['content-length']), r.body.length);
    const body = coding === 'br' ? brotliDecompressSync(r.body) : coding === 'gzip' ? gunzipSync(r.body) : r.body;
    ok(body.equals(plain), `the bytes behind "${accept}"`);
  }
  const edited = await get('/libs/edited.js', { 'accept-encoding': 'gzip' });
  equal(edited.headers['content-encoding'], undefined, 'a variant older than its original is left alone');
  equal((await get('/libs/edited.js')).headers['cache-control'], 'no-cache');
  const tags = new Set();
  for (const accept of ['br', 'gzip', 'identity']) tags.add((await get('/libs/packed.js', { 'accept-encoding': accept })).headers.etag);
  equal(tags.size, 3, 'each coding has its own tag');
});

test('what has not changed is not sent again, and a part is a part', async () => {
  const { headers } = await get('/sounds/s.mp3');
  const all = file('sounds/s.mp3');
  for (const asked of [{ 'if-none-match': headers.etag }, { 'if-none-match': `"x", W/${headers.etag}` }, { 'if-none-match': '*' },
    { 'if-modified-since': headers['last-modified'] }]) {
    const r = await get('/sounds/s.mp3', asked);
    equal(r.status, 304, JSON.stringify(asked));
    equal(r.body.length, 0);
    equal(r.headers.etag, headers.etag);
  }
  equal((await get('/sounds/s.mp3', { 'if-none-match': '"other"', 'if-modified-since': headers['last-modified'] })).status, 200);
  for (const [range, from, to] of [['bytes=0-0', 0, 1], ['bytes=100-199', 100, 200], ['bytes=2000-', 2000, 2048], ['bytes=-10', 2038, 2048],
    ['bytes=2040-9999', 2040, 2048], ['bytes=-9999', 0, 2048]]) {
    const r = await get('/sounds/s.mp3', { range });
    equal(r.status, 206, range);
    equal(r.headers['content-range'], `bytes ${from}-${to - 1}/2048`);
    ok(r.body.equals(all.subarray(from, to)), `the bytes of ${range}`);
  }
  for (const range of ['bytes=2048-', 'bytes=-0']) {
    const r = await get('/sounds/s.mp3', { range });
    equal(r.status, 416, range);
    equal(r.headers['content-range'], 'bytes */2048');
  }
  for (const range of ['bytes=5-2', 'bytes=a-b', 'lines=1-2', 'bytes=0-1,4-5', 'bytes=-', 'bytes=18446744073709551616-'])
    equal((await get('/sounds/s.mp3', { range })).status, 200, range);
  equal((await get('/sounds/s.mp3', { range: 'bytes=0-9', 'if-range': headers.etag })).status, 206);
  equal((await get('/sounds/s.mp3', { range: 'bytes=0-9', 'if-range': '"old"' })).status, 200);
});

test('nothing outside the folder is ever read', async () => {
  symlinkSync(join(outside, 'outside.txt'), join(folder, 'libs/escape.txt'));
  symlinkSync('../../outside.txt', join(folder, 'libs/escape2.txt'));
  symlinkSync(outside, join(folder, 'libs/up'));
  symlinkSync('/', join(folder, 'rootlink'));
  symlinkSync('big.bin', join(folder, 'libs/inside.bin'));
  symlinkSync(join(folder, 'css'), join(folder, 'styles'));
  mkdirSync(join(folder, 'libs/dir.js'));
  execFileSync('mkfifo', [join(folder, 'libs/fifo.js')]);
  equal((await get('/libs/inside.bin', {}, { method: 'HEAD' })).status, 200, 'a link that stays inside');
  equal((await get('/styles/all.css')).status, 200, 'a linked folder that stays inside');
  const paths = ['/libs/escape.txt', '/libs/escape2.txt', '/libs/up/outside.txt', '/rootlink/etc/passwd', '/libs/dir.js', '/libs/fifo.js',
    '/../outside.txt', '/libs/../../outside.txt', '/libs/%2e%2e/%2e%2e/outside.txt', '/libs/..%2f..%2foutside.txt', '/%2e%2e%2foutside.txt',
    '/.git/config', '/libs/.hidden', '/.hidden.js', '/tenant/.git/config', '/tenant/../outside.txt', '//etc/passwd', '/libs//big.bin', '/libs/./big.bin',
    '/.well-known', '/.well-known/../index.html', '/libs/big.bin/', '/libs/big.bin%01', `/${'a/'.repeat(600)}b`];
  for (const path of paths) {
    const r = await Raw.open(server);
    r.write(`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
    await r.waitEnd();
    const answer = r.received.toString('latin1');
    match(answer, /^HTTP\/1\.1 (404|400) /, path);
    lacks(answer, /outside$|root:|secret/, path);
  }
  equal((await get('/libs/a%00b')).status, 400);
});

test('includes end: they do not go round, nor outside, nor without bound', async () => {
  writeFileSync(join(folder, 'round.html'), 'x<!--#include virtual="round.html" -->');
  writeFileSync(join(folder, 'out.html'), 'a<!--#include virtual="../outside.txt" --><!--#include virtual="/libs/escape.txt" --><!--#include file="/etc/passwd" -->b');
  writeFileSync(join(folder, 'wide.html'), '<!--#include virtual="/libs/big.bin" -->'.repeat(3));
  writeFileSync(join(folder, 'odd.html'), '<!--#exec cmd="id" -->|<!--# echo var="nothing" -->|<!--# echo var="nothing" default="d" -->|<!--#include -->|<!--# end');
  equal((await get('/round.html')).status, 500);
  equal((await get('/out.html')).body.toString(), 'ab');
  equal((await get('/wide.html')).status, 500);
  equal((await get('/odd.html')).body.toString(), '<!--#exec cmd="id" -->||d|<!--#include -->|<!--# end');
  equal((await get('/')).status, 200);
});

test('big files come whole, also to many at once', async () => {
  const sum = createHash('sha256').update(file('libs/big.bin')).digest('hex');
  const got = await Promise.all(Array.from({ length: 6 }, () => get('/libs/big.bin')));
  for (const r of got) {
    equal(r.body.length, BIG);
    equal(createHash('sha256').update(r.body).digest('hex'), sum);
  }
  const part = await get('/libs/big.bin', { range: `bytes=${5 << 20}-${(9 << 20) - 1}` });
  ok(part.body.equals(file('libs/big.bin').subarray(5 << 20, 9 << 20)), 'four MiB out of the middle');
}, { timeout: 60000 });

const READERS = 100;
const resident = (pid) => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]);

/** Bytes that wait in the kernel to go out from a port, by connection. */
const queued = (port) => readFileSync('/proc/net/tcp', 'utf8').split('\n').slice(1).map((l) => l.trim().split(/[ :]+/))
  .filter((l) => parseInt(l[2], 16) === port).map((l) => parseInt(l[6], 16));

// With a sanitizer what was freed stays in memory for a while, 256 MiB of it if not told otherwise.
const FORGETFUL = { ASAN_OPTIONS: `${cleanEnvironment().ASAN_OPTIONS}:quarantine_size_mb=4` };

test('readers that are slow cost a part each, and the talk goes on', async () => {
  await withServer({ auth: 'none', web_root: folder, workers: 1 }, async (s) => {
    const a = await enter(s, 'talk', null);
    const b = await enter(s, 'talk', null);
    await get('/libs/big.bin', {}, { port: s.port });
    const before = resident(s.pid);
    const slow = Array.from({ length: READERS }, () => {
      const c = connect(s.port, '127.0.0.1');
      c.on('error', () => {});
      c.write('GET /libs/big.bin HTTP/1.1\r\nHost: x\r\n\r\n');
      c.pause();
      return c;
    });
    // The kernel takes some megabytes for each before the server has to wait with its part.
    for (let before = [], now = []; now.filter((n) => n > 0).length < READERS || now.join() !== before.join();) {
      await sleep(250);
      [before, now] = [now, queued(s.port)];
    }
    const grown = resident(s.pid) - before;
    ok(grown < READERS * 100, `${READERS} slow readers of ${BIG >> 20} MiB take ${grown} KiB`);
    const began = Date.now();
    b.send(`<message xmlns="jabber:client" type="groupchat" to="talk@${s.muc}"><body>still here</body></message>`);
    await a.heard('still here');
    ok(Date.now() - began < 1000, 'a word goes through at once');
    for (const c of slow) c.destroy();
    await until(async () => (await s.get('/css/all.css')).status === 200, { what: 'the server is well' });
    await Promise.all([a.close(), b.close()]);
  }, { bin: GAVEL_RELEASE, env: FORGETFUL });
}, { timeout: 40000 });

test('a file that is replaced under way ends the download, and the next one is whole', async () => {
  writeFileSync(join(folder, 'libs/changing.bin'), Buffer.alloc(8 << 20, 1));
  const c = connect(server.port, '127.0.0.1');
  let n = 0;
  c.write('GET /libs/changing.bin HTTP/1.1\r\nHost: x\r\n\r\n');
  await new Promise((go) => c.once('data', (d) => { n += d.length; c.pause(); go(); }));
  writeFileSync(join(folder, 'libs/changing.bin'), Buffer.alloc(9 << 20, 2));
  const ended = new Promise((go) => c.on('close', go));
  c.on('data', (d) => { n += d.length; }).on('error', () => {}).resume();
  await ended;
  ok(n < 8 << 20, `it ended after ${n} bytes`);
  const whole = await get('/libs/changing.bin');
  ok(whole.body.equals(Buffer.alloc(9 << 20, 2)), 'the new file');
});

test('requests of one connection are answered in order, files among them', async () => {
  const r = await Raw.open(server);
  r.write(['/css/all.css', '/about/health', '/room', '/none.css', '/xmpp-websocket', '/manifest.json']
    .map((p) => `GET ${p} HTTP/1.1\r\nHost: x\r\n\r\n`).join('') + 'GET /lang/main.json HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
  await r.waitEnd();
  const answers = [...r.received.toString('latin1').matchAll(/HTTP\/1\.1 (\d+) [\s\S]*?Content-Type: ([a-z/+]+)/g)].map((m) => `${m[1]} ${m[2]}`);
  same(answers, ['200 text/css', '200 application/json', '200 text/html', '404 text/html', '200 text/plain', '200 application/json', '200 application/json']);
});

test('the endpoints of a tenant are those of everybody, with the tenant told', async () => {
  for (const path of ['/xmpp-websocket?room=x', '/acme/xmpp-websocket?room=x']) {
    const r = await get(path, { origin: 'https://elsewhere.example' });
    equal(r.status, 200);
    equal(r.headers['access-control-allow-origin'], '*');
    equal(r.headers['x-jitsi-shard'], 's-1');
    equal(r.headers['x-jitsi-region'], 'eu-west');
    match(r.headers['access-control-expose-headers'], /x-jitsi-shard/);
  }
  equal((await get('/a/b/xmpp-websocket')).status, 404);
  const c = await Client.connect(server, { path: '/acme/xmpp-websocket' });
  await c.conference('tenant-room');
  await c.join('tenant-room');
  await c.close();
});

test('without a shard nothing is said about one; the built-in page stays the default', async () => {
  await withServer({ auth: 'none' }, async (s) => {
    const r = await s.get('/xmpp-websocket');
    equal(r.headers['x-jitsi-shard'], undefined);
    equal(r.headers['access-control-allow-origin'], '*');
    match((await s.get('/room')).headers['content-security-policy'], /default-src 'none'/);
    equal((await s.get('/external_api.js')).status, 404);
  });
});

test('the folder may be replaced as an upgrade does', async () => {
  const here = join(temporaryFolder(), 'current');
  const next = makeWebRoot();
  symlinkSync(folder, here);
  await withServer({ auth: 'none', web_root: here }, async (s) => {
    equal((await s.get('/title.html')).body, text(join(folder, 'title.html')));
    writeFileSync(join(next, 'title.html'), '<title>New</title>\n');
    symlinkSync(next, `${here}.new`);
    renameSync(`${here}.new`, here);
    equal((await s.get('/title.html')).body, '<title>New</title>\n');
    match((await s.get('/')).body, /<title>New<\/title>/);
  });
});

await run();
