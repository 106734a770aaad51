// The connection of one of two is cut. For ten seconds: he comes back as if nothing had been, and nobody saw him leave. Whoever
// leaves or begins anew meanwhile leaves no empty seat behind, though the server would keep it for a minute.
import { equal, match, ok, same, sleep } from '../support/harness.mjs';
import { until } from './browser.mjs';
import { relay, through } from './relay.mjs';
import { ada, ben, come, expectMedia, expectPeople, meet, newRoom, server } from './scene.mjs';

const AWAY_MS = 10_000;

const said = (client, text) => client.messages().then((all) => all.filter((m) => m.text === text).length);

for (const kind of ['page', 'library']) {
  meet(`resume: ${kind}, cut off for ten seconds: same role, same name, no leave, and what was said arrives once`, async () => {
    const where = await server('resume');
    const room = newRoom('resume');
    const wire = await relay(where.process.port);
    try {
      const a = await come('page', where, ben(where, room));
      const b = await come(kind, through(where, wire), ada(where, room));
      await expectPeople(a, b);
      await expectMedia(a, b);
      const me = async () => (await b.people()).find((p) => p.me);
      const before = await me();
      const ofB = () => a.tab.received().filter((f) => /^<presence/.test(f) && f.includes(`/${before.id}'`));
      const seen = ofB().length;
      ok(seen > 0, 'presences are counted');
      const sockets = () => b.tab.frames.filter((f) => /^\. open/.test(f));
      const opened = sockets().length;

      wire.cut();
      const cutAt = Date.now();
      if (kind === 'page') await b.part('reconnecting').waitFor();
      await until('the server to notice', () => new RegExp(`occupant=${before.id} .*event=hibernate`).test(where.process.log));
      await a.say('said meanwhile');
      await sleep(AWAY_MS - (Date.now() - cutAt));
      equal(await said(b, 'said meanwhile'), 0, 'it was really cut');
      wire.mend();
      await until('what was said meanwhile', async () => await said(b, 'said meanwhile') > 0, 20);
      ok(sockets().length > opened, 'another connection', sockets());
      match(sockets().at(-1), /previd=/, 'its address');
      if (kind === 'page') {
        await b.part('meeting').waitFor();
        await b.part('reconnecting').waitFor({ state: 'detached' });
      }
      await b.say('and back');
      await until('the answer', async () => await said(a, 'and back') > 0);
      await expectPeople(a, b);
      await expectMedia(a, b);
      equal((await me()).id, before.id, 'the occupant');
      same(ofB().slice(seen).filter((f) => /type='unavailable'/.test(f)), [], 'leaves');
      if (kind === 'page') same(ofB().slice(seen), [], 'presences of who was away');
      equal(await said(b, 'said meanwhile'), 1, 'copies of what was said meanwhile');
      equal(await said(a, 'and back'), 1, 'copies of the answer');
    } finally {
      wire.close();
    }
  }, 75);
}

/** Two in a meeting, one of them behind a wire; `other` tells of him as the first one sees him. */
async function pair(kind, body) {
  const where = await server(kind);
  const room = newRoom('seat');
  const wire = await relay(where.process.port);
  try {
    const a = await come('page', where, ben(where, room));
    const b = await come('page', through(where, wire), ada(where, room));
    await expectPeople(a, b);
    const { id } = (await b.people()).find((p) => p.me);
    const seated = async () => (await a.people()).filter((p) => !p.me).map((p) => p.id);
    const gone = (seconds) => until('the seat to go', async () => !(await seated()).includes(id), seconds);
    await body({ where, wire, a, b, id, seated, gone });
  } finally {
    wire.close();
  }
}

meet('resume: who leaves while away is gone as soon as the server can be reached', () => pair('resume', async ({ wire, b, id, seated, gone }) => {
  wire.cut();
  await b.part('refusal').waitFor();
  await b.tab.shot('reconnecting-card');
  await b.part('back-button').click();
  await b.part('left').waitFor();
  await sleep(2000);
  same(await seated(), [id], 'who is seen while he is away');
  wire.mend();
  await gone(6);
  equal(await b.part('left').count(), 1, 'the page stays where it is');
}));

meet('resume: who leaves on a connection that brings no answer is gone, too', () => pair('resume', async ({ wire, b, gone }) => {
  wire.cut('mute');
  await b.leave();
  await b.part('left').waitFor();
  await sleep(2500);
  wire.mend();
  await gone(8);
}));

meet('resume: leaving while away and coming in again there is one of him', () => pair('resume', async ({ wire, a, b, id, gone }) => {
  wire.cut();
  await b.part('refusal').waitFor();
  await b.part('back-button').click();
  wire.mend();
  await b.part('rejoin-button').click();
  await b.press();
  await b.part('meeting').waitFor();
  await gone(3);
  await expectPeople(a, b);
  ok((await b.people()).find((p) => p.me).id !== id, 'a stay of its own');
  const seen = a.tab.received().filter((f) => /^<presence/.test(f) && /Ada Lovelace|unavailable/.test(f));
  const left = seen.findIndex((f) => f.includes(`/${id}'`) && /type='unavailable'/.test(f));
  ok(left >= 0 && seen.slice(left).some((f) => !f.includes(`/${id}'`)), 'he left before he came', seen);
}));

meet('resume: told to try now, the page comes back at once', () => pair('resume', async ({ wire, b, id, a }) => {
  wire.cut();
  await b.part('refusal').waitFor();
  await b.part('rejoin-button').click();
  await b.part('rejoin-button').and(b.page.locator(':disabled')).waitFor();
  wire.mend();
  await b.part('meeting').waitFor();
  await b.part('refusal').waitFor({ state: 'detached' });
  await expectPeople(a, b);
  equal((await b.people()).find((p) => p.me).id, id, 'the occupant');
}));

meet('resume: who gives up, and whose loss the server did not see, comes in anew and his old seat goes', () => pair('hasty',
  async ({ wire, where, a, b, id, gone }) => {
    wire.cut('near');
    await until('the page to give up', async () => /Trying again in \d+ second/.test((await b.refusal()).text), 15);
    ok(!new RegExp(`occupant=${id} .*event=hibernate`).test(where.process.log), 'the server knows of nothing');
    wire.mend();
    await b.part('meeting').waitFor({ timeout: 30_000 });
    await gone(4);
    await expectPeople(a, b);
  }), 75);

meet('resume: a page that is reloaded or closed is no lost one: its seat goes at once', async () => {
  const where = await server('resume');
  const room = newRoom('reload');
  const a = await come('page', where, ben(where, room));
  const b = await come('page', where, ada(where, room));
  await expectPeople(a, b);
  for (let i = 0; i < 4; i++) {
    const [before] = (await a.people()).filter((p) => !p.me);
    const { length } = b.tab.frames;
    await b.page.reload();
    const last = b.tab.frames.slice(length).filter((f) => /^> /.test(f));
    ok(last.some((f) => /^> <close/.test(f)) && !last.some((f) => /unavailable/.test(f)), 'one word, which may still get out', last);
    await until('the seat to go', async () => !(await a.people()).some((p) => p.id === before.id), 5);
    ok(!new RegExp(`occupant=${before.id} .*event=hibernate`).test(where.process.log), 'it is not kept');
    await b.enter();
    await expectPeople(a, b);
  }
  await b.close();
  await expectPeople(a);
});
