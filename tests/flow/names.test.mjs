// names.test.mjs - whose name is shown: frozen by the token, chosen by guests, marked where it imitates; and pictures.
import { equal, match, ok, run, same, sleep, test } from '../support/harness.mjs';
import { enter, settleAll } from '../support/client.mjs';
import { serverFor, withServer } from '../support/server.mjs';
import { NS } from '../support/xml.mjs';

const server = await serverFor({ allow_guests: true });
const ALICE = { id: 'a', name: 'Alice Example', moderator: true };

let serial = 0;
const fresh = (what) => `${what}-${(serial += 1)}`;
/** The last that one client saw of another, when everything has arrived. */
async function last(watcher, c) {
  await settleAll(c, watcher);
  return watcher.presences({ id: c.id }).at(-1);
}
const done = (clients) => Promise.all(clients.map((c) => c.close()));

/** Notices that a client got by private JSON message. */
const notices = (c, since = 0) => c.stanzas.slice(since).filter((e) => e.local === 'message')
  .map((e) => e.get('json-message', NS.jitmeet)?.text).filter(Boolean).map((t) => JSON.parse(t))
  .filter((m) => m.type === 'system_chat_message');

async function rename(watcher, c, node, name) {
  const mark = watcher.mark();
  c.update(node, { name });
  await settleAll(watcher, c);
  const seen = watcher.presences({ since: mark, id: c.id });
  equal(seen.length, 1, `presences after typing ${name}`);
  return seen[0].name;
}

test('a frozen name stays, whatever is typed, for others and for herself', async () => {
  const node = fresh('frozen');
  const a = await enter(server, node, ALICE, { name: 'Mallory' });
  const g = await enter(server, node, null, { name: 'Gil' });
  equal(a.self.name, 'Alice Example', 'self-presence');
  equal((await last(g, a)).name, 'Alice Example', 'what the guest sees');
  for (const typed of ['New name', '', null, 'Alice Example', '<b>x</b>']) {
    equal(await rename(g, a, node, typed), 'Alice Example', `others after typing ${typed}`);
  }
  const own = a.presences({ id: a.id }).map((p) => p.name);
  same([...new Set(own)], ['Alice Example'], 'every self-presence');
  const late = await enter(server, node, { id: 'late' });
  equal((await last(late, a)).name, 'Alice Example', 'what a newcomer sees');
  await done([a, g, late]);
});

test('who gets round the locked field is told, at most once in half a minute', async () => {
  const node = fresh('notice');
  const a = await enter(server, node, ALICE, { name: 'Alice Example' });
  equal(notices(a).length, 0, 'no notice without a reason');
  const mark = a.mark();
  for (const typed of ['One', 'Two', 'Three']) a.update(node, { name: typed });
  await settleAll(a);
  const told = notices(a, mark);
  equal(told.length, 1, 'notices');
  equal(told[0].message, 'Your name is set by your organisation. Others see: Alice Example', 'its words');
  ok(told[0].displayName, 'it has a sender\'s name', told[0]);
  await a.close();
});

test('guests choose and change their name, cleaned', async () => {
  const node = fresh('guest');
  const a = await enter(server, node, ALICE);
  const g = await enter(server, node, null, { name: '  Anna\u202e   \u200bB. ' });
  equal((await last(a, g)).name, 'Anna B.', 'cleaned at join');
  for (const [typed, shown] of [['Anna C.', 'Anna C.'], ['O\'Neil & Söhne <b>', 'O\'Neil & Söhne <b>'], ['x'.repeat(70), 'x'.repeat(50)],
    ['😀'.repeat(40), '😀'.repeat(25)], ['a\tb\nc', 'a b c'], ['e\u0301', '\u00e9']]) {
    equal(await rename(a, g, node, typed), shown, `others after typing ${JSON.stringify(typed.slice(0, 20))}`);
  }
  equal(await rename(a, g, node, '\u200b \u2800'), null, 'nothing usable: no name');
  await done([a, g]);
});

test('imitations of a frozen name are marked, in both orders, and lose the mark with the next name', async () => {
  const node = fresh('clash');
  const a = await enter(server, node, { ...ALICE, name: 'Arnold' });
  const g = await enter(server, node, null, { name: 'Ar nold\u3164' });
  equal((await last(a, g)).name, 'Ar nold (guest)', 'rn and blank letters');
  equal(g.self.name, 'Ar nold (guest)', 'he himself sees it too');
  equal(notices(g).length, 1, 'he is told');
  for (const [typed, shown] of [['Аrnоld', 'Аrnоld (guest)'], ['AMOLD', 'AMOLD (guest)'], ['Arnold (Host)', 'Arnold (Host)'],
    ['Bernd', 'Bernd'], ['Arn0ld', 'Arn0ld (guest)'], [`Arnold${' '.repeat(60)}x`, `Arnold x`]]) {
    equal(await rename(a, g, node, typed), shown, `others after typing ${typed}`);
  }
  await rename(a, g, node, 'Carla');
  const mark = a.mark();
  const c = await enter(server, node, { id: 'c', name: 'Carla' });
  await settleAll(a, g, c);
  same(a.presences({ since: mark }).map((p) => [p.id === g.id ? 'guest' : 'carla', p.name]).sort(),
    [['carla', 'Carla'], ['guest', 'Carla (guest)']], 'the bearer of the name comes second: one presence more');
  equal((await last(c, g)).name, 'Carla (guest)', 'what she sees');
  await c.leave(node);
  await settleAll(a, g);
  equal((await last(a, g)).name, 'Carla (guest)', 'the mark stays until he renames');
  equal(await rename(a, g, node, 'Carla'), 'Carla (guest)', 'the same name again is no renaming');
  equal(await rename(a, g, node, 'Karin'), 'Karin', 'another name');
  equal(await rename(a, g, node, 'Carla'), 'Carla', 'then the mark is gone');
  const two = await enter(server, node, { id: 'a3', name: 'Arnold' });
  equal((await last(a, two)).name, 'Arnold', 'two tokens may bear one name');
  await done([a, g, c, two]);
});

test('a verified user without a token name is marked as self-named, not as guest', async () => {
  const node = fresh('selfnamed');
  const a = await enter(server, node, ALICE);
  const b = await enter(server, node, { id: 'b' }, { name: 'Alice Example' });
  equal((await last(a, b)).name, 'Alice Example (self-named)', 'his mark');
  await done([a, b]);
});

test('guest_clash=always marks every typed name, allow marks none; suffixes fit into name_max', async () => {
  await withServer({ allow_guests: true, guest_clash: 'always', name_max: 20 }, async (s) => {
    const a = await enter(s, 'x', ALICE);
    const g = await enter(s, 'x', null, { name: 'Gil' });
    equal((await last(a, g)).name, 'Gil (guest)', 'always');
    equal(await rename(a, g, 'x', 'Gilbert-and-very-long'), 'Gilbert-and- (guest)', 'shortened, so that all of it fits');
    await done([a, g]);
  });
  await withServer({ allow_guests: true, guest_clash: 'allow' }, async (s) => {
    const a = await enter(s, 'x', ALICE);
    const g = await enter(s, 'x', null, { name: 'Alice Example' });
    equal((await last(a, g)).name, 'Alice Example', 'allow');
    await done([a, g]);
  });
});

test('name_mode per-claim and free', async () => {
  await withServer({ name_mode: 'per-claim' }, async (s) => {
    const locked = await enter(s, 'x', ALICE, { name: 'Ally', claims: { context: { features: { 'name-readonly': true } } } });
    const open = await enter(s, 'x', { id: 'b', name: 'Bob Example' }, { name: 'Bobby' });
    const nameless = await enter(s, 'x', { id: 'n' }, { name: 'Nobody', claims: { context: { features: { 'name-readonly': 'true' } } } });
    await settleAll(locked, open, nameless);
    same([(await last(open, locked)).name, (await last(locked, open)).name, (await last(locked, nameless)).name], ['Alice Example', 'Bobby', null], 'per-claim');
    await done([locked, open, nameless]);
  });
  await withServer({ name_mode: 'free' }, async (s) => {
    const a = await enter(s, 'x', ALICE);
    const b = await enter(s, 'x', { id: 'b', name: 'Bob Example' });
    equal((await last(b, a)).name, 'Alice Example', 'the token\'s name at first');
    equal(await rename(b, a, 'x', 'Ally'), 'Ally', 'then what she types');
    await done([a, b]);
  });
});

test('identity comes from the token, in the configured fields; a made-up one is removed', async () => {
  const node = fresh('identity');
  const user = { id: 'a', name: 'Alice Example', avatar: 'https://example.org/a.png', email: 'a@example.org', moderator: true, secretive: 'private', 'bad key': 'x' };
  const fake = '<identity><user><id>boss</id><name>Boss</name></user></identity>';
  const a = await enter(server, node, user, { extra: fake });
  const g = await enter(server, node, null, { name: 'Gil', extra: fake });
  await settleAll(a, g);
  const identities = (await last(g, a)).el.all('identity');
  equal(identities.length, 1, 'identities of the token\'s user');
  const fields = Object.fromEntries(identities[0].get('user').elements.map((e) => [e.local, e.text]));
  same(fields, { id: 'a', name: 'Alice Example', avatar: 'https://example.org/a.png' }, 'what everybody may see');
  ok(identities[0].get('group'), 'group is there', identities[0].elements.map((e) => e.local));
  equal((await last(a, g)).el.all('identity').length, 0, 'identities of a guest');
  await done([a, g]);
});

test('pictures and addresses: a frozen name\'s come from the token, borrowed ones are removed', async () => {
  const node = fresh('avatar');
  const extra = (email, avatar) => `<email>${email}</email><avatar-url>${avatar}</avatar-url>`;
  const a = await enter(server, node, { id: 'a', name: 'Alice Example', email: 'a@example.org', avatar: 'https://example.org/a.png' },
    { extra: extra('boss@example.org', 'https://example.org/boss.png') });
  const b = await enter(server, node, { id: 'b', name: 'Bob Example' }, { extra: extra('a@example.org', 'https://example.org/a.png') });
  const g = await enter(server, node, null, { name: 'Gil', extra: extra('a@example.org', 'https://example.org/a.png') });
  const h = await enter(server, node, null, { name: 'Hal', extra: extra('hal@example.org', 'http://example.org/plain.png') });
  const k = await enter(server, node, null, { name: 'Kim', extra: extra('kim@example.org', 'https://example.org/kim.png') });
  await settleAll(a, b, g, h, k);
  const shown = async (watcher, c) => {
    const { el } = await last(watcher, c);
    return [el.get('email')?.text ?? null, el.get('avatar-url')?.text ?? null];
  };
  same(await shown(g, a), ['a@example.org', 'https://example.org/a.png'], 'the token\'s');
  same(await shown(g, b), [null, null], 'a frozen name whose token has none');
  same(await shown(a, g), [null, null], 'borrowed by a guest');
  same(await shown(a, h), ['hal@example.org', null], 'a picture without https');
  same(await shown(a, k), ['kim@example.org', 'https://example.org/kim.png'], 'a guest\'s own');
  await done([a, b, g, h, k]);
});

test('what a client says about itself is relayed, but not what only the server may say', async () => {
  const node = fresh('relay');
  const a = await enter(server, node, ALICE);
  const g = await enter(server, node, null, {
    name: 'Gil',
    extra: `<permissions xmlns='${NS.jitmeet}'><p name='recording' val='true'/></permissions>`
      + `<x xmlns='${NS.user}'><item affiliation='owner' role='moderator' jid='focus@auth.meet.jitsi/focus'/><status code='110'/></x>`
      + '<jitsi_participant_codecList>av1,vp9</jitsi_participant_codecList><custom-thing a=\'1\'>x</custom-thing>',
  });
  await settleAll(a, g);
  const p = await last(a, g);
  same([p.affiliation, p.role, p.jid, p.permissions, p.el.all('x').length], ['none', 'participant', g.jid, null, 1], 'nothing borrowed from the server');
  same([p.el.get('jitsi_participant_codecList')?.text, p.el.get('custom-thing')?.attrs.a], ['av1,vp9', '1'], 'the rest is relayed');
  await done([a, g]);
});

test('the notice comes again after half a minute, not before', async () => {
  const node = fresh('again');
  const a = await enter(server, node, ALICE, { name: 'Alice Example' });
  a.update(node, { name: 'One' });
  await sleep(31000);
  a.update(node, { name: 'Two' });
  await settleAll(a);
  equal(notices(a).length, 2, 'notices');
  match(notices(a)[1].message, /Others see: Alice Example$/, 'words');
  await a.close();
}, { timeout: 50000 });

await run();
