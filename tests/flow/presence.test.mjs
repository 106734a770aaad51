// presence.test.mjs - on joining everybody receives exactly one presence of the newcomer, and it is the final one.
//
// Asserted on the raw frames of every occupant, in every role mode, with fifty joining at once.
import { equal, fail, match, ok, run, same, test } from '../support/harness.mjs';
import { Client, enter, settleAll } from '../support/client.mjs';
import { withServer } from '../support/server.mjs';
import { NS } from '../support/xml.mjs';

const KINDS = ['moderator', 'denied', 'silent', 'guest', 'featured'];
const MODERATOR = 'owner/moderator';
const MEMBER = 'member/participant';
const GUEST = 'none/participant';

/** What each kind becomes where a moderator is already present. */
const EXPECTED = {
  token: { moderator: MODERATOR, featured: MODERATOR, denied: MEMBER, silent: MEMBER, guest: GUEST },
  'first-user': { moderator: MODERATOR, featured: MODERATOR, denied: MEMBER, silent: MEMBER, guest: GUEST },
  authenticated: { moderator: MODERATOR, featured: MODERATOR, denied: MEMBER, silent: MODERATOR, guest: GUEST },
  everyone: { moderator: MODERATOR, featured: MODERATOR, denied: MEMBER, silent: MODERATOR, guest: MODERATOR },
  none: { moderator: MEMBER, featured: MEMBER, denied: MEMBER, silent: MEMBER, guest: GUEST },
};

const PERMISSIONS = ['livestreaming', 'recording', 'transcription', 'outbound-call', 'create-polls', 'send-groupchat',
  'flip', 'live-translation', 'live-translation-subscribe'].map((n) => `${n}=true`).sort();

function tokenOf(server, kind, i) {
  const user = { id: `id-${i}`, name: `Name ${i}` };
  if (kind === 'guest') return undefined;
  if (kind === 'moderator' || kind === 'featured') user.moderator = true;
  if (kind === 'denied') user.moderator = i % 2 ? false : 'false';
  return server.token(user, kind === 'featured' ? { context: { features: { recording: true } } } : {});
}

/** Frames of one connection that are presences of one occupant: by text, not through any parser's eyes. */
function framesOf(client, occupant) {
  return client.frames.filter((f) => !f.out && /^<presence[ >]/.test(f.text)
    && new RegExp(`\\sfrom=(["'])${occupant.replace(/[.]/g, '\\.')}\\1`).test(f.text.slice(0, f.text.indexOf('>') + 1)));
}

function verify(server, node, people, expected) {
  for (const x of people) {
    const at = new Map();
    for (const y of people) {
      const own = x === y;
      const frames = framesOf(x.client, `${node}@${server.muc}/${y.client.id}`);
      equal(frames.length, 1, `presences of ${y.kind} ${y.i} on the connection of ${x.kind} ${x.i}`);
      at.set(y, x.client.frames.indexOf(frames[0]));
      const [p] = x.client.presences({ id: y.client.id });
      equal(`${p.affiliation}/${p.role}`, expected[y.kind], `${y.kind} ${y.i} as ${x.kind} ${x.i} sees it`);
      equal(p.name, y.kind === 'guest' ? `Guest ${y.i}` : `Name ${y.i}`, 'name');
      equal(p.jid, y.client.jid, 'real JID in the item');
      equal(p.codes.includes('110'), own, `status 110 in the presence of ${y.i} to ${x.i}`);
      equal(p.el.elements.at(-1).local === 'x' || own, true, 'the muc#user x is the last element');
      if (own && p.role === 'moderator' && y.kind !== 'featured') same([...p.permissions ?? []].sort(), PERMISSIONS, 'permissions');
      else equal(p.permissions, null, `no permissions in the presence of ${y.kind} to ${x.kind}`);
    }
    x.at = at;
  }
  // Those who were there first come before the self-presence, those who come later after it; never both or neither.
  for (const x of people) {
    for (const y of people) {
      if (x === y) continue;
      const yBefore = x.at.get(y) < x.at.get(x);
      const xBefore = y.at.get(x) < y.at.get(y);
      ok(yBefore !== xBefore, `order of ${x.kind} ${x.i} and ${y.kind} ${y.i}: each came ${yBefore ? 'before' : 'after'} the other`);
    }
    const focus = framesOf(x.client, `${node}@${server.muc}/focus`);
    equal(focus.length, 1, `presences of the focus to ${x.i}`);
    ok(x.client.frames.indexOf(focus[0]) < x.at.get(x), 'the focus comes before the self-presence');
  }
}

for (const mode of Object.keys(EXPECTED)) {
  test(`mode ${mode}: fifty join at once, exactly one final presence of each to each`, () => withServer(
    { role_mode: mode, allow_guests: true }, async (server) => {
      const node = `crowd-${mode}`;
      const opener = await enter(server, node, { id: 'opener', name: 'Name 0', ...(mode === 'first-user' ? {} : { moderator: true }) });
      const people = [{ kind: 'moderator', i: 0, client: opener }];
      const fresh = await Promise.all(Array.from({ length: 50 }, async (_, k) => {
        const kind = KINDS[k % KINDS.length];
        return { kind, i: k + 1, client: await Client.connect(server, { token: tokenOf(server, kind, k + 1) }) };
      }));
      await Promise.all(fresh.map(({ client, kind, i }) => client.enter(node,
        { name: kind === 'guest' ? `Guest ${i}` : `Typed ${i}`, timeout: 30000 })));
      people.push(...fresh);
      await settleAll(people.map((p) => p.client));
      verify(server, node, people, EXPECTED[mode]);
    }, { name: mode }), { timeout: 60000 });
}

test('no authentication: thirty arrive in an empty room at once and exactly one moderates', () => withServer(
  { auth: 'none' }, async (server) => {
    const clients = await Promise.all(Array.from({ length: 30 }, () => Client.connect(server)));
    await Promise.all(clients.map((c, i) => c.enter('open-door', { name: `N${i}`, timeout: 30000 })));
    await settleAll(clients);
    const moderators = new Set();
    for (const x of clients) {
      for (const y of clients) {
        const frames = framesOf(x, `open-door@${server.muc}/${y.id}`);
        equal(frames.length, 1, 'presences of one occupant to another');
        const [p] = x.presences({ id: y.id });
        if (p.role === 'moderator') moderators.add(y.id);
      }
    }
    equal(moderators.size, 1, 'moderators that anybody saw');
  }), { timeout: 60000 });

test('a reload gives one presence again, and a later presence one copy to each other occupant', () => withServer(
  { allow_guests: true }, async (server) => {
    const a = await enter(server, 'again', { id: 'a', name: 'Alice Example', moderator: true });
    const b = await enter(server, 'again', { id: 'b', name: 'Bob Example' });
    let mark = b.mark();
    await a.leave('again');
    a.drop();
    const a2 = await enter(server, 'again', { id: 'a', name: 'Alice Example', moderator: true }, { id: a.id });
    await settleAll(a2, b);
    const seen = b.presences({ since: mark, id: a.id });
    same(seen.map((p) => `${p.type} ${p.role}`), ['unavailable none', 'available moderator'], 'a reload as the other sees it');
    equal(seen[1].name, 'Alice Example', 'her name after the reload');
    mark = b.mark();
    a2.update('again', { id: a.id, extra: '<jitsi_participant_raisedHand>1700000000000</jitsi_participant_raisedHand>' });
    await settleAll(a2, b);
    const updates = b.presences({ since: mark, id: a.id });
    equal(updates.length, 1, 'copies of one update');
    equal(updates[0].role, 'moderator', 'role in the update');
    equal(updates[0].name, 'Alice Example', 'name in the update, although the client sent none');
    equal(updates[0].el.get('jitsi_participant_raisedHand')?.text, '1700000000000', 'unknown elements are relayed');
  }));

const FIRST = { ws: /^<open /, tcp: /^<stream:stream /, bosh: /^<stream:features / };
test('what clients look for stands literally in the bytes', () => withServer({ allow_guests: true }, async (server) => {
  const a = await enter(server, 'bytes', { id: 'a', name: 'Alice Example', moderator: true });
  const b = await enter(server, 'bytes', null, { name: 'Gil' });
  await settleAll(a, b);
  for (const c of [a, b]) {
    for (const f of c.frames.filter((x) => !x.out)) {
      equal(f.binary, false, 'text frames only');
      const head = f.text.slice(0, f.text.indexOf('>') + 1);
      if (/^<(presence|message|iq)/.test(f.text)) {
        ok(/xmlns=(['"])jabber:client\1/.test(head), 'every stanza carries xmlns=jabber:client', head);
      }
      if (/^<presence/.test(f.text)) {
        ok(/<x xmlns=(['"])http:\/\/jabber\.org\/protocol\/muc#user\1/.test(f.text), 'x has its own xmlns', f.text);
        equal(f.text.match(/<x[ >]/g).length, 1, 'one x only');
        ok(/\sto=['"]/.test(head), 'to is never dropped', head);
      }
      if (/<permissions/.test(f.text)) ok(/<permissions xmlns=(['"])http:\/\/jitsi\.org\/jitmeet\1/.test(f.text), 'permissions', f.text);
    }
    match(c.frames.find((f) => !f.out).text, FIRST[c.constructor.door], 'what comes first');
    equal(c.opening.attrs.version, '1.0', 'version of the stream');
    equal(c.features.ns, NS.streams, 'namespace of the features');
  }
  const self = a.presences({ id: a.id })[0];
  same(self.codes, ['100', '110'], 'codes of the self-presence');
  if (!self.permissions) fail('the moderator must be told permissions', self.el.raw);
  const focus = b.presences({ id: 'focus' })[0];
  same([focus.affiliation, focus.role], ['owner', 'moderator'], 'the focus');
  const reply = await b.conference('bytes');
  ok(focus.jid.startsWith(`${reply.attrs.focusjid}/`), 'focusjid names the focus', focus.jid, reply.attrs);
}));

await run();
