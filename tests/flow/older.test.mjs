// older.test.mjs - what a client of 2021 does with what it is given: the push before the bind, the address of BOSH and the
// beacon that it sends there, a token in the URL and a shard.
import vm from 'node:vm';
import { equal, lacks, ok, run, same, sleep, test } from '../support/harness.mjs';
import { BareBosh, enterByBosh, post } from '../support/bosh.mjs';
import { Client, enter } from '../support/client.mjs';
import { serverFor, withServer } from '../support/server.mjs';
import { makeWebRoot } from '../support/webroot.mjs';
import { NS } from '../support/xml.mjs';

const EXT = 'urn:xmpp:extdisco:2';
const server = await serverFor({ allow_guests: true, room_create: 'anyone', services_push: true, turn_secret: 'shared with turn',
  ice_servers: ['stun:stun.example:3478', 'turn:turn.example:443?transport=udp', 'turns:turn.example:443?transport=tcp'] });

/** What such a client keeps of a message that comes before it is bound; null: it asks as ever. */
function readPush(message) {
  const [services, query] = [message.get('services'), message.get('query')];
  if (!services && !query) return null;
  const servers = (services?.all('service') ?? []).map(({ attrs: a }) => ({
    urls: `${a.type}:${a.host}${a.port ? `:${a.port}` : ''}${a.transport && a.transport !== 'udp' && a.type !== 'stun' ? `?transport=${a.transport}` : ''}`,
    ...(a.type === 'stun' ? {} : { username: a.username, credential: a.password }),
  }));
  return { servers, bridge: servers.filter((s) => s.urls.startsWith('turn') && s.urls.includes('transport=tcp')),
    identities: (query?.all('identity') ?? []).map((i) => i.attrs), features: (query?.all('feature') ?? []).map((f) => f.attrs.var) };
}

const beforeBind = (c) => c.stanzas.slice(0, c.stanzas.findIndex((e) => e.local === 'iq' && e.get('bind'))).filter((e) => e.local === 'message');

test('the push is all that it asks for, in the one message that it reads', async () => {
  const c = await Client.connect(server);
  const messages = beforeBind(c);
  equal(messages.length, 1, 'messages before the bind');
  const [m] = messages;
  equal(m.attrs.to, c.jid, 'to the address that it is about to get');
  equal(m.attrs.from, server.domain);
  const told = readPush(m);
  // it asks nothing more, so nothing may be missing
  const info = (await c.iq('get', server.domain, `<query xmlns='${NS.info}'/>`)).get('query', NS.info);
  same(told.identities, info.all('identity').map((i) => i.attrs), 'identities');
  same(told.features, info.all('feature').map((f) => f.attrs.var), 'features');
  ok(told.features.includes('urn:xmpp:ping'), 'without it this client never pings', told.features);
  const asked = (await c.iq('get', server.domain, `<services xmlns='${EXT}'/>`)).get('services', EXT).all('service');
  equal(told.servers.length, asked.length, 'servers');
  same(told.servers.map((s) => s.urls), ['stun:stun.example:3478', 'turn:turn.example:443', 'turns:turn.example:443?transport=tcp'], 'as URLs');
  same(told.bridge.map((s) => s.urls), ['turns:turn.example:443?transport=tcp'], 'what it keeps for the bridge');
  for (const s of told.servers.slice(1)) ok(s.username && s.credential, 'credentials', s);
  await c.close();
});

test('by BOSH too, and not where it is off', async () => {
  const c = await enterByBosh(server, 'pushed');
  equal(beforeBind(c).length, 1, 'by BOSH');
  await c.close();
  await withServer({ allow_guests: true, room_create: 'anyone' }, async (s) => {
    const d = await enter(s, 'quiet', null);
    equal(beforeBind(d).length, 0, 'by default');
    await d.close();
  });
});

test('without servers the push has no empty list of them that would count as one', async () => {
  await withServer({ allow_guests: true, services_push: true }, async (s) => {
    const c = await Client.connect(s);
    const told = readPush(beforeBind(c)[0]);
    same(told.servers, []);
    ok(told.identities.length + told.features.length > 0, 'what ends its listening');
    await c.close();
  });
});

/** config.js as a page of this address runs it. */
async function configAt(s, address, tenant = '') {
  const { protocol, host, origin } = new URL(address);
  const page = { location: { protocol, host, origin, hash: '', search: '' }, atob };
  page.window = page;
  vm.runInNewContext((await s.get(`${tenant}/config.js`)).body, page);
  return page.config;
}

/** Where both generations send the beacon of a page that is left. */
const beaconOf = (service) => (service.includes('https://') ? service : `https:${service}`);

test('config.bosh is an address from which the beacon of a page by HTTPS finds its way', async () => {
  const config = await configAt(server, 'https://meet.example:8443/room');
  equal(config.bosh, 'https://meet.example:8443/http-bind');
  equal(new URL(beaconOf(`${config.bosh}?room=a&token=b`), 'https://meet.example:8443/room').href, 'https://meet.example:8443/http-bind?room=a&token=b');
  await withServer({ allow_guests: true, web_root: makeWebRoot() }, async (s) => {
    equal((await configAt(s, 'https://meet.example/acme/room', '/acme')).bosh, 'https://meet.example/acme/http-bind', 'of a tenant');
  });
  // by HTTP that client puts https: before any address, so none works; its stream ends with the inactivity
  equal((await configAt(server, 'http://localhost:8000/room')).bosh, 'http://localhost:8000/http-bind');
  await withServer({ allow_guests: true, bosh: false }, async (s) => lacks((await s.get('/config.js')).body, /bosh/));
});

test('the beacon as it is written: plain text, a presence to nobody, and no answer awaited', async () => {
  const watcher = await enter(server, 'left', null);
  const c = await enterByBosh(server, 'left', { name: 'Gil' });
  const since = watcher.mark();
  await sleep(50); // its poll is held by now
  const b = new BareBosh(server, { rid: c.rid });
  b.sid = c.sid;
  const cut = new AbortController();
  post(server, b.text("<presence xmlns='jabber:client' type='unavailable'/>", { attributes: "type='terminate'" }),
    { query: 'room=left', headers: { 'Content-Type': 'text/plain;charset=UTF-8' }, signal: cut.signal }).catch(() => {});
  await watcher.presenceOf(c.id, { since, where: (p) => p.type === 'unavailable', timeout: 2000 });
  cut.abort();
  c.drop();
  await watcher.close();
});

await run();
