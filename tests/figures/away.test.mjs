// away.test.mjs - sessions whose connection is lost cost no more than they did, what is kept for them is bounded, and goes back.
import { figures, script, tool } from '../support/figures.mjs';
import { equal, ok, run, test } from '../support/harness.mjs';

const QUEUE = 100; // resume_queue; 200 lines are said
const STANZA_KIB = 0.7; // kept for one session: its head, its share of a line of 500 bytes, and what the allocator adds

test('three hundred sessions away: as cheap as before, within resume_queue, and what was kept goes back', async () => {
  const f = await figures(process.execPath, [script('away.mjs'), tool('gavel')], { SESSIONS: '400', WINDOW: '15', LINES: '200', QUEUE: String(QUEUE) });
  console.log(`# ${JSON.stringify(f)}`);
  equal(f.away, 300, 'sessions that were cut');
  equal(f.ownKiB.away20, 300, 'away with 20 lines kept');
  ok(f.perSessionKiB.away < f.perSessionKiB.there * 1.1, 'away costs more than there:', f.perSessionKiB);
  ok(f.perSessionKiB.kept20 < 20 * STANZA_KIB, '20 lines kept:', f.perSessionKiB);
  equal(f.ownKiB.awayOver, 0, 'away when more than resume_queue was said');
  ok(f.ownKiB.over < f.ownKiB.kept20 + 4096, 'memory does not go back:', f.ownKiB);
}, { timeout: 90000 });

await run();
