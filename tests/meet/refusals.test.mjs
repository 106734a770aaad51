// Whoever is not let in reads why, in words; each refusal on the page that a person would see.
import { equal, lacks, match, ok } from '../support/harness.mjs';
import { until } from './browser.mjs';
import { ada, ben, come, expectMedia, expectPeople, gwen, meet, newRoom, server } from './scene.mjs';
import { PageClient } from './webpage.mjs';

const now = () => Math.floor(Date.now() / 1000);

async function refused(where, who) {
  const page = await PageClient.open(where, who);
  await page.press();
  return { page, seen: await page.refusal() };
}

/** The words are for people: nothing of the protocol in title and text. */
function plain(seen) {
  for (const words of [seen.title, seen.text]) {
    ok(words.length > 8, 'no words', seen);
    lacks(words, /jwt|not-allowed|not-authorized|E_[A-Z]|xmpp|\bexp\b|undefined|\[object/i, 'words for people');
  }
}

const user = { id: 'u-ada', name: 'Ada Lovelace', moderator: true };

const TOKENS = [
  ['an expired token', /expired/i, (where, room) => where.token(user, { room, exp: now() - 600 }), 'expired'],
  ['a token with a bad signature', /not accepted/i, (where, room) => where.token(user, { room }, { state: 'invalid' }), 'signature'],
  ['a token signed with another secret', /not accepted/i,
    (where, room) => where.token(user, { room }, { key: 'some-other-secret-0123456789-0123456789' }), 'secret'],
  ['a token that is no token', /not accepted/i, () => 'abc', 'garbled'],
  ['a token of another issuer', /not accepted/i, (where, room) => where.token(user, { room, iss: 'elsewhere' }), 'issuer'],
  ['a token that is not valid yet', /not valid yet/i, (where, room) => where.token(user, { room, nbf: now() + 600 }), 'early'],
  ['a token for another room', /another meeting/i, (where) => where.token(user, { room: 'elsewhere' }), 'room'],
];

for (const [what, title, make, shot] of TOKENS) {
  meet(`refused: ${what}`, async () => {
    const where = await server();
    const room = newRoom('refused');
    const { page, seen } = await refused(where, { name: 'Ada Lovelace', room, token: make(where, room) });
    match(seen.title, title, 'title');
    plain(seen);
    equal(await page.part('meeting').count(), 0, 'meetings on the page');
    await page.tab.shot(`refused-${shot}`);
  });
}

meet('refused: no token where one is needed', async () => {
  const where = await server('closed');
  const { page, seen } = await refused(where, gwen(where, newRoom('refused')));
  match(seen.title, /need an invitation/i, 'title');
  plain(seen);
  await page.tab.shot('refused-no-token');
});

meet('refused: a guest who is first waits for the host, and is let in when she comes', async () => {
  const where = await server();
  const room = newRoom('waiting');
  const { page: g, seen } = await refused(where, gwen(where, room));
  match(seen.title, /waiting for the host/i, 'title');
  plain(seen);
  g.who = gwen(where, room);
  await g.tab.shot('waiting-for-host');
  const a = await come('page', where, ada(where, room));
  await g.part('meeting').waitFor();
  await expectPeople(a, g);
  await expectMedia(a, g);
});

meet('refused: a password is asked for, refused when wrong, accepted when right', async () => {
  const where = await server();
  const room = newRoom('password');
  const a = await come('library', where, ada(where, room));
  await a.call('lock', 's3cret & <more>');
  const { page: b, seen } = await refused(where, ben(where, room));
  match(seen.title, /password/i, 'title');
  plain(seen);
  await b.tab.shot('password');
  await b.part('password-input').fill('wrong');
  await b.part('password-submit').click();
  await until('the words for a wrong password', async () => /not the password/i.test((await b.refusal()).text));
  await b.tab.shot('password-wrong');
  await b.part('password-input').fill('s3cret & <more>');
  await b.part('password-submit').click();
  await b.part('meeting').waitFor();
  await expectPeople(a, b);
  await expectMedia(a, b);
});

meet('refused: the meeting is full, and open again when somebody has left', async () => {
  const where = await server('pair');
  const room = newRoom('full');
  const a = await come('page', where, ada(where, room));
  const b = await come('library', where, ben(where, room));
  await expectPeople(a, b);
  const { page: g, seen } = await refused(where, gwen(where, room));
  g.who = gwen(where, room);
  match(seen.title, /full/i, 'title');
  plain(seen);
  await g.tab.shot('refused-full');
  await b.leave();
  await expectPeople(a);
  await g.part('rejoin-button').click();
  await g.part('meeting').waitFor();
  await expectPeople(a, g);
});

meet('refused: the server goes away: the page says so and comes back by itself', async () => {
  const where = await server();
  const room = newRoom('lost');
  const a = await come('page', where, ada(where, room));
  await a.tab.context.setOffline(true);
  await a.tab.cutOff();
  const seen = await a.refusal();
  match(seen.title, /disconnected|cannot be reached/i, 'title');
  plain(seen);
  await a.tab.shot('disconnected');
  await a.tab.context.setOffline(false);
  await a.part('meeting').waitFor({ timeout: 30_000 });
  await expectPeople(a);
}, 60);
