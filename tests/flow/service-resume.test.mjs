// service-resume.test.mjs - services whose connection is cut: they come back over TCP as if nothing had been, or they were
// started again and take their place in the brewery at once.
import { equal, match, ok, run, same, test, until } from '../support/harness.mjs';
import { Client } from '../support/client.mjs';
import { SM } from '../support/resume.mjs';
import { freePort, gavel, serverFor } from '../support/server.mjs';
import { openTcp, prove, serve } from '../support/service.mjs';
import { NS } from '../support/xml.mjs';

const PASSWORDS = { focus: 'focus-secret', jvb: 'jvb-secret', jibri: 'jibri-secret' };
const accounts = Object.entries(PASSWORDS).map(([jid, password]) => ({ jid, password }));
const server = await serverFor({ allow_guests: true, room_create: 'anyone', log_lines_per_second: 10000, resume_service_timeout: 60,
  resume_timeout: 60, xmpp_port: await freePort(), accounts });
const auth = `auth.${server.domain}`;
const internal = `internal-muc.${server.domain}`;
const ROOM = `jvbbrewery@${internal}`;
const login = (name, how) => serve(server, `${name}@${auth}`, PASSWORDS[name], how);
const condition = (e) => /<([a-z-]+) xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/.exec(e.raw)?.[1];
const counted = (list) => list.filter((e) => ['iq', 'presence', 'message'].includes(e.local)).length;

async function appear(c, nick, { room = ROOM, more = '' } = {}) {
  const since = c.mark();
  c.send(`<presence xmlns='jabber:client' to='${room}/${nick}'><x xmlns='${NS.muc}'/>${more}</presence>`);
  return c.waitFor((e) => e.local === 'presence' && e.attrs.from === `${room}/${nick}` && (e.attrs.type === 'error' || /code='110'/.test(e.raw)), { since, what: `itself in ${room}` });
}

async function enable(c) {
  const since = c.mark();
  c.send(`<enable xmlns='${SM}' resume='true'/>`);
  const e = await c.waitFor((s) => s.ns === SM, { since, what: '<enabled/>' });
  equal(e.local, 'enabled', 'the answer to <enable/>', e.raw);
  c.from = c.mark();
  c.previd = e.attrs.id;
  c.max = e.attrs.max;
  return c;
}

/** Nothing goes out or comes in any more. */
async function cut(c) {
  c.had = counted(c.stanzas.slice(c.from)) + (c.had ?? 0);
  c.drop();
  const away = () => Number(/sessions_away\s+(\d+)/.exec(gavel(['explain', '--live', '--counters', '--config', server.file]).out)?.[1]);
  await until(() => away() > 0, { what: 'the server to notice' });
}

/** Another connection of that account, which asks to be c; the answer, and the connection. */
async function resume(name, c, { by = 'tcp', h = c.had, previd = c.previd } = {}) {
  // by WebSocket the URL says where the stream is, by TCP the client's address does
  const next = await (by === 'tcp' ? openTcp(server) : Client.open(server, { query: { previd } }));
  await next.hello(auth);
  await prove(next, { user: name, password: PASSWORDS[name] });
  await next.hello(auth);
  const since = next.mark();
  next.send(`<resume xmlns='${SM}' previd='${previd}' h='${h}'/>`);
  const answer = await next.waitFor((e) => e.ns === SM, { since, what: 'an answer to <resume/>' });
  Object.assign(next, { jid: c.jid, from: next.mark(), previd: c.previd, had: c.had });
  return { next, answer };
}

const ask = async (c, to, id) => c.send(`<iq xmlns='jabber:client' type='set' to='${to}' id='${id}'><healthcheck xmlns='http://jitsi.org/protocol/healthcheck'/></iq>`);
const hears = (c, id, since = 0) => c.waitFor((e) => e.local === 'iq' && e.attrs.id === id, { since, what: id });
const ofOthers = (c, nick, since, room = ROOM) => c.stanzas.slice(since).filter((e) => e.local === 'presence' && e.attrs.from === `${room}/${nick}`);

for (const by of ['tcp', 'ws']) {
  test(`a bridge resumes over ${by}: its brewery sees nothing, and what it was asked meanwhile comes once, in order`, async () => {
    const focus = await login('focus', { resource: `f-${by}` });
    const bridge = await enable(await login('jvb', { by, resource: `b-${by}` }));
    equal(bridge.max, '60', 'how long it may stay away');
    await appear(focus, 'focus');
    await appear(bridge, 'one');
    await focus.waitFor((e) => e.attrs.from === `${ROOM}/one` && e.raw.includes(bridge.jid), { what: 'the bridge' });
    const since = focus.mark();
    await ask(focus, `${ROOM}/one`, 'before');
    await hears(bridge, 'before');
    await cut(bridge);
    for (let i = 0; i < 8; i += 1) await ask(focus, i % 2 ? `${ROOM}/one` : bridge.jid, `away${i}`);
    await ask(focus, `${ROOM}/focus`, 'echo');
    await hears(focus, 'echo', since);
    const { next, answer } = await resume('jvb', bridge, { by });
    equal(answer.local, 'resumed', 'the answer', answer.raw);
    for (const id of ['away6', 'away7']) await hears(next, id);
    const asked = next.stanzas.filter((e) => e.local === 'iq' && /^(away|before)/.test(e.attrs.id ?? '')).map((e) => e.attrs.id);
    // in order for each of the two addresses (RFC 6120 10.1); those may be on two workers
    same(asked.filter((id) => Number(id.slice(4)) % 2), ['away1', 'away3', 'away5', 'away7'], 'what it was asked through the room');
    same(asked.filter((id) => Number(id.slice(4)) % 2 === 0), ['away0', 'away2', 'away4', 'away6'], 'and at its own address');
    const q = next.stanzas.find((e) => e.attrs.id === 'away1');
    next.send(`<iq xmlns='jabber:client' type='result' to='${q.attrs.from}' id='away1'/>`);
    const a = await hears(focus, 'away1', since);
    equal(`${a.attrs.type} ${a.attrs.from}`, `result ${ROOM}/one`, 'its answer');
    same(ofOthers(focus, 'one', since).map((e) => e.raw), [], 'what the brewery saw of it');
    next.send(`<presence xmlns='jabber:client' to='${ROOM}/one'><stats xmlns='x'/></presence>`);
    await focus.waitFor((e) => e.attrs.from === `${ROOM}/one` && e.get('stats'), { since, what: 'its next presence' });
    await next.close();
    await focus.waitFor((e) => e.attrs.from === `${ROOM}/one` && e.attrs.type === 'unavailable', { since, what: 'its leaving' });
    await focus.close();
  });
}

test('a bridge that was started again has its place in the brewery at once', async () => {
  const focus = await login('focus', { resource: 'f' });
  const dead = await enable(await login('jvb'));
  await appear(focus, 'focus');
  await appear(dead, 'two');
  await focus.waitFor((e) => e.attrs.from === `${ROOM}/two`, { what: 'the bridge' });
  const since = focus.mark();
  await cut(dead);
  const alive = await enable(await login('jvb'));
  ok(alive.jid !== dead.jid, 'another address', alive.jid);
  const self = await appear(alive, 'two');
  equal(self.attrs.type, undefined, 'it is in', self.raw);
  ok(self.raw.includes(`jid='${alive.jid}'`), 'by its address', self.raw);
  await until(() => ofOthers(focus, 'two', since).length >= 2, { what: 'two presences' });
  const [left, came] = ofOthers(focus, 'two', since);
  equal(`${left.attrs.type} ${left.raw.includes(`jid='${dead.jid}'`)}`, 'unavailable true', 'the one that was cut has left');
  equal(`${came.attrs.type} ${came.raw.includes(`jid='${alive.jid}'`)}`, 'undefined true', 'then the other one is there');
  same(ofOthers(alive, 'two', 0).map((e) => e.attrs.type), [undefined], 'it sees nothing of its namesake');
  await ask(focus, `${ROOM}/two`, 'q1');
  await hears(alive, 'q1');
  // should the old one live after all, it learns that it is out
  const { next, answer } = await resume('jvb', dead);
  equal(answer.local, 'resumed', 'the old stream');
  const out = await next.waitFor((e) => e.local === 'presence' && e.attrs.type === 'unavailable' && e.attrs.from === `${ROOM}/two`, { what: 'that it is out' });
  match(out.raw, /<status code='110'\/>/, 'it is about itself');
  equal(ofOthers(focus, 'two', since).length, 2, 'and nobody else hears of that');
  await ask(focus, `${ROOM}/two`, 'q2');
  await hears(alive, 'q2');
  for (const c of [next, alive, focus]) await c.close();
});

test('the same while the old connection seems to live, and alone in its brewery', async () => {
  const room = `lonely@${internal}`;
  const old = await login('jvb');
  await appear(old, 'x', { room });
  const since = old.mark();
  const alive = await login('jvb', { by: 'ws' });
  const self = await appear(alive, 'x', { room });
  equal(self.attrs.type, undefined, 'it is in', self.raw);
  await old.waitFor((e) => e.attrs.type === 'unavailable' && e.attrs.from === `${room}/x`, { since, what: 'that it is out' });
  const seen = await appear(await login('focus', { resource: 'f' }), 'focus', { room });
  equal(seen.attrs.type, undefined, 'the room is whole', seen.raw);
  for (const c of [...server.clients]) c.drop();
});

test('a nick stays its account\'s while it is away, and its stream too', async () => {
  const bridge = await enable(await login('jvb'));
  await appear(bridge, 'three');
  await cut(bridge);
  const other = await login('jibri');
  equal(condition(await appear(other, 'three')), 'conflict', 'another account');
  const { next, answer } = await resume('jibri', bridge);
  equal(`${answer.local} ${condition(answer)}`, 'failed item-not-found', 'another service with its id');
  next.drop();
  const guest = await Client.open(server);
  await guest.hello(server.domain);
  guest.send(`<auth xmlns='${NS.sasl}' mechanism='ANONYMOUS'/>`);
  await guest.waitFor((e) => e.local === 'success');
  await guest.hello(server.domain);
  guest.send(`<resume xmlns='${SM}' previd='${bridge.previd}' h='${bridge.had}'/>`);
  equal(condition(await guest.waitFor((e) => e.ns === SM)), 'item-not-found', 'a guest with its id');
  guest.drop();
  const back = await resume('jvb', bridge);
  equal(back.answer.local, 'resumed', 'its own account', back.answer.raw);
  for (const c of [back.next, other]) await c.close();
});

await run();
