// clients.test.mjs - the same conversation with five XMPP libraries that nobody here wrote, by every door that each knows,
// alone and mixed. What is expected is the same for all of them.
import { randomBytes } from 'node:crypto';
import { equal, match, ok, rejects, run, same, test } from '../support/harness.mjs';
import { LIBRARIES, StropheClient, takesTokens } from '../support/libraries.mjs';
import { makeCertificate } from '../support/certificates.mjs';
import { freePort, serverFor, temporaryFolder } from '../support/server.mjs';
import { now } from '../support/token.mjs';

const pair = makeCertificate(temporaryFolder(), 'clients.example', { names: ['127.0.0.1'] });
const doors = async () => ({
  xmpp_port: await freePort(), xmpp_tls_port: await freePort(),
  https_port: await freePort(), tls_certificate: pair.certificate, tls_key: pair.key,
});
const PASSWORD = randomBytes(12).toString('hex');
const ACCOUNT = { jid: 'recorder@hidden.meet.jitsi', password: PASSWORD };
const open = await serverFor({ allow_guests: true, accounts: [ACCOUNT], ...await doors() }, { name: 'guests welcome' });
const closed = await serverFor({ ...await doors() }, { name: 'tokens only' });
const free = await serverFor({ auth: 'none', ...await doors() }, { name: 'no tokens' });

// A seat is a library at a door.
const SEATS = LIBRARIES.flatMap((Library) => Library.doors.map((door) => ({ Library, door, title: `${Library.title} by ${door}` })));
const WEB = { Library: StropheClient, door: 'ws' };

/** Who takes part, with what the others are to see: where tokens say it, and where nobody has one. */
const WITH_TOKENS = {
  server: open,
  moderator: { token: () => open.token({ id: 'm', name: 'Alice Example', moderator: true }), role: 'owner/moderator', name: 'Alice Example', renamed: 'Alice Example' },
  participant: { token: () => open.token({ id: 'p', name: 'Bob Example' }), role: 'member/participant', name: 'Bob Example' },
  guest: { role: 'none/participant', name: 'Gil', renamed: 'Gilbert' },
};
const WITHOUT = {
  server: free,
  moderator: { role: 'owner/moderator', name: 'Typed Name', renamed: 'New name' },
  participant: { role: 'none/participant', name: null },
  guest: { role: 'none/participant', name: 'Gil', renamed: 'Gilbert' },
};

const bare = (jid) => jid.split('/')[0];
const roleOf = (p) => `${p.affiliation}/${p.role}`;
const A = 'aaaa1111';
const B = 'bbbb2222';
const C = 'cccc3333';

/** A moderator, a participant and a guest, each at his seat. */
async function conversation(cast, [atModerator, atParticipant, atGuest], node) {
  const { server, moderator, participant, guest } = cast;
  const room = `${node}@${server.muc}`;
  const clients = [];
  const start = async ({ Library, door }, { token }) => {
    const c = await new Library(server, door).connect(token?.());
    clients.push(c);
    return c;
  };
  try {
    const m = await start(atModerator, moderator);
    const own = await m.join(room, A, 'Typed Name');
    equal(roleOf(own), moderator.role, 'the moderator sees herself');
    equal(own.name, moderator.name, 'the moderator\'s own name');
    ok(own.codes.includes('110'), 'self-presence carries 110', own);
    equal(own.jid, m.jid, 'the item holds the real JID');

    const p = await start(atParticipant, participant);
    equal(roleOf(await p.join(room, B, null)), participant.role, 'the participant sees himself');
    const met = await m.see(B);
    same([met.name, roleOf(met)], [participant.name, participant.role], 'the participant as the moderator sees him');

    const g = await start(atGuest, guest);
    const self = await g.join(room, C, 'Gil');
    same([roleOf(self), self.name], [guest.role, guest.name], 'the guest sees himself');
    for (const c of [m, p]) equal(roleOf(await c.see(C)), guest.role, 'the guest as others see him');
    for (const c of [p, g]) equal(roleOf(await c.see(A)), moderator.role, 'the moderator as others see her');
    for (const c of [m, p, g]) ok((await c.see('focus')).role === 'moderator', 'the focus');

    // Words: everybody hears everybody once, himself too.
    const words = (who) => `${who} says <&>"'\u{1f600} ä ${'x'.repeat(3000)}`;
    for (const [c, who] of [[m, A], [p, B], [g, C]]) await c.say(room, words(who));
    for (const c of [m, p, g]) {
      for (const who of [A, B, C]) {
        const heard = await c.hear(words(who));
        same([heard.from, heard.type], [`${room}/${who}`, 'groupchat'], 'who said it');
      }
    }

    // Names: the token's stays, one without is free.
    let at = p.mark();
    await m.rename(room, A, 'New name');
    equal((await p.see(A, at)).name, moderator.renamed, 'the moderator after her rename, seen by the participant');
    at = p.mark();
    await g.rename(room, C, 'Gilbert');
    equal((await p.see(C, at)).name, guest.renamed, 'the guest after his rename');

    // Powers: none for guest and participant, all for the moderator.
    for (const c of [g, p]) equal((await rejects(c.grant(room, bare(g.jid)), 'a grant by a participant')).condition, 'forbidden');
    equal((await rejects(p.kick(room, A), 'a kick by a participant')).condition, 'forbidden');
    at = p.mark();
    let seen = g.mark();
    await m.grant(room, bare(g.jid));
    for (const [c, mark] of [[g, seen], [p, at]]) equal(roleOf(await c.see(C, mark)), 'owner/moderator', 'the guest after the grant');
    at = p.mark();
    seen = g.mark();
    await m.revoke(room, bare(g.jid));
    for (const [c, mark] of [[g, seen], [p, at]]) equal(roleOf(await c.see(C, mark)), guest.role, 'the guest after the revoke');

    for (const c of [m, p, g]) {
      for (const who of [A, B, C]) equal(c.messages.filter((x) => x.body === words(who)).length, 1, `times that ${who} was heard`);
    }

    at = p.mark();
    seen = g.mark();
    await m.kick(room, B);
    for (const [c, mark] of [[p, at], [g, seen]]) {
      const out = await c.see(B, mark, (x) => x.type === 'unavailable');
      ok(out.codes.includes('307'), 'a kick carries 307', out);
      equal(out.actor, A, 'the actor of the kick');
      equal(roleOf(out), 'none/none', 'what is left to the kicked');
    }
    equal(roleOf(await p.join(room, B, null)), participant.role, 'the kicked comes back');

    // Leaving is seen, and nobody has seen anything twice; the kicked has met him twice.
    await g.leave();
    for (const c of [m, p]) await c.see(C, 0, (x) => x.type === 'unavailable');
    const seenOf = (c) => c.presences.filter((x) => x.from === `${room}/${C}`).map((x) => `${x.type} ${x.name} ${x.role}`);
    const story = [`available ${guest.name} participant`, `available ${guest.renamed} participant`, `available ${guest.renamed} moderator`,
      `available ${guest.renamed} participant`];
    const end = 'unavailable null none';
    same(seenOf(m), [...story, end], 'the guest as the moderator saw him');
    same(seenOf(p), [...story, story.at(-1), end], 'the guest as the kicked saw him');
  } finally {
    for (const c of clients) await c.leave();
  }
}

for (const [i, seat] of SEATS.entries()) {
  const first = takesTokens(seat.door) ? seat : WEB; // a token needs a URL
  test(`${seat.title}: join, roles, names, words, rename, grant, revoke, kick, leave`, async () => {
    await conversation(WITH_TOKENS, [first, first, seat], `alone-${i}`);
    await conversation(WITHOUT, [seat, seat, seat], `free-${i}`);
  });
}

test('all of them in turn in one meeting, each in each place', async () => {
  const at = (i) => SEATS[i % SEATS.length];
  // far apart in the list: different libraries, different doors
  for (let i = 0; i < SEATS.length; i += 1) await conversation(WITHOUT, [at(i), at(i + 5), at(i + 10)], `mixed-${i}`);
}, { timeout: 60000 });

for (const { Library, door, title } of SEATS) {
  test(`${title}: refusals arrive with condition and words`, async () => {
    const connect = (server, token) => rejects(new Library(server, door).connect(server.keep(token)), 'a connection with a bad token');
    const none = await connect(closed, undefined);
    equal(none.condition, Library.notAllowed, 'no token where guests are not allowed');
    equal(none.text, Library.saslWords ? 'token required' : null, 'the words for it');

    const guest = await new Library(open, door).connect();
    const host = await rejects(guest.join(`nobody-here@${open.muc}`, 'eeee5555', 'Gil'), 'a guest opens a room');
    same([host.condition, host.text], Library.asks ? ['not-authorized', 'not authorized user domain'] : ['not-allowed', 'Room creation is restricted'],
      'the refusal');
    await guest.leave();
    if (!takesTokens(door)) return;

    const texts = [];
    for (const [token, text] of [
      [open.token({ id: 'x' }, { exp: now() - 3600 }), /^Not acceptable by exp/],
      [open.token({ id: 'x' }, {}, { state: 'invalid' }), /^Invalid signature$/],
      [open.token({ id: 'x' }, { iss: 'somebody' }), /^invalid 'iss' claim$/],
      ['not.a.token', /^Invalid token$/],
    ]) {
      const e = await connect(open, token);
      equal(e.condition, Library.notAllowed, `condition for ${text}`);
      match(e.text, text, 'refusal text');
      texts.push(e.text);
    }
    equal(new Set(texts).size, 4, 'four different texts');
    const c = await new Library(open, door).connect(open.token({ id: 'x', moderator: true }, { room: 'other' }));
    const j = await rejects(c.join(`demo@${open.muc}`, 'dddd4444', null), 'a join into another room');
    same([j.condition, j.text], ['not-allowed', 'Room does not match the room from token'], 'room mismatch');
    await c.leave();
  });
}

for (const [i, { Library, door, title }] of SEATS.entries()) {
  test(`${title}: a recorder comes with its password, and is no moderator`, async () => {
    const room = `recorded-${i}@${open.muc}`;
    const m = await new WEB.Library(open, WEB.door).connect(WITH_TOKENS.moderator.token());
    await m.join(room, A, null);
    await rejects(new Library(open, door).connect(undefined, { ...ACCOUNT, password: 'another' }), 'a wrong password');
    const r = await new Library(open, door).connect(undefined, ACCOUNT);
    equal(bare(r.jid), ACCOUNT.jid, 'who it is');
    const own = await r.join(room, B, 'Recorder');
    for (const p of [own, await m.see(B)]) same([roleOf(p), p.name, bare(p.jid)], ['none/participant', 'Recorder', ACCOUNT.jid], 'how it is seen');
    // It may remove people as its protocol needs, but makes nobody a moderator nor unmakes one, whatever it is told.
    const at = m.mark();
    await rejects(r.grant(room, bare(r.jid)), 'a grant to itself');
    await r.revoke(room, bare(m.jid));
    await m.say(room, 'still here');
    await r.hear('still here');
    const after = m.presences.slice(at).filter((p) => /(aaaa1111|bbbb2222)$/.test(p.from));
    same(after.map((p) => [p.type, roleOf(p)]), after.map((p) => ['available', p.from.endsWith(A) ? 'owner/moderator' : 'none/participant']), 'roles');
    await r.leave();
    await m.see(B, 0, (p) => p.type === 'unavailable');
    await m.leave();
  });
}

await run();
