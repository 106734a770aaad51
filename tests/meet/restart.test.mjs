// The server is killed and started again: a page comes back by itself, with the same name and role, and so does the one
// beside it.
import { ok } from '../support/harness.mjs';
import { until } from './browser.mjs';
import { ada, ben, come, expectPeople, meet, newRoom, server } from './scene.mjs';

meet('restart: after kill -9 and a restart both pages are back by themselves within ten seconds', async () => {
  const where = await server('restart');
  const room = newRoom('restart');
  const a = await come('page', where, ada(where, room));
  const b = await come('page', where, ben(where, room));
  await expectPeople(a, b);
  const ids = async (c) => (await c.people()).map((p) => p.id).sort().join();
  const before = await ids(a);
  const killed = Date.now();
  await where.process.crash();
  const refusal = await a.refusal();
  ok(/connection to the server was lost/.test(refusal.text) && /Trying again in/.test(refusal.text), 'the page says what is', refusal);
  await where.process.again();
  for (const c of [a, b]) {
    await c.part('meeting').waitFor({ timeout: 10_000 });
    await until(`two people on the page of ${c.name}`, async () => (await c.people()).length === 2);
  }
  const took = Date.now() - killed;
  ok(took < 10_000, 'ms from the kill', took);
  await expectPeople(a, b);
  ok(await ids(a) !== before, 'they have new sessions');
  console.log(`# both pages were back ${took} ms after the kill`);
});
