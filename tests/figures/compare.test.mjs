// compare.test.mjs - beside Debian's prosody: CPU time per join and per delivery, memory per session; what it costs among
// many is what it costs among few.
import { figures, script, tool } from '../support/figures.mjs';
import { equal, ok, run, test } from '../support/harness.mjs';

const JOIN = 8; // seen: 15 to 30
const DELIVERY = 20; // seen: 60 to 75
const MEMORY = 6; // seen: 12 to 14
const FLAT = 2.5; // seen: 1
const SESSION_KIB = 12;
const EMPTY_MIB = 20;

let f;

test('many times less CPU time and memory than prosody', async () => {
  f = await figures(process.execPath, [script('compare.mjs'), tool('load'), tool('gavel')], { SCENARIOS: 'test' });
  console.log(`# ${JSON.stringify(f)}`);
  for (const name of ['prosody', 'gavel']) {
    equal(f.counted[name].wrong, 0, `${name}: stanzas lost, doubled or wrong`);
    ok(f.counted[name].presences > 5000 && f.counted[name].messages > 2500, `${name}: so few stanzas were counted:`, f.counted[name]);
  }
  ok(f.cpu_ratio_join >= JOIN, `joins take ${f.cpu_ratio_join} times less, not ${JOIN}:`, f.figures);
  ok(f.cpu_ratio_delivery >= DELIVERY, `deliveries take ${f.cpu_ratio_delivery} times less, not ${DELIVERY}:`, f.figures);
  ok(f.memory_ratio_session >= MEMORY, `sessions take ${f.memory_ratio_session} times less memory, not ${MEMORY}:`, f.figures);
}, { timeout: 120000 });

test('a session with its occupant is small, and so is the empty server', () => {
  ok(f.session_kib.gavel <= SESSION_KIB, `a session takes ${f.session_kib.gavel} KiB`);
  ok(f.empty_mib.gavel <= EMPTY_MIB, `the empty server takes ${f.empty_mib.gavel} MiB`);
});

test('a delivery among 400 costs what it costs among 50', () => {
  for (const what of ['presence', 'chat']) {
    const few = f.figures[`${what} 1x50, us`].gavel;
    const many = f.figures[`${what} 1x400, us`].gavel;
    ok(many > 0 && many < FLAT * few, `${what}: ${many} us among 400, ${few} us among 50`);
  }
});

await run();
