// Chat between the clients, both ways, in public and in private; what is typed is text.
import { equal, ok, sleep } from '../support/harness.mjs';
import { until } from './browser.mjs';
import { ada, ben, come, gwen, meet, newRoom, server } from './scene.mjs';

const WORDS = 'Hello <b>there</b> & "you", ça va? 👋🏽';

const heard = (client, text) => until(`"${text}" at ${client.name}`,
  async () => (await client.messages()).find((m) => m.text === text));

for (const [first, second] of [['page', 'page'], ['page', 'library']]) {
  meet(`chat: ${first} and ${second}, both ways`, async () => {
    const where = await server();
    const room = newRoom('chat');
    const a = await come(first, where, ada(where, room));
    const b = await come(second, where, gwen(where, room));
    await a.other(b.name);
    await b.other(a.name);
    await a.say(WORDS);
    const atB = await heard(b, WORDS);
    await heard(a, WORDS);
    if (second === 'page') equal(atB.name, 'Ada Lovelace', 'name beside the line');
    await b.say(`back: ${WORDS}`);
    const atA = await heard(a, `back: ${WORDS}`);
    equal(atA.name, 'Gwen', 'name beside the line');
    equal((await a.messages()).filter((m) => m.text === WORDS).length, 1, 'copies of the own line');
    await a.tab.shot(`chat-${first}-${second}`);
    // Who comes later reads what was said, with the names.
    const c = await come('page', where, ben(where, room));
    equal((await heard(c, WORDS)).name, 'Ada Lovelace', 'name in the history');
  });
}

meet('chat: a private line reaches one person only', async () => {
  const where = await server();
  const room = newRoom('chat');
  const a = await come('page', where, ada(where, room));
  const b = await come('library', where, ben(where, room));
  const g = await come('page', where, gwen(where, room));
  await a.other(b.name);
  await a.other(g.name);
  await g.other(a.name);
  await a.sayTo(b.name, 'for Ben only');
  equal((await heard(b, 'for Ben only')).private, true, 'it came as a private line');
  await a.sayTo(g.name, 'for Gwen only');
  const line = await heard(g, 'for Gwen only');
  equal(line.kind, 'private', 'kind of line');
  ok(/Ada Lovelace/.test(line.name), 'it does not say from whom', line);
  await sleep(300);
  equal((await g.messages()).some((m) => m.text === 'for Ben only'), false, 'Gwen reads what is for Ben');
  equal((await b.messages()).some((m) => m.text === 'for Gwen only'), false, 'Ben reads what is for Gwen');
});

meet('chat: what was said before fills the chat of somebody who comes back, and makes no noise', async () => {
  const where = await server();
  const room = newRoom('chat');
  const a = await come('page', where, ada(where, room));
  const b = await come('page', where, ben(where, room));
  await b.say('said before');
  await heard(a, 'said before');
  ok(await a.part('chat-unread').isVisible(), 'a new line has no dot');
  ok((await a.notices()).includes('Ben Okri: said before'), 'a new line has no notice', await a.notices());
  await a.reload();
  equal((await heard(a, 'said before')).name, 'Ben Okri', 'name in the history');
  await sleep(300);
  equal(await a.part('chat-unread').isVisible(), false, 'a dot for an old line');
  equal((await a.notices()).filter((n) => /said before/.test(n)).length, 0, 'notices of an old line');
  await b.say('said now');
  await until('the dot of a new line', () => a.part('chat-unread').isVisible());
});
