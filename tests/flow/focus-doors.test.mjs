// focus-doors.test.mjs - a focus outside that comes by WebSocket and resumes; tenants, logins, refusals, older clients, HTTP.
import { equal, match, ok, rejects, run, same, test, until } from '../support/harness.mjs';
import { Client, enter, settleAll } from '../support/client.mjs';
import { Resumer } from '../support/resume.mjs';
import { gavel, serverFor, withServer } from '../support/server.mjs';
import { prove } from '../support/service.mjs';
import { NS } from '../support/xml.mjs';

const PASSWORD = 'a password of the focus';
const outside = (more = {}) => ({ focus: 'external', allow_guests: true, room_create: 'anyone', shard: 's7',
  accounts: [{ jid: 'focus', password: PASSWORD, kind: 'focus' }], resume_service_timeout: 20, log_lines_per_second: 10000, ...more });
const server = await serverFor(outside());
const MOD = { id: 'm', name: 'Alice Example', moderator: true };
const auth = `auth.${server.domain}`;
const live = (what) => gavel(['explain', '--config', server.file, '--live', what]).out;

/** The focus by WebSocket, with stream management. `replies`: what it says to a request instead of coming in. */
class WebFocus extends Resumer {
  static async start(s) {
    const f = await WebFocus.open(s, {});
    Object.assign(f, { asked: [], replies: [] });
    await f.hello(auth);
    await prove(f, { user: 'focus', password: PASSWORD });
    await f.hello(auth);
    f.jid = (await f.iq('set', null, `<bind xmlns='${NS.bind}'><resource>f</resource></bind>`)).path('bind', 'jid').text;
    await f.enable();
    return f;
  }

  static async open(s, options) {
    const plain = await Client.open(s, options);
    const f = new WebFocus(s, options);
    s.clients?.delete(plain);
    f.take(plain.ws);
    f.open_options = options;
    return f;
  }

  /** A new socket, and the password once more; not yet resumed. */
  async again() {
    const next = await Client.open(this.server, { query: { previd: this.smId } });
    await next.hello(auth);
    await prove(next, { user: 'focus', password: PASSWORD });
    await next.hello(auth);
    return next;
  }

  receive(text, binary) {
    const before = this.stanzas.length;
    super.receive(text, binary);
    const el = this.stanzas[before];
    if (el?.local === 'iq' && /^(get|set)$/.test(el.attrs.type) && el.attrs.from?.startsWith('focus.')) this.onAsked(el);
  }

  onAsked(iq) {
    this.asked.push(iq);
    const reply = this.replies.shift();
    const back = (type, inner) => this.send(`<iq xmlns='jabber:client' type='${type}' id='${iq.attrs.id}' to='${iq.attrs.from}'>${inner}</iq>`);
    if (reply) { back(...reply); return; }
    const room = iq.get('conference', NS.focus).attrs.room;
    this.come(room).then(() => back('result', `<conference xmlns='${NS.focus}' room='${room}' ready='true' focusjid='focus@${auth}'/>`));
  }

  async come(room) {
    const since = this.mark();
    this.send(`<presence xmlns='jabber:client' to='${room}/focus'><x xmlns='${NS.muc}'/></presence>`);
    const self = await this.waitFor((e) => e.local === 'presence' && e.attrs.from === `${room}/focus`, { since, what: 'its own presence' });
    equal(self.attrs.type, undefined, 'the focus comes in');
  }

  write(room, item) { return this.iq('set', room, `<query xmlns='${NS.admin}'>${item}</query>`); }
}

const focusIq = (c, type, child) => c.request(type, server.focus, child);
const conferenceIq = (c, node, more = '', attributes = '') => c.request('set', server.focus,
  `<conference xmlns='${NS.focus}' room='${c.room(node)}' machine-uid='u'${attributes}>${more}</conference>`);

test('by WebSocket it opens rooms, and what it writes changes nothing, in a room of a tenant too', async () => {
  const f = await WebFocus.start(server);
  for (const [tenant, node] of [[undefined, 'web'], ['acme', 'web']]) {
    const at = f.asked.length;
    const claims = { sub: tenant ?? server.domain };
    const alice = await enter(server, node, MOD, { claims, connect: { tenant } });
    const guest = await enter(server, node, null, { name: 'Gus', connect: { tenant } });
    const room = alice.room(node);
    equal(f.asked[at].get('conference').attrs.room, room, 'the room that the focus is asked for');
    equal(guest.presences({ node })[0].id, 'focus', 'who is first in the list');
    equal(guest.presences({ node, id: 'focus' })[0].jid, f.jid, 'its address');
    await settleAll(alice, guest);
    const [since, mark] = [guest.mark(), server.mark()];
    await f.write(room, `<item affiliation='owner' jid='${guest.jid.split('/')[0]}'/>`);
    await f.write(room, `<item role='moderator' nick='${guest.id}'/>`);
    await f.write(room, `<item affiliation='none' jid='${alice.jid.split('/')[0]}'/>`);
    await settleAll(alice, guest);
    same(guest.presences({ since, node }), [], 'presences since then');
    const name = tenant ? `[${tenant}]${node}` : node;
    match(live(`${name}/${guest.id}`), /now +none \/ participant[\s\S]*set owner +none \/ participant +R_SERVICE .*by focus, which changed nothing/, 'the guest');
    match(live(`${name}/${alice.id}`), /set none +owner \/ moderator +R_SERVICE .*by focus, which changed nothing/, 'the moderator');
    ok(server.lines(mark).filter((l) => /event=written by=focus/.test(l) && l.includes(name)).length >= 3, 'lines in the log');
    await Promise.all([alice.close(), guest.close()]);
  }
  await f.close();
});

test('cut and resumed it sits where it sat, and hears what was asked meanwhile', async () => {
  const f = await WebFocus.start(server);
  const a = await enter(server, 'cut', MOD);
  const [since, mark] = [a.mark(), server.mark()];
  f.cut();
  await server.logged(/occupant=focus .*event=hibernate/, { since: mark });
  const asked = conferenceIq(a, 'meanwhile');
  await a.settle();
  const answer = await f.resume({ token: null, to: server.domain });
  equal(answer.local, 'failed', 'as somebody who has not said the password');
  const next = await f.again();
  equal((await f.resumeOver(next)).local, 'resumed', 'with the password');
  equal((await asked).get('conference').attrs.ready, 'true', 'the answer to what was asked meanwhile');
  same(a.presences({ since, node: 'cut', id: 'focus' }).map((p) => p.type), [], 'what others saw of it');
  await f.write(a.room('cut'), `<item affiliation='none' nick='${a.id}'/>`);
  match(live(`cut/${a.id}`), /now +owner \/ moderator/, 'the moderator is one still');
  await a.close();
  await f.close();
});

test('questions about logins are its own: login-url and logout', async () => {
  const f = await WebFocus.start(server);
  const c = await Client.connect(server);
  f.replies.push(['result', `<logout xmlns='${NS.focus}' logout-url='https%3A%2F%2Fbye.example%2F'/>`]);
  const out = await focusIq(c, 'set', `<logout xmlns='${NS.focus}' session-id='abc'/>`);
  equal(out.get('logout', NS.focus).attrs['logout-url'], 'https%3A%2F%2Fbye.example%2F', 'where to go');
  equal(out.attrs.from, server.focus, 'who answers');
  equal(f.asked.at(-1).get('logout').attrs['session-id'], 'abc', 'what it was asked');
  equal(f.asked.at(-1).attrs.from, `${server.focus}/${c.jid}`, 'who asks');
  f.replies.push(['error', `<error type='cancel'><not-acceptable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/><session-invalid xmlns='${NS.focus}'/></error>`]);
  const no = await focusIq(c, 'set', `<logout xmlns='${NS.focus}' session-id='old'/>`);
  equal(no.attrs.type, 'error');
  ok(no.path('error', 'session-invalid'), 'its own child', no.raw);
  await f.close();
  const gone = await focusIq(c, 'set', `<logout xmlns='${NS.focus}' session-id='abc'/>`);
  ok(gone.path('error', 'service-unavailable'), 'without a focus', gone.raw);
  equal(gone.attrs.to, c.jid, 'to whom: clients read its domain');
  await c.close();
});

test('its refusals reach the client whole', async () => {
  const f = await WebFocus.start(server);
  const c = await Client.connect(server);
  const stanzas = 'urn:ietf:params:xml:ns:xmpp-stanzas';
  f.replies.push(['error', `<error type='cancel'><service-unavailable xmlns='${stanzas}'/><text xmlns='${stanzas}'>Slot taken</text>`
    + `<reservation-error xmlns='${NS.focus}' error-code='409'/></error>`]);
  const e = await conferenceIq(c, 'slot');
  equal(e.path('error', 'reservation-error').attrs['error-code'], '409');
  equal(e.path('error', 'text').text, 'Slot taken');
  match(e.raw, new RegExp(`<reservation-error xmlns='${NS.focus}'`), 'as clients select it');
  equal(e.attrs.to, c.jid);
  f.replies.push(['error', `<error type='auth'><not-authorized xmlns='${stanzas}'/></error>`]);
  ok((await conferenceIq(c, 'login')).path('error', 'not-authorized'), 'a login is wanted');
  await c.close();
  await f.close();
});

test('a client of 2021: what it asks with, what it reads, and how it goes', async () => {
  const f = await WebFocus.start(server);
  const old = await Client.connect(server);
  const answer = await conferenceIq(old, 'old', "<property name='disableRtx' value='false'/><property name='callstatsEnabled' value='false'/>"
    + "<property name='startBitrate' value='800'/><property name='audioPacketDelay' value='20'/>");
  const c = answer.get('conference', NS.focus);
  equal(c.attrs.ready, 'true');
  equal(c.attrs.vnode, undefined, 'no visitor node');
  equal(c.attrs.focusjid, `focus@${auth}`, 'the same address at each request');
  same(f.asked.at(-1).get('conference').all('property').map((p) => p.attrs.name), ['disableRtx', 'callstatsEnabled', 'startBitrate', 'audioPacketDelay'], 'what the focus is told');
  const legacy = "<audiomuted xmlns='http://jitsi.org/jitmeet/audio'>true</audiomuted><videomuted xmlns='http://jitsi.org/jitmeet/video'>false</videomuted>"
    + "<videoType xmlns='http://jitsi.org/jitmeet/video'>camera</videoType><jitsi_participant_codecType>vp8</jitsi_participant_codecType>";
  await old.join('old', { extra: legacy });
  const mod = await enter(server, 'old', MOD);
  const seen = mod.presences({ node: 'old', id: old.id })[0].el;
  for (const name of ['audiomuted', 'videomuted', 'videoType', 'jitsi_participant_codecType']) ok(seen.get(name), name, seen.raw);
  equal(`${mod.self.affiliation} ${mod.self.role}`, 'owner moderator', 'both, since that client reads both');
  let since = old.mark();
  await mod.admin('old', `<item nick='${old.id}' affiliation='owner'/>`);
  equal((await old.presenceOf(old.id, { since })).affiliation, 'owner', 'promoted by nick');
  since = old.mark();
  await mod.admin('old', `<item nick='${old.id}' affiliation='none'/>`);
  equal((await old.presenceOf(old.id, { since })).role, 'participant', 'and back');
  const mark = mod.mark();
  old.say('old', '{"type":"new-poll"}');
  await mod.heard('{"type":"new-poll"}', { since: mark });
  ok((await old.leave('old')).codes.includes('110'), 'its own leave comes back');
  await Promise.all([old.close(), mod.close()]);
  await f.close();
});

test('by HTTP nothing is asked, with a focus or without, and pages are told no address for it', async () => {
  const ask = async () => fetch(`http://127.0.0.1:${server.port}/conference-request/v1?room=http`, { method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${server.token(MOD)}` },
    body: JSON.stringify({ room: `http@${server.muc}`, machineUid: 'u', properties: {} }) });
  const without = await ask();
  equal(without.status, 503, 'without a focus');
  equal(without.headers.get('x-jitsi-shard'), 's7', 'the shard: an older client takes its absence for a change');
  equal(without.headers.get('access-control-allow-origin'), '*', 'pages of elsewhere may read it');
  equal((await without.json()).error, 'service-unavailable');
  const f = await WebFocus.start(server);
  equal((await ask()).status, 503, 'with one');
  equal(f.asked.length, 0, 'what it was asked');
  ok(!(await server.get('/config.js')).body.includes('conferenceRequestUrl'), 'config.js');
  await f.close();
});

test('with several workers it is asked by all of them, in rooms of tenants and by its newest session', () => withServer(outside({ workers: 3 }), async (s) => {
  const first = await WebFocus.start(s);
  const f = await WebFocus.start(s); // the same address: it takes the place of the first
  await until(() => first.closed, { what: 'the end of the first session' });
  for (const tenant of [undefined, 'acme', 'globex', 'initech']) {
    const c = await enter(s, 'spread', { id: `u-${tenant}`, name: 'Uma' }, { claims: { sub: tenant ?? s.domain }, connect: { tenant } });
    equal(c.presences({ node: 'spread' })[0].jid, f.jid, 'the focus there');
    await c.close();
  }
  equal(f.asked.length, 4, 'requests');
  equal(first.asked.length, 0, 'requests to the one that is gone');
  await f.close();
}));

await run();
