// flood.test.mjs - floods of each kind beside a quiet room: limits refuse them, the room hears every word once and soon,
// memory stays bounded, and descriptors come back. From an address that is not loopback, so that limits per address hold.
import { networkInterfaces } from 'node:os';
import { Gavel, sleep } from '../../bench/servers.mjs';
import { Flood, KINDS, Watch, goesFirst, siegeSettings } from '../../bench/siege.mjs';
import { cores } from '../../bench/runs.mjs';
import { tool } from '../support/figures.mjs';
import { equal, ok, run, test, until } from '../support/harness.mjs';

const MEDIANS = 4; // of a word's time during a flood, to that in quiet
const MEMORY_MIB = 150; // with all at once: a queue for one who never reads is bounded by queued_bytes
/* Low enough that each flood hits its own within seconds. */
const limits = {
  connections_per_second: 100, connections_per_address: 1000, handshake_timeout: 2, login_timeout: 2,
  joins_per_second: 20, queued_bytes: 131072, log_lines_per_second: 20,
};
const HITS = {
  joins: ['limit_connections_per_second'],
  presences: ['limit_joins_per_second'], // a hundred come at once; how fast they speak depends on their share of a core
  'half-open': ['limit_handshake_timeout', 'limit_connections_per_second'],
  slow: ['limit_handshake_timeout', 'limit_connections_per_second'],
  tokens: ['refused_logins'],
  reader: ['limit_queued_bytes_closed'],
};
const AT_LEAST = 1; // seconds
const AT_MOST = 12; // until its limits have counted

const outside = Object.values(networkInterfaces()).flat().find((i) => i.family === 'IPv4' && !i.internal)?.address;
const [serverCore, loadCore = serverCore] = cores();

test('floods beside a quiet room', async () => {
  ok(outside, 'this machine has an address that is not loopback', networkInterfaces());
  Gavel.binary = tool('gavel');
  const server = await new Gavel(serverCore, siegeSettings({ workers: 1, bind: ['0.0.0.0'], ...limits })).start();
  try {
    goesFirst(server.pid);
    const empty = server.descriptors();
    const watch = await Watch.start(tool('watch'), loadCore, server);
    const quiet = await watch.stretch('quiet', () => sleep(1500));
    const held = server.descriptors();
    const flood = (kinds, seconds, enough = async () => true) => watch.stretch(kinds.join(), async () => {
      const f = Flood.start(tool('flood'), loadCore, server, kinds, { host: outside });
      await sleep(seconds * 1000);
      for (const end = Date.now() + AT_MOST * 1000; Date.now() < end && !(await enough());) await sleep(200);
      const done = await f.stop();
      for (const k of kinds) ok(done[k].opened > 0, `there was a flood of ${k}`, done);
    });
    const fine = (name, s) => {
      console.log(`# ${name}: a word takes ${s.words.p50} ms (quiet ${quiet.words.p50}), p99 ${s.words.p99}, ${s.words.n} words; ${server.memory().rss >> 10} MiB`);
      ok(s.words.n > 5, `words during ${name}`, s);
      ok(s.words.p50 < MEDIANS * quiet.words.p50, `a word takes ${s.words.p50} ms during ${name}, ${quiet.words.p50} in quiet`, s);
      ok(server.memory().rss < MEMORY_MIB << 10, `memory during ${name}: ${server.memory().rss >> 10} MiB`);
    };
    for (const kind of KINDS) {
      const before = await server.counters();
      const hit = (c) => HITS[kind].every((k) => c[k] > before[k]);
      const s = await flood([kind], AT_LEAST, async () => hit(await server.counters()));
      const after = await server.counters();
      fine(kind, s);
      for (const c of HITS[kind]) ok(after[c] > before[c], `${c} counts during ${kind}`, before[c], after[c]);
    }
    fine('all', await flood(KINDS, 2));
    await until(() => server.descriptors() <= held + 1, { timeout: 8000, what: 'descriptors to come back' });
    const last = await watch.stop();
    equal(last.wrong, 0, 'words that were lost, doubled or wrong');
    equal(last.messages, 4 * last.words, 'each word is heard by all four');
    equal(last.code, 0, 'the watch ends well');
    await until(() => server.descriptors() <= empty, { timeout: 5000, what: 'the last descriptors to come back' });
  } finally {
    await server.stop();
  }
}, { timeout: 90000 });

await run();
