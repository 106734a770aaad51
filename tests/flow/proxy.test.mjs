// proxy.test.mjs - behind a reverse proxy: for whom it speaks when it is trusted, what strangers make up, limits by the
// client's own address; and a real nginx that ends TLS and hands WebSockets on.
import { equal, lacks, match, ok, rejects, run, same, test } from '../support/harness.mjs';
import { Client, enter, settleAll } from '../support/client.mjs';
import { gavel, temporaryFolder, withServer } from '../support/server.mjs';
import { getHttps, makeCertificate } from '../support/certificates.mjs';
import { Nginx } from '../support/nginx.mjs';

const MOD = { id: 'm', name: 'Mona', moderator: true };
const PAT = { id: 'p', name: 'Pat' };
const PROXY = '127.0.0.2'; // in these tests: 127.0.0.1 is a stranger
const from = (localAddress, headers = {}) => ({ socket: { localAddress }, headers });
const counters = (s) => JSON.parse(gavel(['explain', '--live', '--counters', '--json', '--state', s.state]).out).result;

/** What the server took for the client's address: the log line of a login says it. */
async function peerOf(s, options) {
  const since = s.mark();
  const c = await Client.connect(s, { token: s.token(PAT), ...options });
  const line = await s.logged(/event=session-bind /, { since });
  await c.close();
  return /peer=(\S+)/.exec(line)[1];
}

test('headers of strangers mean nothing; those of a trusted proxy say who comes', () => withServer({
  log_level: 'debug', trusted_proxies: [PROXY, '10.0.0.0/8'],
}, async (s) => {
  for (const [local, headers, want] of [
    ['127.0.0.1', { 'X-Forwarded-For': '198.51.100.9' }, '127.0.0.1'],
    ['127.0.0.1', { 'X-Real-IP': '198.51.100.9', Forwarded: 'for=198.51.100.9' }, '127.0.0.1'],
    [PROXY, {}, PROXY],
    [PROXY, { 'X-Forwarded-For': '192.0.2.1' }, '192.0.2.1'],
    [PROXY, { 'X-Forwarded-For': '6.6.6.6, 192.0.2.1, 10.9.9.9' }, '192.0.2.1'],
    [PROXY, { 'X-Forwarded-For': ['6.6.6.6', '2001:DB8::1, 10.0.0.1'] }, '2001:db8::1'],
    [PROXY, { 'X-Forwarded-For': '6.6.6.6, unknown' }, PROXY],
    [PROXY, { 'X-Forwarded-For': '6.6.6.6, \'"><script>, 10.0.0.3' }, '10.0.0.3'],
    [PROXY, { 'X-Forwarded-For': `${'1.1.1.1, '.repeat(300)}192.0.2.2` }, '192.0.2.2'],
    [PROXY, { 'X-Real-IP': '192.0.2.3' }, '192.0.2.3'],
  ]) equal(await peerOf(s, from(local, headers)), want, `${local} ${JSON.stringify(headers).slice(0, 80)}`);
}), { timeout: 40000 });

test('limits per address count the forwarded address, not the proxy', () => withServer({
  trusted_proxies: [PROXY], connections_per_address: 2,
}, async (s) => {
  const by = (address, i = 0) => Client.connect(s, { token: s.token(PAT), room: `r${i}`, ...from(PROXY, { 'X-Forwarded-For': address }) });
  const mine = [await by('192.0.2.1', 0), await by('192.0.2.1', 1)];
  match((await rejects(by('192.0.2.1', 2))).message, /429/, 'a third one');
  match((await rejects(by('::ffff:192.0.2.1', 3))).message, /429/, 'written in another way');
  const others = [await by('192.0.2.2', 4), await by('2001:db8:1:2::3', 5), await by('2001:db8:1:2::4', 6)];
  match((await rejects(by('2001:db8:1:2:3::9', 7))).message, /429/, 'one household of IPv6');
  await mine[0].close();
  for (let i = 0; ; i += 1) {
    const again = await by('192.0.2.1', 8).catch(() => null);
    if (again) { others.push(again); break; }
    ok(i < 50, 'the place of one that left is free');
  }
  // the proxy itself, and whoever comes from loopback without it, is not counted
  for (let i = 0; i < 5; i += 1) others.push(await Client.connect(s, { token: s.token(PAT), socket: { localAddress: PROXY } }));
  ok(counters(s).limit_connections_per_address >= 3, 'counted', counters(s));
  await Promise.all([mine[1], ...others].map((c) => c.close()));
}), { timeout: 30000 });

test('nginx ends TLS in front: WebSockets, pages, addresses', () => withServer({
  log_level: 'debug', trusted_proxies: ['127.0.0.1'],
}, async (s) => {
  const pair = makeCertificate(temporaryFolder(), 'front.example');
  const nginx = await Nginx.start(pair, s.port);
  try {
    const tls = { port: nginx.port, tls: { ca: [pair.pem], servername: 'front.example' } };
    const a = await enter(s, 'front', MOD, { connect: { ...tls, room: 'front' } });
    const b = await enter(s, 'front', PAT, { connect: { ...tls, room: 'front' } });
    equal(a.self.affiliation, 'owner', 'the moderator');
    const text = 'x'.repeat(100000);
    const since = b.mark();
    a.send(`<message xmlns='jabber:client' to='front@${s.muc}' type='groupchat'><body>${text}</body></message>`);
    await b.heard(text, { since });
    await settleAll(a, b);
    equal(await peerOf(s, { ...tls, ...from('127.0.0.3') }), '127.0.0.3', 'the client as nginx saw it');
    equal(await peerOf(s, { ...tls, ...from('127.0.0.3', { 'X-Forwarded-For': '6.6.6.6' }) }), '127.0.0.3', 'whatever it says of itself');
    for (const path of ['/', '/page.js', '/config.js']) {
      same((await getHttps(nginx.port, path)).body, (await s.get(path)).body, path);
    }
    equal((await getHttps(nginx.port, '/xmpp-websocket')).status, 200, 'keep-alive');
    lacks(s.log, /6\.6\.6\.6/, 'the log');
    await Promise.all([a, b].map((x) => x.close()));
  } finally {
    await nginx.stop();
  }
}), { timeout: 40000 });

await run();
