// throughput.test.mjs - two workers share the work evenly, and it costs hardly more of it in all.
import { figures, script, tool } from '../support/figures.mjs';
import { equal, ok, run, test } from '../support/harness.mjs';

const CPU_RATIO = 1.6;

test('two workers: each carries its part, and a room costs no more than with one', async () => {
  const f = await figures(process.execPath, [script('throughput.mjs'), tool('load'), tool('gavel')],
    { SECONDS: '1', RUNS: '2', ROOMS: '100' });
  console.log(`# ${JSON.stringify(f)}`);
  equal(f.wrong, 0, 'stanzas lost, doubled or wrong');
  ok(f.counted > 10000, 'so few stanzas were counted:', f.counted);
  ok(f.cpu_per_cycle_ratio < CPU_RATIO, `a room costs ${f.cpu_per_cycle_ratio} times the CPU with two workers:`, f);
  ok(f.worker_share_least > 0.3, `one of the workers carries only ${f.worker_share_least} of the work:`, f);
}, { timeout: 90000 });

await run();
