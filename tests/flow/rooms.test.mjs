// rooms.test.mjs - life in a room: opening, joining, settings, messages, relayed requests, leaving, the end.
import { equal, match, ok, rejects, run, same, test } from '../support/harness.mjs';
import { Client, enter, settleAll } from '../support/client.mjs';
import { serverFor, withServer } from '../support/server.mjs';
import { NS } from '../support/xml.mjs';

const server = await serverFor({ allow_guests: true });
const MOD = { id: 'a', name: 'Alice Example', moderator: true };
const BOB = { id: 'b', name: 'Bob Example' };

let serial = 0;
const fresh = (what) => `${what}-${(serial += 1)}`;

async function meeting(what, ...users) {
  const node = fresh(what);
  const clients = [];
  for (const u of users) clients.push(await enter(server, node, u, u === null ? { name: `Guest ${clients.length}` } : {}));
  await settleAll(clients);
  return { node, clients };
}

const done = (clients) => Promise.all(clients.map((c) => c.close()));

test('discovery: ping is there, no component that is not served, extdisco is empty', async () => {
  const c = await Client.connect(server, { token: server.token(BOB) });
  const q = (await c.iq('get', server.domain, `<query xmlns='${NS.info}'/>`)).get('query', NS.info);
  const features = q.all('feature').map((f) => f.attrs.var);
  ok(features.includes(NS.ping), 'urn:xmpp:ping is a feature', features);
  const components = q.all('identity').filter((i) => i.attrs.category === 'component').map((i) => i.attrs.type);
  same(components, [], 'components advertised');
  const ext = await c.iq('get', server.domain, '<services xmlns=\'urn:xmpp:extdisco:2\'/>');
  same(ext.get('services', 'urn:xmpp:extdisco:2').elements.length, 0, 'external services');
  equal(c.features.get('sm') !== null, c.constructor.door !== 'bosh', 'stream management is advertised, but by BOSH');
  ok(!c.features.get('session'), 'no session element', c.features.elements.map((e) => e.local));
  ok(c.features.path('bind', 'required'), 'bind is required');
  match(c.jid, /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}@meet\.jitsi\/.+/, 'JID of an anonymous login');
  const unknown = await rejects(c.iq('get', server.domain, '<query xmlns=\'urn:example:nothing\'/>'));
  equal(unknown.condition, 'service-unavailable', 'an unknown request');
  const sm = c.mark();
  c.send('<iq xmlns=\'jabber:client\' type=\'result\' id=\'never-asked\'/>');
  c.send('<iq xmlns=\'jabber:client\' type=\'error\' id=\'never-asked\'><error type=\'cancel\'/></iq>');
  await c.settle();
  equal(c.stanzas.slice(sm).filter((e) => e.attrs.id === 'never-asked').length, 0, 'answers to answers');
  await c.close();
});

test('the conference request says what clients read', async () => {
  const c = await Client.connect(server, { token: server.token(MOD) });
  const conference = await c.conference(fresh('request'), {
    attributes: ' session-id=\'made-up\' token=\'x\'',
    child: '<property name=\'startAudioMuted\' value=\'10\'/><property name=\'unheard-of\' value=\'1\'/>',
  });
  same([conference.attrs.ready, conference.attrs.focusjid], ['true', 'focus@auth.meet.jitsi'], 'ready and focusjid');
  for (const k of ['identity', 'session-id', 'vnode']) ok(!(k in conference.attrs), `no ${k}`, conference.attrs);
  const properties = Object.fromEntries(conference.all('property').map((p) => [p.attrs.name, p.attrs.value]));
  equal(properties.authentication, 'true', 'authentication');
  ok(!('externalAuth' in properties), 'no externalAuth without a login page', properties);
  const missing = await rejects(c.iq('set', server.focus, `<conference xmlns='${NS.focus}'/>`));
  equal(missing.condition, 'bad-request', 'a request without a room');
  await c.close();
});

test('waiting for the host: a guest is told to wait, and comes in once somebody may open the room', async () => {
  const node = fresh('wait');
  const g = await Client.connect(server);
  const e = await rejects(g.conference(node), 'a guest opening a room');
  same([e.stage, e.condition], ['conference', 'not-authorized'], 'the answer');
  const j = await rejects(g.join(node, { name: 'Gil' }), 'a guest joining a room that is not there');
  same([j.type, j.condition, j.text], ['cancel', 'not-allowed', 'Room creation is restricted'], 'the join');
  const host = await enter(server, node, BOB);
  await g.enter(node, { name: 'Gil' });
  equal((await host.presenceOf(g.id)).role, 'participant', 'the guest is in');
  await done([g, host]);
});

test('a token for another room: the request is answered, the join says why', async () => {
  const c = await Client.connect(server, { token: server.token(MOD, { room: 'elsewhere' }) });
  const node = fresh('covered');
  equal((await c.conference(node)).attrs.ready, 'true', 'ready');
  const e = await rejects(c.join(node));
  same([e.type, e.condition, e.text], ['cancel', 'not-allowed', 'Room does not match the room from token'], 'refusal');
  ok(e.extras.includes('room-mismatch'), '<room-mismatch/> is there', e.extras);
  const echoed = e.element.get('x', NS.muc);
  ok(echoed, 'the muc x is echoed', e.element.raw);
  match(e.element.attrs.to, /@meet\.jitsi/, 'to of the error');
  const g = await Client.connect(server);
  equal((await rejects(g.conference(node))).condition, 'not-authorized', 'nothing was created by that request');
  await done([c, g]);
});

test('join without a request, as plain clients do, is judged as if one came first', async () => {
  const node = fresh('plain');
  const c = await Client.connect(server, { token: server.token(MOD) });
  const self = await c.join(node);
  equal(self.role, 'moderator', 'role');
  same(c.presences({ node }).map((p) => p.id), ['focus', c.id], 'the focus first, then oneself');
  await c.close();
});

test('wrong room names and wrong occupant names', async () => {
  const c = await Client.connect(server, { token: server.token(MOD) });
  const escaped = await rejects(c.join('%64emo'));
  same([escaped.condition, escaped.text], ['jid-malformed', 'Room name is not in canonical form'], 'an escaped spelling');
  const node = fresh('nicks');
  for (const id of ['with space', '-dash', 'ünï', 'a-b']) {
    const e = await rejects(c.join(node, { id }), `occupant name ${id.slice(0, 12)}`);
    equal(e.stage, 'join', `stage for ${id.slice(0, 12)}: ${e.message}`);
  }
  const mark = c.mark();
  c.send(c.joinText(node, { id: 'a'.repeat(2000) }));
  const long = await c.waitFor((x) => x.local === 'presence' && x.attrs.type === 'error', { since: mark, what: 'an error' });
  equal(long.get('error').elements[0].local, 'jid-malformed', 'an occupant name longer than a JID may be');
  const invalid = await rejects(c.join(node, { id: 'a-b' }));
  same([invalid.type, invalid.condition, invalid.text], ['cancel', 'not-allowed', 'Invalid resource'], 'a dash in the occupant name');
  await c.join(node);
  const other = await Client.connect(server, { token: server.token(BOB) });
  const e = await rejects(other.join(node, { id: c.id }), 'somebody else\'s occupant name');
  equal(e.condition, 'conflict', 'a name that is taken');
  const focus = await rejects(other.join(node, { id: 'focus' }), 'the name of the focus');
  ok(['conflict', 'not-allowed'].includes(focus.condition), 'posing as the focus is refused', focus.condition);
  const change = await rejects(c.join(node, { id: 'zzzz9999' }), 'changing the occupant name');
  same([change.condition, change.text], ['not-allowed', 'Nick changes are not allowed'], 'a change of the occupant name');
  await done([c, other]);
});

test('room information and settings', async () => {
  const { node, clients: [a, b, g] } = await meeting('info', MOD, BOB, null);
  const info = await b.roomInfo(node);
  for (const f of ['http://jabber.org/protocol/muc', 'muc_unsecured', 'muc_open', 'muc_nonanonymous', 'muc_hidden']) {
    ok(info.features.includes(f), `feature ${f}`, info.features);
  }
  match(info.fields['muc#roominfo_meetingId'], /^[0-9a-f-]{36}$/, 'meetingId');
  match(info.fields['muc#roominfo_created_timestamp'], /^1\d{12}$/, 'created_timestamp');
  ok(!('muc#roominfo_isbreakout' in info.fields), 'no isbreakout field', info.fields);
  const outsider = await Client.connect(server, { token: server.token({ id: 'o' }) });
  equal((await rejects(outsider.roomInfo(node))).condition, 'forbidden', 'an outsider asks');

  const form = await a.iq('get', a.room(node), `<query xmlns='${NS.owner}'/>`);
  const vars = form.path('query', 'x').all('field').map((f) => f.attrs.var);
  for (const f of ['FORM_TYPE', 'muc#roomconfig_roomsecret', 'muc#roomconfig_membersonly', 'muc#roomconfig_whois']) {
    ok(vars.includes(f), `field ${f}`, vars);
  }
  for (const c of [b, g]) {
    equal((await rejects(c.iq('get', c.room(node), `<query xmlns='${NS.owner}'/>`))).condition, 'forbidden', 'the form for others');
    equal((await rejects(c.configure(node, { 'muc#roomconfig_roomsecret': 'x' }))).condition, 'forbidden', 'a setting by others');
  }
  const members = await rejects(a.configure(node, { 'muc#roomconfig_membersonly': 'true' }), 'membersonly');
  ok(members.condition, 'the lobby is refused', members.condition);
  const roles = await rejects(a.configure(node, { 'muc#roomconfig_roomowners': 'x@meet.jitsi' }), 'owners in the form');
  ok(['forbidden', 'not-allowed'].includes(roles.condition), 'owners by form are refused', roles.condition);
  await a.configure(node, { 'muc#roomconfig_whois': 'anyone' });
  await a.configure(node, { 'muc#roomconfig_moderatedroom': '1', 'muc#roomconfig_presencebroadcast': 'moderator' });
  equal((await b.roomInfo(node)).features.includes('muc_open'), true, 'nothing has changed');
  await done([a, b, g, outsider]);
});

test('password: set, announced, asked for, given, cleared', async () => {
  const { node, clients: [a, b] } = await meeting('lock', MOD, BOB);
  let mark = b.mark();
  await a.configure(node, { 'muc#roomconfig_roomsecret': 's3cret', 'muc#roomconfig_passwordprotectedroom': '1', 'muc#roomconfig_whois': 'anyone' });
  const note = await b.waitFor((e) => e.local === 'message' && e.path('x', 'status')?.attrs.code === '104', { since: mark, what: 'status 104' });
  same([note.attrs.from, note.attrs.type], [b.room(node), 'groupchat'], 'the announcement');
  ok((await b.roomInfo(node)).features.includes('muc_passwordprotected'), 'the lock shows');
  for (const [user, name] of [[{ id: 'c', moderator: true }, undefined], [null, 'Gil']]) {
    const c = await Client.connect(server, { token: user ? server.token(user) : undefined });
    for (const password of [undefined, '', 'wrong']) {
      const e = await rejects(c.join(node, { name, password }), `password ${password}`);
      same([e.type, e.condition], ['auth', 'not-authorized'], 'the prompt');
    }
    await c.join(node, { name, password: 's3cret' });
    await c.leave(node);
    await c.close();
  }
  mark = b.mark();
  await a.configure(node, { 'muc#roomconfig_roomsecret': '', 'muc#roomconfig_passwordprotectedroom': '0' });
  await b.waitFor((e) => e.local === 'message' && e.path('x', 'status')?.attrs.code === '104', { since: mark });
  ok((await b.roomInfo(node)).features.includes('muc_unsecured'), 'open again');
  const g = await enter(server, node, null, { name: 'Gil' });
  await done([a, b, g]);
  const again = await enter(server, node, BOB);
  ok((await again.roomInfo(node)).features.includes('muc_unsecured'), 'a new meeting has no lock');
  await again.close();
});

test('maximum occupants holds for everybody, moderators too', () => withServer({ max_occupants: 2, allow_guests: true }, async (s) => {
  const a = await enter(s, 'full', MOD);
  const b = await enter(s, 'full', BOB);
  for (const user of [{ id: 'c', moderator: true }, { id: 'd' }, null]) {
    const e = await rejects(enter(s, 'full', user, { name: 'X' }), 'a third one');
    same([e.stage, e.condition], ['join', 'service-unavailable'], 'room full');
  }
  await b.leave('full');
  const c = await enter(s, 'full', { id: 'c' });
  equal(c.self.role, 'participant', 'a seat is free again');
  await done([a, b, c]);
}));

test('group chat: everybody hears it once, the sender too, and no name travels with it', async () => {
  const { node, clients } = await meeting('chat', MOD, BOB, null);
  const [a, b, g] = clients;
  const marks = clients.map((c) => c.mark());
  g.send(`<message xmlns='jabber:client' to='${g.room(node)}' type='groupchat' id='one' from='fake@meet.jitsi/x'><body>Hello &amp; &lt;all&gt;</body>`
    + `<nick xmlns='${NS.nick}'>Alice Example</nick><display-name xmlns='http://jitsi.org/protocol/display-name'>Alice</display-name></message>`);
  g.send(`<message xmlns='jabber:client' to='${g.room(node)}' type='groupchat'><json-message xmlns='${NS.jitmeet}'>{"type":"x"}</json-message></message>`);
  await settleAll(clients);
  for (const [i, c] of clients.entries()) {
    const got = c.stanzas.slice(marks[i]).filter((e) => e.local === 'message');
    equal(got.length, 2, 'messages heard');
    same([got[0].attrs.from, got[0].attrs.id, got[0].get('body').text], [`${g.room(node)}/${g.id}`, 'one', 'Hello & <all>'], 'the message');
    ok(!got[0].get('nick') && !got[0].get('display-name'), 'no name in it', got[0].raw);
    ok(got[1].attrs.id, 'an id is given where none was', got[1].raw);
    equal(got[1].get('json-message', NS.jitmeet).text, '{"type":"x"}', 'JSON message');
  }
  const o = await Client.connect(server, { token: server.token({ id: 'o' }) });
  const at = o.mark();
  o.say(node, 'from outside');
  const refused = await o.waitFor((e) => e.local === 'message' && e.attrs.type === 'error', { since: at, what: 'an error message' });
  equal(refused.get('error').elements[0].local, 'not-acceptable', 'chat by an outsider');
  await done([...clients, o]);
});

test('private messages reach only their addressee', async () => {
  const { node, clients } = await meeting('private', MOD, BOB, null);
  const [a, b, g] = clients;
  const marks = clients.map((c) => c.mark());
  a.send(`<message xmlns='jabber:client' to='${a.room(node)}/${b.id}' type='chat' id='p1'><body>psst</body></message>`);
  const got = await b.heard('psst', { since: marks[1] });
  same([got.attrs.from, got.attrs.type], [`${a.room(node)}/${a.id}`, 'chat'], 'from the occupant');
  a.send(`<message xmlns='jabber:client' to='${a.room(node)}/nobody' type='chat' id='p2'><body>hm</body></message>`);
  const e = await a.waitFor((x) => x.local === 'message' && x.attrs.type === 'error' && x.attrs.id === 'p2', { since: marks[0], what: 'an error' });
  equal(e.get('error').elements[0].local, 'item-not-found', 'nobody of that name');
  await settleAll(clients);
  equal(g.stanzas.slice(marks[2]).filter((x) => x.local === 'message').length, 0, 'what the third one heard');
  await done(clients);
});

test('subject: moderators set it, newcomers learn it, others are told no', async () => {
  const { node, clients: [a, b] } = await meeting('subject', MOD, BOB);
  const subject = (c, text) => c.send(`<message xmlns='jabber:client' to='${c.room(node)}' type='groupchat' id='s'><subject>${text}</subject></message>`);
  let mark = b.mark();
  subject(a, 'Budget');
  const m = await b.waitFor((e) => e.local === 'message' && e.get('subject')?.text === 'Budget', { since: mark, what: 'the subject' });
  equal(m.attrs.from, `${a.room(node)}/${a.id}`, 'from its setter');
  mark = b.mark();
  subject(b, 'Mine');
  const e = await b.waitFor((x) => x.local === 'message' && x.attrs.type === 'error', { since: mark, what: 'an error' });
  same([e.get('error').attrs.type, e.get('error').elements[0].local, e.path('error', 'text')?.text],
    ['auth', 'forbidden', 'You are not allowed to change the subject'], 'the refusal');
  const g = await enter(server, node, null, { name: 'Gil' });
  const seen = await g.waitFor((x) => x.local === 'message' && x.get('subject'), { what: 'the subject on joining' });
  equal(seen.get('subject').text, 'Budget', 'what a newcomer learns');
  ok(g.stanzas.indexOf(seen) > g.stanzas.findIndex((x) => x === g.self.el), 'after the self-presence');
  await done([a, b, g]);
});

test('requests between occupants are relayed, with the occupant\'s address and the same id', async () => {
  const { node, clients: [a, b] } = await meeting('relay', MOD, BOB);
  const mark = b.mark();
  const jingle = '<jingle xmlns=\'urn:xmpp:jingle:1\' action=\'session-initiate\' sid=\'x1\'><content name=\'0\' creator=\'initiator\'/></jingle>';
  const answer = a.request('set', `${a.room(node)}/${b.id}`, jingle, { id: 'j1' });
  const got = await b.waitFor((e) => e.local === 'iq' && e.get('jingle'), { since: mark, what: 'the Jingle request' });
  same([got.attrs.from, got.attrs.type, got.attrs.to], [`${a.room(node)}/${a.id}`, 'set', b.jid], 'how it arrives');
  equal(got.get('jingle').attrs.sid, 'x1', 'what it holds');
  b.send(`<iq xmlns='jabber:client' type='result' to='${got.attrs.from}' id='${got.attrs.id}'/>`);
  const back = await answer;
  same([back.attrs.type, back.attrs.from, back.attrs.id], ['result', `${a.room(node)}/${b.id}`, 'j1'], 'the way back');
  equal((await rejects(a.iq('set', `${a.room(node)}/nobody`, jingle))).condition, 'item-not-found', 'to nobody');
  const o = await Client.connect(server, { token: server.token({ id: 'o' }) });
  equal((await rejects(o.iq('set', `${a.room(node)}/${b.id}`, jingle))).condition, 'not-acceptable', 'from outside');
  const self = await a.iq('get', `${a.room(node)}/${a.id}`, `<ping xmlns='${NS.ping}'/>`);
  equal(self.attrs.type, 'result', 'a ping to oneself');
  const focus = await rejects(a.iq('set', `${a.room(node)}/focus`, '<x xmlns=\'urn:example:unknown\'/>'));
  equal(focus.condition, 'service-unavailable', 'an unknown request to the focus');
  const info = await rejects(a.iq('set', `${a.room(node)}/focus`, '<jingle xmlns=\'urn:xmpp:jingle:1\' action=\'session-info\' sid=\'none\'/>'));
  same([info.condition, info.extras], ['item-not-found', ['unknown-session']], 'Jingle to the focus without a session');
  await done([a, b, o]);
});

test('mute: one and all, by moderators only; nobody is unmuted', async () => {
  const { node, clients } = await meeting('mute', MOD, BOB, null);
  const [a, b, g] = clients;
  const mute = (c, target, value = 'true', media = 'audio') => c.iq('set', `${c.room(node)}/focus`,
    `<mute xmlns='http://jitsi.org/jitmeet/${media}' jid='${c.room(node)}/${target.id}'>${value}</mute>`);
  for (const media of ['audio', 'video', 'desktop']) {
    const marks = clients.map((c) => c.mark());
    for (const target of [b, g]) await mute(a, target, 'true', media);
    for (const [i, c] of [[1, b], [2, g]]) {
      const iq = await c.waitFor((e) => e.local === 'iq' && e.get('mute'), { since: marks[i], what: 'the mute request' });
      same([iq.attrs.from, iq.attrs.type, iq.get('mute').ns, iq.get('mute').attrs.actor, iq.get('mute').text],
        [`${a.room(node)}/focus`, 'set', `http://jitsi.org/jitmeet/${media}`, `${a.room(node)}/${a.id}`, 'true'], 'how it arrives');
    }
    equal(a.stanzas.slice(marks[0]).filter((e) => e.get('mute')).length, 0, 'what the moderator himself is asked');
  }
  const mark = a.mark();
  for (const c of [b, g]) equal((await rejects(mute(c, a))).condition, 'not-allowed', 'muting by a participant');
  equal((await rejects(mute(a, b, 'false'))).condition, 'not-allowed', 'unmuting another');
  equal((await mute(b, b, 'false')).attrs.type, 'result', 'telling that one unmutes oneself');
  const bad = `<mute xmlns='http://jitsi.org/jitmeet/audio'>true</mute>`;
  equal((await rejects(a.iq('set', `${a.room(node)}/focus`, bad))).condition, 'bad-request', 'muting nobody');
  await settleAll(clients);
  equal(a.stanzas.slice(mark).filter((e) => e.get('mute')).length, 0, 'mute requests to the moderator');
  await done(clients);
});

test('leaving: one presence to each, status text relayed, unavailable from outside is ignored', async () => {
  const { node, clients: [a, b, g] } = await meeting('leave', MOD, BOB, null);
  let mark = a.mark();
  const own = await b.leave(node, { status: 'had enough' });
  same([own.codes.includes('110'), own.role], [true, 'none'], 'what the leaver gets');
  await settleAll(a, g);
  const seen = a.presences({ since: mark, id: b.id });
  equal(seen.length, 1, 'presences of the leaver');
  same([seen[0].type, seen[0].role, seen[0].el.get('status')?.text], ['unavailable', 'none', 'had enough'], 'what others get');
  mark = b.mark();
  b.send(`<presence xmlns='jabber:client' type='unavailable' to='${b.room(node)}/${b.id}'/>`);
  await b.settle();
  equal(b.stanzas.slice(mark).filter((e) => e.local === 'presence').length, 0, 'answers to a second leaving');
  mark = a.mark();
  g.drop();
  const lost = await a.presenceOf(g.id, { since: mark, where: (p) => p.type === 'unavailable' });
  equal(lost.role, 'none', 'a lost connection leaves too');
  await done([a, b]);
});

test('destroy: by the moderator, told to everybody, with reason', async () => {
  const { node, clients: [a, b, g] } = await meeting('destroy', MOD, BOB, null);
  const destroy = (c) => c.iq('set', c.room(node), `<query xmlns='${NS.owner}'><destroy><reason>The meeting has been terminated</reason></destroy></query>`);
  for (const c of [b, g]) equal((await rejects(destroy(c))).condition, 'forbidden', 'destroy by others');
  await destroy(a);
  for (const c of [a, b, g]) {
    const p = await c.presenceOf(c.id, { where: (x) => x.type === 'unavailable' });
    ok(p.destroy, 'destroy is in the presence', p.el.raw);
    equal(p.destroy.get('reason')?.text, 'The meeting has been terminated', 'reason');
  }
  const again = await enter(server, node, { id: 'new' });
  same(again.presences({ node }).map((p) => p.id), ['focus', again.id], 'the next meeting is empty');
  await done([a, b, g, again]);
});

test('several rooms on one connection, and one more than allowed', () => withServer({ rooms_per_session: 3 }, async (s) => {
  const c = await Client.connect(s, { token: s.token(MOD) });
  for (const n of ['r1', 'r2', 'r3']) await c.enter(n);
  const e = await rejects(c.enter('r4'), 'a fourth room');
  equal(e.condition, 'resource-constraint', 'the limit');
  const sent = c.mark();
  c.say('r2', 'only here');
  const m = await c.heard('only here', { since: sent });
  equal(m.attrs.from, `r2@${s.muc}/${c.id}`, 'the room of the message');
  await c.leave('r1');
  await c.enter('r4');
  await c.close();
}));

test('IPv4 and IPv6, query and header, tokens twice', async () => {
  for (const [host, via] of [['127.0.0.1', 'header'], ['::1', 'query'], ['127.0.0.1', 'both']]) {
    const c = await Client.connect(server, { token: server.token(MOD), host, via });
    equal((await c.enter(fresh('doors'))).role, 'moderator', `${host} ${via}`);
    await c.close();
  }
  const two = await rejects(Client.connect(server, {
    token: server.token(MOD), headers: { Authorization: `Bearer ${server.token(BOB)}` },
  }), 'two different tokens');
  same([two.stage, two.condition, two.text], ['sasl', 'not-allowed', 'Invalid token'], 'two different tokens');
  const basic = await rejects(Client.connect(server, { headers: { Authorization: 'Basic QWxhZGRpbjpvcGVu' } }), 'another scheme');
  equal(basic.condition, 'not-allowed', 'another scheme is no guest');
  const empty = await Client.connect(server, { token: '' });
  equal((await rejects(empty.enter(fresh('doors')))).condition, 'not-authorized', 'an empty token is a guest');
  await empty.close();
});

test('the other doors: keep-alive, health, files, config.js', async () => {
  const keep = await server.get('/xmpp-websocket?room=demo');
  equal(keep.status, 200, 'a plain GET on the socket\'s path');
  equal((await server.get('/about/health')).status, 200, 'health');
  const config = await server.get('/config.js');
  equal(config.status, 200, 'config.js');
  match(config.headers['cache-control'] ?? '', /no-store/, 'config.js is not cached');
  match(config.body, /muc\.meet\.jitsi/, 'it names the room service');
  ok(!/anonymousdomain/.test(config.body), 'no anonymousdomain', config.body.slice(0, 2000));
  ok(!config.body.includes(server.secret), 'no secret in it');
  for (const path of ['/', '/demo', '/some-room']) {
    const page = await server.get(path);
    equal(page.status, 200, `GET ${path}`);
    match(page.headers['content-type'] ?? '', /text\/html/, `type of ${path}`);
  }
  for (const path of ['/../etc/passwd', '/..%2f..%2fetc/passwd', '/%2e%2e/%2e%2e/etc/passwd']) {
    const r = await server.get(path);
    ok(!/root:/.test(r.body), `${path} stays inside`, r.status);
  }
});

test('config.js: the page\'s name field is locked exactly for a frozen name', async () => {
  const { body } = await server.get('/config.js');
  const { runInNewContext } = await import('node:vm');
  const b64 = (o) => Buffer.from(JSON.stringify(o)).toString('base64url');
  const token = (payload) => `${b64({ alg: 'HS256' })}.${b64(payload)}.sig`;
  const look = (location) => {
    const box = { window: {}, atob, decodeURIComponent, TextDecoder, Uint8Array, JSON, URLSearchParams, escape };
    if (location) box.location = box.window.location = { host: 'localhost', protocol: 'http:', pathname: '/demo', hash: '', search: '', href: 'http://localhost/demo', ...location };
    box.window.window = box.window;
    return runInNewContext(`${body}\n;config.readOnlyName`, box);
  };
  const named = token({ context: { user: { name: 'Älice 李' } } });
  equal(look({ hash: `#jwt=${named}` }), true, 'a name in the fragment\'s token');
  equal(look({ search: `?jwt=${named}` }), true, 'a name in the query\'s token');
  equal(look({ hash: `#config.x=1&jwt=${named}` }), true, 'among other parameters');
  for (const [what, user] of [['no name', {}], ['an empty name', { name: '  ' }], ['a number', { name: 5 }]]) {
    ok(look({ hash: `#jwt=${token({ context: { user } })}` }) !== true, `${what} does not lock`);
  }
  ok(look({}) !== true, 'no token does not lock');
  ok(look({ hash: '#jwt=%%%.x' }) !== true, 'rubbish does not lock');
  ok(look(null) !== true, 'without a location it still runs');
});

await run();
