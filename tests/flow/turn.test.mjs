// turn.test.mjs - STUN and TURN servers told to clients (XEP-0215), their credentials tried at a real coturn.
import { createHmac } from 'node:crypto';
import { equal, lacks, match, ok, run, same, sleep, test } from '../support/harness.mjs';
import { Client, enter } from '../support/client.mjs';
import { Coturn } from '../support/coturn.mjs';
import { gavel, serverFor, withServer } from '../support/server.mjs';
import { now } from '../support/token.mjs';

const EXT = 'urn:xmpp:extdisco:2';
const SECRET = 'the north is shared with turn';
const turn = await Coturn.start(SECRET);
const ICE = [`stun:127.0.0.1:${turn.port}`, `turn:127.0.0.1:${turn.port}?transport=udp`, `turn:127.0.0.1:${turn.port}?transport=tcp`];
const server = await serverFor({ allow_guests: true, ice_servers: ICE, turn_secret: SECRET, turn_ttl: 600 });

const ask = async (c, type) => (await c.iq('get', server.domain, `<services xmlns='${EXT}'${type ? ` type='${type}'` : ''}/>`))
  .get('services', EXT).all('service').map((s) => s.attrs);
const password = (user, secret = SECRET) => createHmac('sha1', secret).update(user).digest('base64');

test('each server is named, TURN with a user that runs out and a password', async () => {
  const c = await Client.connect(server, { token: server.token() });
  const services = await ask(c);
  same(services.map((s) => [s.type, s.host, s.port, s.transport ?? null]), [['stun', '127.0.0.1', String(turn.port), 'udp'],
    ['turn', '127.0.0.1', String(turn.port), 'udp'], ['turn', '127.0.0.1', String(turn.port), 'tcp']]);
  equal(services[0].password, undefined, 'STUN needs none');
  for (const s of services.slice(1)) {
    const end = Number(s.username.split(':')[0]);
    ok(end > now() + 590 && end <= now() + 601, 'the end of the password', s.username);
    equal(s.password, password(s.username));
  }
  same((await ask(c, 'stun')).map((s) => s.type), ['stun']);
  await c.close();
});

test('coturn relays for who has them, over UDP and TCP', async () => {
  const c = await Client.connect(server, {});
  const s = (await ask(c, 'turn'))[0];
  const udp = turn.relays(s);
  ok(udp.ok, udp.out);
  const tcp = turn.relays(s, { tcp: true });
  ok(tcp.ok, tcp.out);
  await c.close();
}, { timeout: 60000 });

test('nor for who changed them, nor for who made his own', async () => {
  const c = await Client.connect(server, {});
  const { username, password: right } = (await ask(c, 'turn'))[0];
  const later = String(Number(username) + 3600);
  for (const [what, bad] of Object.entries({ 'another password': { username, password: `${right[0] === 'A' ? 'B' : 'A'}${right.slice(1)}` },
    'a later end': { username: later, password: right }, 'another secret': { username, password: password(username, 'south') } })) {
    const r = turn.relays(bad);
    ok(!r.ok, what, r.out);
  }
  await c.close();
}, { timeout: 60000 });

test('nor when the password has run out', async () => {
  await withServer({ allow_guests: true, ice_servers: ICE, turn_secret: SECRET, turn_ttl: 60 }, async (s) => {
    const c = await Client.connect(s, {});
    const services = (await c.iq('get', s.domain, `<services xmlns='${EXT}' type='turn'/>`)).get('services', EXT).all('service');
    const left = Number(services[0].attrs.username) - now();
    ok(left > 50 && left <= 61, `${left} s`);
    await c.close();
  });
  const past = String(now() - 2); // made as ours are, but over
  const r = turn.relays({ username: past, password: password(past) });
  ok(!r.ok, r.out);
}, { timeout: 60000 });

test('the push before the bind carries them too', async () => {
  await withServer({ allow_guests: true, ice_servers: ICE, turn_secret: SECRET, services_push: true }, async (s) => {
    const c = await Client.connect(s, {});
    const pushed = c.stanzas.find((e) => /extdisco/.test(e.raw) && /password/.test(e.raw));
    ok(pushed, 'a stanza with the services', c.stanzas.map((e) => e.raw));
    const bound = c.stanzas.findIndex((e) => e.local === 'iq' && e.get('bind'));
    ok(c.stanzas.indexOf(pushed) < bound, 'before the bind');
    await c.close();
  });
});

test('people in a meeting get them anew whenever they ask', async () => {
  const c = await enter(server, 'turning', { id: 'a', name: 'Alice Example' });
  const first = (await ask(c, 'turn'))[0];
  await sleep(1100);
  const second = (await ask(c, 'turn'))[0];
  ok(Number(second.username) > Number(first.username), 'a later end');
  await c.close();
});

test('config.js tells older clients to ask', async () => {
  const text = (await server.get('/config.js')).body;
  const config = new Function('window', `${text}; return config;`)({});
  equal(config.useStunTurn, true);
  equal(config.p2p.useStunTurn, true);
  await withServer({ allow_guests: true }, async (s) => lacks((await s.get('/config.js')).body, /useStunTurn/));
});

test('nobody is shown the secret', async () => {
  const check = gavel(['check', '--config', server.file]);
  equal(check.code, 0);
  match(check.out, /turn_secret +\(hidden\)/);
  const all = [check.out, check.err, server.log, (await server.get('/config.js')).body];
  for (const args of [['explain', '--config', server.file, '--room', 'x', '--guest'], ['explain', '--live', '--counters', '--config', server.file],
    ['check', '--config', server.file, '--json']]) {
    const r = gavel(args);
    all.push(r.out, r.err);
  }
  for (const text of all) ok(!text.includes(SECRET), 'the secret', text);
});

await run();
