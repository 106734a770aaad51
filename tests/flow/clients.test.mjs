// clients.test.mjs - the same conversation with three XMPP libraries that nobody here wrote, alone and mixed.
import { equal, match, ok, rejects, run, same, test } from '../support/harness.mjs';
import { LIBRARIES } from '../support/libraries.mjs';
import { serverFor } from '../support/server.mjs';
import { now } from '../support/token.mjs';

const open = await serverFor({ allow_guests: true }, { name: 'guests welcome' });
const closed = await serverFor({}, { name: 'tokens only' });

const bare = (jid) => jid.split('/')[0];
const roleOf = (p) => `${p.affiliation}/${p.role}`;

/** A moderator, a participant and a guest, each with the library of its turn. */
async function conversation(Moderator, Participant, Guest, node) {
  const room = `${node}@${open.muc}`;
  const clients = [];
  const start = async (Library, token) => {
    const c = await new Library(open).connect(token);
    clients.push(c);
    return c;
  };
  try {
    const m = await start(Moderator, open.token({ id: 'm', name: 'Alice Example', moderator: true }));
    const own = await m.join(room, 'aaaa1111', 'Typed Name');
    equal(roleOf(own), 'owner/moderator', 'the moderator sees herself');
    equal(own.name, 'Alice Example', 'the moderator\'s own name');
    ok(own.codes.includes('110'), 'self-presence carries 110', own);
    equal(own.jid, m.jid, 'the item holds the real JID');

    const p = await start(Participant, open.token({ id: 'p', name: 'Bob Example' }));
    equal(roleOf(await p.join(room, 'bbbb2222', null)), 'member/participant', 'the participant sees himself');
    equal((await m.see('bbbb2222')).name, 'Bob Example', 'the participant\'s name as the moderator sees it');

    const g = await start(Guest);
    const guest = await g.join(room, 'cccc3333', 'Gil');
    equal(roleOf(guest), 'none/participant', 'the guest sees himself');
    equal(guest.name, 'Gil', 'the guest\'s name');
    for (const c of [m, p]) equal(roleOf(await c.see('cccc3333')), 'none/participant', 'the guest as others see him');
    for (const c of [p, g]) equal(roleOf(await c.see('aaaa1111')), 'owner/moderator', 'the moderator as others see her');

    // Names: the token's stays, the guest's changes.
    let at = p.mark();
    await m.rename(room, 'aaaa1111', 'New name');
    equal((await p.see('aaaa1111', at)).name, 'Alice Example', 'the moderator after her rename, seen by the participant');
    at = p.mark();
    await g.rename(room, 'cccc3333', 'Gilbert');
    equal((await p.see('cccc3333', at)).name, 'Gilbert', 'the guest after his rename');

    // Powers: none for guest and participant, all for the moderator.
    for (const c of [g, p]) equal((await rejects(c.grant(room, bare(g.jid)), 'a grant by a participant')).condition, 'forbidden');
    equal((await rejects(p.kick(room, 'aaaa1111'), 'a kick by a participant')).condition, 'forbidden');
    at = g.mark();
    await m.grant(room, bare(g.jid));
    equal(roleOf(await g.see('cccc3333', at, (x) => x.role === 'moderator')), 'owner/moderator', 'the guest after the grant');
    equal(roleOf(await p.see('cccc3333', 0, (x) => x.role === 'moderator')), 'owner/moderator', 'seen by the participant');

    at = p.mark();
    const seen = g.mark();
    await m.kick(room, 'bbbb2222');
    for (const [c, mark] of [[p, at], [g, seen]]) {
      const out = await c.see('bbbb2222', mark, (x) => x.type === 'unavailable');
      ok(out.codes.includes('307'), 'a kick carries 307', out);
      equal(out.actor, 'aaaa1111', 'the actor of the kick');
      equal(roleOf(out), 'none/none', 'what is left to the kicked');
    }
  } finally {
    for (const c of clients) await c.leave();
  }
}

for (const L of LIBRARIES) {
  test(`${L.title}: join, roles, names, rename, grant, kick`, () => conversation(L, L, L, `alone-${LIBRARIES.indexOf(L)}`));
}
test('the three libraries in one meeting, in each place', async () => {
  const [a, b, c] = LIBRARIES;
  await conversation(a, b, c, 'mixed-1');
  await conversation(b, c, a, 'mixed-2');
  await conversation(c, a, b, 'mixed-3');
});

for (const L of LIBRARIES) {
  test(`${L.title}: refusals arrive with condition and words`, async () => {
    const connect = (server, token) => rejects(new L(server).connect(server.keep(token)), 'a connection with a bad token');
    const texts = [];
    for (const [token, text] of [
      [open.token({ id: 'x' }, { exp: now() - 3600 }), /^Not acceptable by exp/],
      [open.token({ id: 'x' }, {}, { state: 'invalid' }), /^Invalid signature$/],
      [open.token({ id: 'x' }, { iss: 'somebody' }), /^invalid 'iss' claim$/],
      ['not.a.token', /^Invalid token$/],
    ]) {
      const e = await connect(open, token);
      equal(e.condition, L.saslConditions ? 'not-allowed' : null, `condition for ${text}`);
      match(e.text, text, 'refusal text');
      texts.push(e.text);
    }
    equal(new Set(texts).size, 4, 'four different texts');
    const e = await connect(closed, undefined);
    same([e.condition, e.text], [L.saslConditions ? 'not-allowed' : null, 'token required'], 'no token where guests are not allowed');
    const c = await new L(open).connect(open.token({ id: 'x', moderator: true }, { room: 'other' }));
    const j = await rejects(c.join(`demo@${open.muc}`, 'dddd4444', null), 'a join into another room');
    same([j.condition, j.text], ['not-allowed', 'Room does not match the room from token'], 'room mismatch');
    await c.leave();
  });
}

await run();
