// Two people, three pairs of clients, both orders of coming, and after a reload of each: picture and sound peer to
// peer, names and roles of the tokens on both sides.
import { ada, ben, come, expectMedia, expectPeople, gwen, meet, newRoom, server } from './scene.mjs';

const PAIRS = [
  ['page', ada, 'page', ben],
  ['page', ben, 'page', ada],
  ['library', ada, 'library', ben],
  ['library', ben, 'library', ada],
  ['page', ada, 'library', ben],
  ['library', ada, 'page', ben],
  ['page', ben, 'library', ada],
  ['library', ben, 'page', ada],
  ['page', ada, 'library', gwen],
  ['library', ada, 'page', gwen],
];

for (const [firstKind, first, secondKind, second] of PAIRS) {
  const what = `${firstKind} (${first.name}), then ${secondKind} (${second.name})`;
  meet(`exchange: ${what}: sound, picture, names and roles, also after each has reloaded`, async () => {
    const where = await server();
    const room = newRoom('exchange');
    const a = await come(firstKind, where, first(where, room));
    const b = await come(secondKind, where, second(where, room));
    const check = async () => {
      await expectMedia(a, b);
      await expectPeople(a, b);
    };
    await check();
    await b.reload();
    await check();
    await a.reload();
    await check();
    for (const c of [a, b]) await c.tab.shot(`exchange-${firstKind}-${first.name}-${secondKind}-${second.name}-${c.name[0]}`);
  }, 60);
}
