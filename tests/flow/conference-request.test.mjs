// conference-request.test.mjs - conferences asked for by HTTP: the answers of the IQ, before anybody has connected.
import { request } from 'node:http';
import { equal, lacks, match, ok, run, same, test, until } from '../support/harness.mjs';
import { Client, enter } from '../support/client.mjs';
import { Raw } from '../support/hostile.mjs';
import { FAST, a, token as signed, withKeyServer } from '../support/keyserver.mjs';
import { gavel, serverFor, withServer } from '../support/server.mjs';
import { now } from '../support/token.mjs';

const PATH = '/conference-request/v1';
const server = await serverFor({ allow_guests: true, shard: 's7', http_conference_request: true });
const MOD = { id: 'm', name: 'Alice Example', moderator: true };

const ask = (s, body, { token, headers = {}, path = PATH, method = 'POST' } = {}) => new Promise((done, failed) => {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const auth = token ? { authorization: `Bearer ${s.keep(token)}` } : {};
  const r = request({ host: '127.0.0.1', port: s.port, path, method, agent: false, timeout: 8000,
    headers: { 'content-type': 'application/json', ...auth, ...headers } }, (res) => {
    let got = '';
    res.setEncoding('utf8').on('data', (c) => { got += c; });
    res.on('end', () => done({ status: res.statusCode, headers: res.headers, text: got, json: (() => { try { return JSON.parse(got); } catch { return null; } })() }));
  });
  r.on('error', failed).on('timeout', () => r.destroy(new Error('timed out'))).end(text);
});
const room = (s, node) => ({ room: `${node}@${s.muc}`, machineUid: 'b1946ac92492d2347c6235b4d2611184', properties: { rtcstatsEnabled: 'false' } });

test('somebody with a token opens a room before he connects, and joins it', async () => {
  const r = await ask(server, room(server, 'early'), { token: server.token(MOD) });
  equal(r.status, 200, r.text);
  equal(r.json.ready, true);
  equal(r.json.focusJid, `focus@auth.${server.domain}`);
  same(r.json.properties, { authentication: 'true', 'visitors-supported': 'false' });
  match(r.headers['content-type'], /^application\/json/);
  equal(r.headers['access-control-allow-origin'], '*');
  equal(r.headers['x-jitsi-shard'], 's7');
  equal(r.headers['cache-control'], 'no-store');
  const c = await Client.connect(server, { token: server.token(MOD) });
  const me = await c.join('early');
  equal(me.role, 'moderator');
  await c.close();
});

test('a guest waits for a host, and then may', async () => {
  const first = await ask(server, room(server, 'hosted'));
  equal(first.status, 403);
  equal(first.json.error, 'not-authorized');
  const host = await enter(server, 'hosted', MOD);
  const second = await ask(server, room(server, 'hosted'));
  equal(second.status, 200);
  equal(second.json.ready, true);
  await host.close();
});

test('the answer is that of the IQ, for every kind of asker', async () => {
  const kinds = { mod: MOD, member: { id: 'b', name: 'Ben', moderator: 'false' }, guest: null };
  for (const [kind, user] of Object.entries(kinds)) {
    const byHttp = await ask(server, room(server, `http-${kind}`), { token: user ? server.token(user) : undefined });
    const c = await Client.connect(server, user ? { token: server.token(user) } : {});
    const byIq = await c.conference(`iq-${kind}`).then(() => 200, (e) => (e.condition === 'not-authorized' ? 403 : 400));
    equal(byHttp.status, byIq, kind);
    await c.close();
  }
});

test('a token that is not good is refused with its reason, and not written down', async () => {
  const exp = now() - 3600;
  for (const [token, text] of [[server.token(MOD, { exp }), /expired|Not acceptable/i], [server.token(MOD, {}, { key: 'f'.repeat(64) }), /signature/i], ['garbage', /./],
    [server.token(MOD, { iss: 'stranger' }), /issuer|iss/i]]) {
    const mark = server.mark();
    const r = await ask(server, room(server, 'never'), { token });
    equal(r.status, 403, r.text);
    match(r.json.text, text);
    match(await server.logged(/event=refuse stage=conference/, { since: mark }), /reason=E_\w+ .*room="?never@/);
  }
  const two = await ask(server, room(server, 'never'), { token: server.token(MOD), path: `${PATH}?token=${server.token({ id: 'o', name: 'Other' })}` });
  equal(two.status, 403);
  equal((await ask(server, room(server, 'by-query'), { path: `${PATH}?room=by-query&token=${server.token(MOD)}` })).status, 200, 'a token in the query');
  equal((await ask(server, room(server, 'other'), { token: server.token(MOD, { room: 'mine' }) })).status, 200, 'a token for another room: the join says no');
  const c = await Client.connect(server, { token: server.token(MOD, { room: 'mine' }) });
  await c.join('other').then(() => ok(false, 'joined with a token of another room'), (e) => equal(e.condition, 'not-allowed'));
  await c.close();
});

test('what is no request is refused with 400, and no room comes of it', async () => {
  const bodies = ['', '{', '[]', '"x"', '{}', '{"room":1}', '{"room":""}', '{"room":"nobody"}', `{"room":"@${server.muc}"}`, `{"room":"a@elsewhere.example"}`,
    `{"room":"a@${server.muc}/b"}`, `{"room":"a@${server.muc}","room":"b@${server.muc}"}`, `{"room":"${'a'.repeat(4000)}@${server.muc}"}`,
    `{"room":"a b@${server.muc}"}`, `{"room":"a\\u0000@${server.muc}"}`, '{"a":'.repeat(20) + '1' + '}'.repeat(20)];
  for (const body of bodies) {
    const r = await ask(server, body, { token: server.token(MOD) });
    equal(r.status, 400, `${body.slice(0, 80)}: ${r.text}`);
    ok(r.json.error, 'a reason');
  }
  equal((await ask(server, `{"room":"x@${server.muc}","pad":"${'x'.repeat(20000)}"}`)).status, 413);
});

test('methods, other origins and tenants', async () => {
  const options = await ask(server, '', { method: 'OPTIONS', headers: { origin: 'https://x.example', 'access-control-request-headers': 'authorization,content-type' } });
  equal(options.status, 200);
  equal(options.headers['access-control-allow-origin'], '*');
  match(options.headers['access-control-allow-methods'], /POST/);
  match(options.headers['access-control-allow-headers'], /Authorization/i);
  const get = await server.get(PATH);
  equal(get.status, 405);
  match(get.headers.allow, /POST/);
  equal((await ask(server, room(server, 'tenanted'), { token: server.token(MOD), path: `/acme${PATH}` })).status, 200);
  match((await server.get('/config.js')).body, /config\.conferenceRequestUrl = base \+ '\/conference-request\/v1';/);
});

test('chunks, pieces and many on one connection', async () => {
  const r = await Raw.open(server);
  const body = JSON.stringify(room(server, 'chunked'));
  const token = server.token(MOD);
  const head = `POST ${PATH} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\n`;
  r.write(`${head}Transfer-Encoding: chunked\r\n\r\n${[...body].map((c) => `1\r\n${c}\r\n`).join('')}0\r\n\r\n`);
  r.write(`${head}Content-Length: ${body.length}\r\n\r\n${body.slice(0, 10)}`);
  await until(() => r.received.toString('latin1').includes('"ready":true'), { what: 'the first answer' });
  r.write(`${body.slice(10)}GET /about/health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
  await r.waitEnd();
  const all = r.received.toString('latin1');
  equal(all.match(/"ready":true/g).length, 2);
  ok(all.lastIndexOf('"ready":true') < all.indexOf('"status":"ok"'), 'in order');
});

test('rooms and requests of one address are bounded, from elsewhere than this host', async () => {
  await withServer({ allow_guests: true, trusted_proxies: ['127.0.0.1'], conference_requests_per_minute: 20, rooms_per_address: 5 }, async (s) => {
    const from = { 'x-forwarded-for': '203.0.113.7' };
    const seen = [];
    for (let i = 0; i < 30; i++) seen.push((await ask(s, room(s, `r${i}`), { token: s.token(MOD), headers: from })).status);
    same(seen.slice(0, 5), [200, 200, 200, 200, 200], 'the first rooms');
    same([...new Set(seen.slice(5, 20))], [503], 'more rooms than an address may open');
    same([...new Set(seen.slice(21))], [429], 'more requests than an address may make');
    equal((await ask(s, room(s, 'other'), { token: s.token(MOD), headers: { 'x-forwarded-for': '203.0.113.8' } })).status, 200, 'another address');
    const six = [];
    for (let i = 0; i < 7; i++) six.push((await ask(s, room(s, `six${i}`), { token: s.token(MOD), headers: { 'x-forwarded-for': `2001:db8::${i + 1}` } })).status);
    same(six, [200, 200, 200, 200, 200, 503, 503], 'a household of IPv6 is one address');
    const r = gavel(['explain', '--config', s.file, '--live', '--counters', '--json']);
    ok(JSON.parse(r.out).result.limit_conference_requests > 0, 'it is counted');
  });
});

test('without logins everybody may', async () => {
  await withServer({ auth: 'none' }, async (s) => {
    const r = await ask(s, room(s, 'free'), { headers: { authorization: 'Basic eDp5' } });
    equal(r.status, 200, r.text);
    equal(r.json.properties.authentication, 'false');
    const c = await Client.connect(s);
    equal((await c.join('free')).role, 'moderator');
    await c.close();
    lacks((await s.get('/config.js')).body, /conferenceRequestUrl/);
  });
});

test('a request whose key is fetched waits for it, and nothing else does', () => withKeyServer((k) => withServer(
  { key_source: 'keyserver', key_server: `${k.url}/keys`, key_timeout: 3, ...FAST }, async (s) => {
    let release;
    k.set(k.path('slow', '/keys'), (req, res) => { release = () => res.end(a.pem); });
    k.set(k.path('never', '/keys'), () => {});
    const waiting = Array.from({ length: 5 }, (_, i) => ask(s, room(s, `slow${i}`), { token: signed(s, 'slow') }));
    await until(() => release, { what: 'the key server is asked' });
    equal((await s.get('/about/health')).status, 200, 'meanwhile');
    equal(k.asked(), 1, 'requests to the key server');
    release();
    for (const r of await Promise.all(waiting)) equal(r.status, 200, r.text);
    const gone = request({ host: '127.0.0.1', port: s.port, path: PATH, method: 'POST', headers: { authorization: `Bearer ${signed(s, 'never')}` } });
    gone.on('error', () => {});
    gone.end(JSON.stringify(room(s, 'gone')));
    const began = Date.now();
    const late = ask(s, room(s, 'late'), { token: signed(s, 'never') });
    await until(() => k.asked() === 2, { what: 'the key that never comes' });
    gone.destroy();
    const r = await late;
    equal(r.status, 403, r.text);
    ok(Date.now() - began < 5000, 'it is refused in time');
    // and the end does not wait for those who still do
    k.set(k.path('last', '/keys'), () => {});
    const last = ask(s, room(s, 'last'), { token: signed(s, 'last') }).catch(() => null);
    await until(() => k.asked() === 3, { what: 'one more waits' });
    s.child.kill('SIGTERM');
    await last;
  })), { timeout: 30000 });

await run();
