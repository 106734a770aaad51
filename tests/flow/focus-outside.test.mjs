// focus-outside.test.mjs - focus=external: a client logged in as the focus opens rooms, answers for them, and moderates
// nobody.
import { equal, match, ok, rejects, run, same, sleep, test, until } from '../support/harness.mjs';
import { Client, enter, settleAll } from '../support/client.mjs';
import { OutsideFocus } from '../support/focus.mjs';
import { freePort, gavel, serverFor, withServer } from '../support/server.mjs';
import { NS } from '../support/xml.mjs';

const PASSWORD = 'a password of the focus';
const outside = async (more = {}) => ({ focus: 'external', allow_guests: true, room_create: 'anyone', xmpp_port: await freePort(),
  accounts: [{ jid: 'focus', password: PASSWORD, kind: 'focus' }], resume_service_timeout: 0, room_ready_timeout: 5, ...more });
const server = await serverFor(await outside());
const MOD = { id: 'm', name: 'Alice Example', moderator: true };
const start = (s = server, more = {}) => OutsideFocus.start(s, { password: PASSWORD, ...more });
const live = (what, s = server) => gavel(['explain', '--config', s.file, '--live', what]).out;
const mute = (c, node, id) => c.request('set', `${c.room(node)}/focus`,
  `<mute xmlns='http://jitsi.org/jitmeet/audio' jid='${c.room(node)}/${id}'>true</mute>`);

test('without a focus a request is answered: ask again', async () => {
  const c = await Client.connect(server);
  const answer = await c.conference('nofocus');
  equal(answer.attrs.ready, 'false', 'ready');
  const e = await rejects(c.join('elsewhere'));
  equal(e.condition, 'not-allowed', 'a join of a room that nobody opened');
  match(e.text, /^Room creation is restricted$/, 'its text');
  await c.close();
});

test('a wrong password is no focus', async () => {
  const f = await start(server, { password: 'wrong', expect: false });
  equal(f.jid, null, 'its JID');
  await f.crash();
});

test('requests go to the focus with the address of the client in them, and its answer comes back', async () => {
  const f = await start();
  const c = await Client.connect(server);
  const answer = await c.conference('ask', { child: "<property name='startAudioMuted' value='10'/>" });
  const asked = await f.hears('asked');
  equal(asked.from, `focus.${server.domain}/${c.jid}`, 'who asks, to the focus');
  equal(asked.asked.room, c.room('ask'), 'the room');
  same(asked.properties, { startAudioMuted: '10' }, 'the properties');
  equal(answer.attrs.ready, 'true', 'ready');
  equal(answer.attrs.focusjid, `focus@auth.${server.domain}`, 'focusjid');
  const entered = await f.hears('entered');
  ok(/^[0-9a-f-]{36}$/.test(entered.meeting), 'the form names the meeting', entered);
  ok(f.said.find((s) => s.self)?.codes.includes('201'), 'the focus has opened the room', f.said);
  const self = await c.join('ask');
  equal(self.role, 'participant', 'the role of a guest');
  const first = c.presences({ node: 'ask' })[0];
  equal(first.id, 'focus', 'who is first in the list');
  equal(first.jid, f.jid, 'its real JID');
  await until(async () => f.said.length && (await f.order('look')).seen[`${c.room('ask')}/${c.id}`], { what: 'the focus to see the guest' });
  const url = await c.iq('get', server.focus, `<login-url xmlns='${NS.focus}' room='${c.room('ask')}' machine-uid='u'/>`);
  equal(url.get('login-url', NS.focus).attrs.url, 'https%3A%2F%2Flogin.example%2F', 'a login-url');
  const since = c.mark();
  await f.order('publish', { room: c.room('ask'), bridges: '5' });
  await c.waitFor((e) => e.local === 'presence' && e.get('conference-properties')?.get('property')?.attrs.value === '5',
    { since, what: 'the properties of the focus' });
  await c.close();
  await f.crash();
});

test('it promotes nobody, by whatever it writes, and explain shows what it wrote', async () => {
  const f = await start();
  const alice = await enter(server, 'power', MOD);
  const bob = await enter(server, 'power', null, { name: 'Bob' });
  const room = alice.room('power');
  await settleAll(alice, bob);
  const before = [alice.mark(), bob.mark()];
  const said = await f.order('promote', { room, nick: bob.id, jid: bob.jid, mod: alice.id });
  const refused = Object.entries(said).filter(([, how]) => how !== 'result');
  same(refused, [['its account', 'not-allowed']], 'what was answered with an error');
  await settleAll(alice, bob);
  for (const [c, at] of [[alice, before[0]], [bob, before[1]]]) {
    const people = c.presences({ since: at, node: 'power' }).filter((p) => p.id !== 'focus');
    same(people, [], 'presences of people since then');
  }
  const late = await enter(server, 'power', null);
  const seen = Object.fromEntries(late.presences({ node: 'power' }).map((p) => [p.id, `${p.affiliation} ${p.role}`]));
  same(seen, { focus: 'owner moderator', [alice.id]: 'owner moderator', [bob.id]: 'none participant', [late.id]: 'none participant' }, 'who is what on the wire');
  const shown = live(`power/${bob.id}`);
  match(shown, /now +none \/ participant/, 'what explain says he is');
  match(shown, /set owner +none \/ participant +R_SERVICE .*by focus, which changed nothing/, 'what explain says was written');
  match(shown, /set admins +none \/ participant +R_SERVICE .*by focus, which changed nothing/, 'what a form wrote');
  match(live(`power/${alice.id}`), /set none +owner \/ moderator +R_SERVICE .*by focus, which changed nothing/, 'what it wrote about the moderator');
  for (const c of [bob, late]) {
    const e = await rejects(c.admin('power', `<item nick='${alice.id}' role='none'/>`));
    equal(e.condition, 'forbidden', 'what a guest may');
  }
  equal(server.log.split('\n').filter((l) => / event=(grant|revoke|role) /.test(l) && / room=power /.test(` ${l} `)).length, 0, 'role changes in the log');
  // it kicks, as its protocol needs
  const since = late.mark();
  equal(await f.order('kick', { room, nick: late.id }), 'result', 'a kick');
  ok((await late.presenceOf(late.id, { since, where: (p) => p.type === 'unavailable' })).codes.includes('307'), 'code 307');
  await Promise.all([alice.close(), bob.close(), late.close()]);
  await f.crash();
});

test('a moderator mutes by way of the focus, a guest does not', async () => {
  const f = await start();
  const alice = await enter(server, 'mute', MOD);
  const bob = await enter(server, 'mute', null);
  const no = await mute(bob, 'mute', alice.id);
  equal(no.attrs.type, 'error', 'the answer to a guest');
  const since = bob.mark();
  const yes = await mute(alice, 'mute', bob.id);
  equal(yes.attrs.type, 'result', 'the answer to the moderator');
  equal(yes.attrs.from, `${alice.room('mute')}/focus`, 'from whom');
  const order = await bob.waitFor((e) => e.local === 'iq' && e.get('mute'), { since, what: 'the order to mute' });
  equal(order.attrs.from, `${bob.room('mute')}/focus`, 'from whom it comes');
  equal(f.said.filter((s) => s.mute).length, 1, 'orders that the focus was given');
  equal((await f.hears('mute')).role, 'moderator', 'the role it had seen');
  const jingle = await bob.request('set', `${bob.room('mute')}/focus`, "<jingle xmlns='urn:xmpp:jingle:1' action='session-info' sid='s'/>");
  equal(jingle.attrs.type, 'result', 'Jingle to the focus');
  await Promise.all([alice.close(), bob.close()]);
  await f.crash();
});

test('it ends a meeting, and leaves one that is over', async () => {
  const f = await start();
  const a = await enter(server, 'end', MOD);
  const room = a.room('end');
  const since = a.mark();
  equal(await f.order('end', { room }), 'result', 'the order to end');
  const gone = await a.waitFor((e) => e.local === 'presence' && e.attrs.type === 'unavailable' && e.attrs.from === `${room}/${a.id}`, { since });
  ok(gone.get('x', NS.user)?.get('destroy'), 'the room was destroyed');
  const b = await enter(server, 'over', MOD);
  await b.leave('over');
  equal(await f.order('leave', { room: b.room('over') }), 'unavailable', 'its own leave');
  equal(JSON.parse(gavel(['explain', '--config', server.file, '--live', '--rooms', '--json']).out).length ?? 0, 0, 'rooms left');
  await Promise.all([a.close(), b.close()]);
  await f.crash();
});

test('when it is gone the meeting goes on, and the next one comes in', async () => {
  const first = await start();
  const a = await enter(server, 'crash', MOD);
  const b = await enter(server, 'crash', null);
  let since = b.mark();
  await first.crash();
  await b.presenceOf('focus', { since, where: (p) => p.type === 'unavailable' });
  a.say('crash', 'still here');
  await b.heard('still here', { since });
  equal((await b.conference('crash')).attrs.ready, 'false', 'ready, meanwhile');
  const second = await start(server, { resource: 'g' });
  since = b.mark();
  equal((await b.conference('crash')).attrs.ready, 'true', 'ready again');
  equal((await b.presenceOf('focus', { since })).jid, second.jid, 'the focus that is in now');
  match(live(`crash/${a.id}`), /now +owner \/ moderator/, 'the moderator is one still');
  await Promise.all([a.close(), b.close()]);
  await second.crash();
});

test('who joins before the focus waits for it; who waits in vain is told', async () => {
  const f = await start();
  await f.order('silence', { on: true });
  const [a, b] = [await Client.connect(server), await Client.connect(server)];
  a.conference('park').catch(() => {});
  await sleep(100);
  const joined = [a.join('park', { name: 'A' }), b.join('park', { name: 'B' })];
  await sleep(150);
  equal(a.presences({ node: 'park' }).length + b.presences({ node: 'park' }).length, 0, 'presences meanwhile');
  await f.order('enter', { room: a.room('park') });
  await Promise.all(joined);
  for (const c of [a, b]) equal(c.presences({ node: 'park' })[0].id, 'focus', 'who is first in the list');
  const c = await Client.connect(server);
  c.conference('vain').catch(() => {});
  await sleep(100);
  const e = await rejects(c.join('vain', { timeout: 9000 }));
  equal(e.condition, 'not-allowed', 'the answer after a while');
  await Promise.all([a.close(), b.close(), c.close()]);
  await f.crash();
});

test('guests wait for a host: the focus is not even asked, until the host comes', async () => {
  await withServer(await outside({ room_create: 'authenticated' }), async (s) => {
    const f = await start(s);
    const guest = await Client.connect(s);
    for (let i = 0; i < 3; i += 1) {
      const e = await rejects(guest.conference('host'));
      equal(e.condition, 'not-authorized', 'the answer before the host');
    }
    equal(f.said.filter((x) => x.asked).length, 0, 'requests that the focus saw');
    const host = await enter(s, 'host', MOD);
    equal((await guest.enter('host')).role, 'participant', 'the guest, then');
    equal(f.said.filter((x) => x.asked).length, 2, 'requests that the focus saw then');
    await Promise.all([guest.close(), host.close()]);
    await f.crash();
  });
});

test('a locked room with a focus outside: wrong and right passwords', async () => {
  const f = await start();
  const a = await enter(server, 'locked', MOD);
  await a.configure('locked', { 'muc#roomconfig_roomsecret': 'pw' });
  const b = await Client.connect(server);
  equal((await b.conference('locked')).attrs.ready, 'true', 'ready');
  equal((await rejects(b.join('locked'))).condition, 'not-authorized', 'without a password');
  equal((await rejects(b.join('locked', { password: 'no' }))).condition, 'not-authorized', 'with a wrong one');
  equal((await b.join('locked', { password: 'pw' })).role, 'participant', 'with the right one');
  await Promise.all([a.close(), b.close()]);
  await f.crash();
});

test('people do not become the focus by calling themselves so', async () => {
  const f = await start();
  const a = await enter(server, 'spoof', null);
  const b = await Client.connect(server, { token: server.token({ id: 'focus', name: 'focus' }) });
  equal((await b.conference('spoof')).attrs.ready, 'true', 'ready');
  equal((await rejects(b.join('spoof', { id: 'focus' }))).condition, 'conflict', 'the nick focus');
  await b.join('spoof');
  const e = await rejects(b.admin('spoof', `<item affiliation='owner' jid='${b.jid}'/>`));
  equal(e.condition, 'forbidden', 'what it may');
  // answers in the focus's stead
  const asked = f.said.findLast((x) => x.asked);
  b.send(`<iq xmlns='jabber:client' type='result' id='${asked.id}' to='focus.${server.domain}/${a.jid}'><conference xmlns='${NS.focus}' ready='true'/></iq>`);
  await settleAll(a, b);
  await Promise.all([a.close(), b.close()]);
  await f.crash();
});

await run();
