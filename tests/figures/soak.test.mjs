// soak.test.mjs - a thousand sessions, three thousand of which leave and come: nothing grows.
import { figures, script, tool } from '../support/figures.mjs';
import { equal, ok, run, test } from '../support/harness.mjs';

const GROWTH = 1.04; // from the second to the third thousand
const LEFT_KIB = 6144; // above the empty server, once all have gone: of some 9700
const SESSION_KIB = 12;

test('a thousand sessions, three thousand joins and leaves: memory and descriptors stay, and are back in the end', async () => {
  const f = await figures(process.execPath, [script('soak.mjs'), tool('load'), tool('gavel')],
    { SESSIONS: '1000', SECONDS: '4', RATE: '750', WORKERS: '2', VERDICT: 'no' });
  console.log(`# ${JSON.stringify(f)}`);
  equal(f.wrong, 0, 'stanzas lost, doubled or wrong');
  ok(f.joins >= 3000, 'so few joins:', f.joins);
  ok(f.presences >= 1000 * 4 + 3000 * 4, 'so few presences were counted:', f.presences);
  const [, second, third] = f.thirds_kib;
  ok(third < second * GROWTH, `memory grows from ${second} to ${third} KiB:`, f);
  ok(f.session_kib < SESSION_KIB, `a session takes ${f.session_kib} KiB`);
  for (const k of ['fds', 'sessions', 'occupants', 'rooms', 'connections', 'queued']) equal(f.left[k], f.empty[k], `${k} when all have left`);
  ok(f.left.own - f.empty.own < LEFT_KIB, 'memory does not go back when all have left:', f.empty, f.left);
  equal(f.left.refused.join(), '', 'limits that were hit');
}, { timeout: 90000 });

await run();
