// moderation.test.mjs - powers during the meeting: kick, ban, grant, revoke, rank, elections, and tokens that end.
import { equal, match, ok, rejects, run, same, sleep, test } from '../support/harness.mjs';
import { Client, enter, settleAll } from '../support/client.mjs';
import { serverFor, withServer } from '../support/server.mjs';
import { NS } from '../support/xml.mjs';
import { now } from '../support/token.mjs';

const server = await serverFor({ allow_guests: true });
const MOD = { id: 'a', name: 'Alice Example', moderator: true };
const BOB = { id: 'b', name: 'Bob Example' };
const DENIED = { id: 'd', name: 'Dora Example', moderator: false };
const OWNER = 'owner/moderator';

let serial = 0;
const fresh = (what) => `${what}-${(serial += 1)}`;
const roleOf = (p) => `${p?.affiliation}/${p?.role}`;
const last = (watcher, c) => watcher.presences({ id: c.id }).at(-1);
const bare = (c) => c.jid.split('/')[0];
const done = (clients) => Promise.all(clients.map((c) => c.close()));

/** People entering one after the other. */
async function meeting(s, what, ...users) {
  const node = fresh(what);
  const clients = [];
  for (const u of users) clients.push(await enter(s, node, u, u === null ? { name: `Guest ${clients.length}` } : {}));
  await settleAll(clients);
  return { node, clients };
}

/** Every client's last view of one occupant. */
async function everybodySees(clients, target, expected, what) {
  await settleAll(clients.filter((c) => !c.closed));
  for (const c of clients) equal(roleOf(last(c, target)), expected, what);
}

test('kick: told to everybody once, the kicked may come back', async () => {
  const { node, clients } = await meeting(server, 'kick', MOD, BOB, null);
  const [a, b, g] = clients;
  const marks = clients.map((c) => c.mark());
  await a.kick(node, b.id, 'Noise & dust');
  await settleAll(clients);
  for (const [i, c] of clients.entries()) {
    const seen = c.presences({ since: marks[i], id: b.id });
    equal(seen.length, 1, 'presences of the kicked');
    const [p] = seen;
    same([p.type, roleOf(p), p.actor, p.reason, p.codes.includes('307'), p.codes.includes('110')],
      ['unavailable', 'none/none', a.id, 'Noise & dust', true, c === b], 'how a kick looks');
  }
  for (const c of [g, b]) ok(await rejects(c.kick(node, a.id)), 'kick by others is refused');
  equal((await rejects(a.kick(node, 'nobody'))).condition, 'item-not-found', 'kicking nobody');
  equal((await rejects(a.kick(node, 'focus'))).condition, 'not-allowed', 'kicking the focus');
  equal(roleOf(await b.join(node)), 'member/participant', 'back again');
  await done(clients);
});

test('ban: by identity, for the room\'s life', async () => {
  const { node, clients } = await meeting(server, 'ban', MOD, BOB, null);
  const [a, b, g] = clients;
  const mark = g.mark();
  await a.ban(node, b.jid);
  const p = await g.presenceOf(b.id, { since: mark, where: (x) => x.type === 'unavailable' });
  same([p.affiliation, p.codes.includes('301')], ['outcast', true], 'how a ban looks');
  const back = await rejects(b.join(node), 'the banned comes back');
  same([back.type, back.condition], ['auth', 'forbidden'], 'the same session');
  const reloaded = await rejects(enter(server, node, { ...BOB, name: 'Somebody else' }), 'the banned with a new token');
  equal(reloaded.condition, 'forbidden', 'a new token of the same identity');
  const other = await enter(server, node, { id: 'b2', name: 'Bob Example' });
  equal(other.self.role, 'participant', 'the same name with another identity');
  const guest = await rejects(a.ban(node, g.jid).then(() => g.join(node, { name: 'Gil' })), 'a banned guest');
  equal(guest.condition, 'forbidden', 'a guest is banned by session');
  await done([a, b, g, other]);
  const next = await enter(server, node, BOB);
  equal(next.self.role, 'participant', 'the next meeting knows no ban');
  await next.close();
});

test('grant and revoke: by bare JID, full JID, nick and role, seen by all as one presence', async () => {
  const { node, clients } = await meeting(server, 'grant', MOD, BOB, DENIED, null);
  const [a, b, d, g] = clients;
  const ways = [
    [b, `<item affiliation='owner' jid='${bare(b)}'/>`], [d, `<item affiliation='owner' jid='${d.jid}'/>`],
    [g, `<item affiliation='owner' nick='${g.id}'/>`],
  ];
  for (const [target, item] of ways) {
    const marks = clients.map((c) => c.mark());
    await a.admin(node, item);
    await settleAll(clients);
    for (const [i, c] of clients.entries()) {
      const seen = c.presences({ since: marks[i], id: target.id });
      equal(seen.length, 1, `presences after ${item}`);
      equal(roleOf(seen[0]), OWNER, 'role after a grant');
      equal(seen[0].codes.includes('110'), c === target, '110 only to himself');
      ok(c === target ? seen[0].permissions?.includes('recording=true') : seen[0].permissions === null, 'permissions', seen[0].el.raw);
      equal(seen[0].name, last(a, target).name, 'the name stays');
    }
  }
  for (const [target, left, item] of [
    [b, 'member/participant', `<item affiliation='none' jid='${bare(b)}'/>`],
    [d, 'member/participant', `<item affiliation='member' nick='${d.id}'/>`],
    [g, 'none/participant', `<item role='participant' nick='${g.id}'/>`],
  ]) {
    const mark = b.mark();
    await a.admin(node, item);
    await settleAll(clients);
    const seen = b.presences({ since: mark, id: target.id });
    equal(seen.length, 1, `presences after ${item}`);
    equal(roleOf(seen[0]), left, 'role after a revoke');
  }
  await a.admin(node, `<item role='moderator' nick='${b.id}'/>`);
  equal(roleOf(await b.presenceOf(b.id, { since: 0, where: (p) => p.role === 'moderator' })), OWNER, 'role=moderator is a grant');
  await done(clients);
});

test('what nobody may: act on a higher rank, touch a token\'s moderator, write when no moderator', async () => {
  const { node, clients } = await meeting(server, 'rank', MOD, BOB, DENIED, null);
  const [a, b, d, g] = clients;
  const a2 = await enter(server, node, { id: 'a2', moderator: true });
  for (const c of [b, g]) {
    for (const item of [`<item affiliation='owner' jid='${bare(c)}'/>`, `<item role='none' nick='${d.id}'/>`,
      `<item affiliation='outcast' jid='${bare(d)}'/>`, `<item affiliation='none' jid='${bare(c)}'/>`]) {
      const e = await rejects(c.admin(node, item), item);
      same([e.type, e.condition], ['auth', 'forbidden'], 'a participant writes');
    }
  }
  const rank = await rejects(a2.revoke(node, a.jid), 'one token moderator revokes another');
  same([rank.type, rank.condition, rank.text], ['cancel', 'not-allowed', 'Moderators named by their token cannot be changed here'], 'rank');
  await a.grant(node, b.jid);
  for (const item of [`<item role='none' nick='${a.id}'/>`, `<item affiliation='outcast' jid='${bare(a)}'/>`, `<item affiliation='none' jid='${bare(a)}'/>`]) {
    equal((await rejects(b.admin(node, item), item)).condition, 'not-allowed', 'a granted moderator on one of the token');
  }
  await b.admin(node, `<item affiliation='owner' jid='${bare(a)}'/>`);
  equal((await rejects(b.kick(node, a.id))).condition, 'not-allowed', 'a grant does not launder the source');
  equal((await rejects(a.admin(node, `<item affiliation='admin' jid='${bare(d)}'/>`))).condition, 'forbidden', 'admin is never assigned');
  equal((await rejects(a.admin(node, '<item affiliation=\'owner\' jid=\'absent@meet.jitsi\'/>'))).condition, 'item-not-found', 'an absent JID');
  const before = last(g, d).affiliation;
  const several = await rejects(a.admin(node, `<item affiliation='owner' jid='${bare(d)}'/>`, `<item affiliation='owner' jid='nobody@meet.jitsi'/>`));
  ok(several.condition, 'one bad item refuses all', several.condition);
  await settleAll(clients);
  equal(last(g, d).affiliation, before, 'nothing was applied');
  await a.kick(node, a2.id);
  await everybodySees([a, b, g], a2, 'none/none', 'one token moderator kicks another');
  await a.revoke(node, a.jid);
  await everybodySees(clients, a, 'member/participant', 'stepping down is always allowed');
  await done([...clients, a2]);
});

test('a grant lasts for the stay, not for a reload', async () => {
  const { node, clients: [a, b] } = await meeting(server, 'stay', MOD, BOB);
  await a.grant(node, b.jid);
  b.update(node, { name: 'x', extra: '<audiomuted>true</audiomuted>' });
  await everybodySees([a, b], b, OWNER, 'a later presence does not undo it');
  await b.leave(node);
  equal(roleOf(await b.join(node)), 'member/participant', 'after a new join');
  await done([a, b]);
});

for (const [word, target, allowed] of [['never', BOB, false], ['not-denied', DENIED, false], ['not-denied', BOB, true]]) {
  test(`runtime_grant=${word}: ${target.id === 'd' ? 'a denied user' : 'a silent user'}`, () => withServer({ runtime_grant: word }, async (s) => {
    const { node, clients: [a, b] } = await meeting(s, 'off', MOD, target);
    if (allowed) await a.grant(node, b.jid);
    else {
      const e = await rejects(a.grant(node, b.jid));
      same([e.condition, e.text], ['not-allowed', 'Granting moderator is disabled'], 'refusal');
    }
    await everybodySees([a, b], b, allowed ? OWNER : 'member/participant', 'role');
    await done([a, b]);
  }));
}

test('permissions: the grantee gets what the granter has, and never more', async () => {
  const node = fresh('features');
  const a = await enter(server, node, MOD, { claims: { context: { features: { recording: true, livestreaming: false } } } });
  const b = await enter(server, node, BOB);
  await a.grant(node, b.jid);
  const p = await b.presenceOf(b.id, { where: (x) => x.role === 'moderator' });
  ok(p.permissions?.includes('recording=true'), 'recording passes on', p.el.raw);
  ok(!p.permissions.some((x) => /^(livestreaming|transcription)=true$/.test(x)), 'nothing that the granter lacks', p.permissions);
  equal(a.self.permissions, null, 'a token with features gets no block');
  await done([a, b]);
});

test('mode everyone: no revoke and no ban, but kick works; guests may not configure', () => withServer(
  { role_mode: 'everyone', allow_guests: true }, async (s) => {
    const { node, clients: [a, b, g] } = await meeting(s, 'every', { id: 'x' }, { id: 'y' }, null);
    for (const c of [a, b, g]) equal(c.self.role, 'moderator', 'everyone moderates');
    for (const item of [`<item affiliation='none' jid='${bare(b)}'/>`, `<item affiliation='outcast' jid='${bare(b)}'/>`]) {
      equal((await rejects(a.admin(node, item))).condition, 'forbidden', item);
    }
    const e = await rejects(g.configure(node, { 'muc#roomconfig_roomsecret': 'x' }), 'a guest configures');
    same([e.condition, e.text], ['not-allowed', 'Room modification disabled for guests'], 'refusal');
    await a.kick(node, b.id);
    await everybodySees([a, g], b, 'none/none', 'kick');
    await done([a, b, g]);
  }));

test('the last moderator leaves: token mode keeps, nobody inherits', async () => {
  const { node, clients: [a, b, d, g] } = await meeting(server, 'last', MOD, BOB, DENIED, null);
  const marks = [b, d, g].map((c) => c.mark());
  await a.leave(node);
  await settleAll(b, d, g);
  for (const [i, c] of [b, d, g].entries()) {
    same(c.presences({ since: marks[i] }).map((p) => [p.id, p.type]), [[a.id, 'unavailable']], 'all that happened');
  }
  const back = await enter(server, node, MOD);
  equal(back.self.role, 'moderator', 'she moderates again when she is back');
  await done([a, b, d, g, back]);
});

test('first-user: the longest present who was not denied is elected, once, and never a guest', () => withServer(
  { role_mode: 'first-user', allow_guests: true }, async (s) => {
    const { node, clients: [a, d, g, b, c] } = await meeting(s, 'elect', { id: 'a' }, DENIED, null, BOB, { id: 'c' });
    same([a, d, g, b, c].map((x) => x.self.role), ['moderator', ...Array(4).fill('participant')], 'who moderates at first');
    const marks = [d, g, b, c].map((x) => x.mark());
    await a.leave(node);
    const p = await c.presenceOf(b.id, { since: marks[3] });
    equal(roleOf(p), OWNER, 'the elected');
    await settleAll(d, g, b, c);
    for (const [i, x] of [d, g, b, c].entries()) {
      same(x.presences({ since: marks[i] }).map((y) => `${y.id === a.id ? 'left' : y.id === b.id ? 'elected' : y.id} ${y.role}`),
        ['left none', 'elected moderator'], 'one leaving, one election');
    }
    const again = await enter(s, node, { id: 'a' });
    equal(again.self.role, 'participant', 'the first one is not first any more');
    await b.revoke(node, b.jid);
    await settleAll(d, g, b, c, again);
    equal(last(g, c).role, 'moderator', 'stepping down elects the next one');
    equal(last(g, b).role, 'participant', 'and not the one who stepped down');
    await done([a, d, g, b, c, again]);
  }));

test('first-user: the same identity in a second tab moderates too; with another name it does not', () => withServer(
  { role_mode: 'first-user' }, async (s) => {
    const { node, clients: [a] } = await meeting(s, 'tabs', { id: 'same', name: 'Alice Example' });
    const tab = await enter(s, node, { id: 'same', name: 'Alice Example' });
    equal(tab.self.role, 'moderator', 'second tab');
    const shared = await enter(s, node, { id: 'same', name: 'Bob Example' });
    equal(shared.self.role, 'participant', 'a shared id');
    const number = await enter(s, node, { id: 1 });
    const text = await enter(s, node, { id: '1' });
    same([number.self.role, text.self.role], ['participant', 'participant'], 'others');
    await done([a, tab, shared, number, text]);
  }));

test('end: the room is closed when no moderator returns, and stays when one does', () => withServer(
  { on_last_moderator_left: 'end', end_after: 2 }, async (s) => {
    const { node, clients: [a, b] } = await meeting(s, 'end', MOD, BOB);
    let mark = b.mark();
    await a.leave(node);
    await a.join(node);
    await sleep(2600);
    await b.settle();
    equal(b.presences({ since: mark, id: b.id }).length, 0, 'a moderator who is back saves the meeting');
    mark = b.mark();
    await a.leave(node);
    const p = await b.presenceOf(b.id, { since: mark, timeout: 6000, where: (x) => x.type === 'unavailable' });
    ok(p.destroy, 'the room is destroyed', p.el.raw);
    await done([a, b]);
  }));

const short = { leeway: 0 };
test('expiry, keep: the meeting goes on, but the token opens no door any more', () => withServer({ ...short }, async (s) => {
  const node = fresh('keep');
  const token = s.token(MOD, { exp: now() + 3 });
  const a = await Client.connect(s, { token });
  await a.enter(node);
  const b = await enter(s, node, BOB);
  const mark = b.mark();
  await s.logged(/R_EXPIRED_KEPT/, { timeout: 8000 });
  await settleAll(a, b);
  equal(b.presences({ since: mark, id: a.id }).length, 0, 'presences about it');
  equal(roleOf(last(b, a)), OWNER, 'role');
  const e = await rejects(Client.connect(s, { token }), 'the expired token');
  match(e.text, /^Not acceptable by exp/, 'a new login');
  await done([a, b]);
}));

test('expiry, demote: one presence, member and participant', () => withServer({ ...short, on_expiry: 'demote' }, async (s) => {
  const node = fresh('demote');
  const a = await enter(s, node, MOD, { claims: { exp: now() + 3 } });
  const b = await enter(s, node, BOB);
  const mark = b.mark();
  const p = await b.presenceOf(a.id, { since: mark });
  equal(roleOf(p), 'member/participant', 'after the token ran out');
  await settleAll(a, b);
  equal(b.presences({ since: mark, id: a.id }).length, 1, 'presences about it');
  equal((await rejects(a.kick(node, b.id))).condition, 'forbidden', 'no power is left');
  await s.logged(/R_EXPIRED_DEMOTED/);
  await done([a, b]);
}));

test('expiry, disconnect: half a minute of notice, then the stream ends', () => withServer(
  { ...short, on_expiry: 'disconnect' }, async (s) => {
    const node = fresh('cut');
    const a = await enter(s, node, MOD, { claims: { exp: now() + 2 } });
    const b = await enter(s, node, BOB);
    const began = Date.now();
    const mark = b.mark();
    const gone = await b.presenceOf(a.id, { since: mark, timeout: 45000, where: (p) => p.type === 'unavailable' });
    equal(gone.role, 'none', 'she is out');
    ok(Date.now() - began > 25000, `a notice of half a minute; it took ${Date.now() - began} ms`);
    await a.waitClosed();
    ok(a.stanzas.some((e) => e.local === 'error' && e.ns === NS.streams), 'a stream error says so', a.tail());
    await s.logged(/E_EXP/);
    await b.close();
  }), { timeout: 60000 });

await run();
