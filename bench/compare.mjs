// compare.mjs - Gavel beside Debian's prosody: CPU time per join and per delivery, and memory per session.
//
//   node bench/compare.mjs LOAD GAVEL      SCENARIOS=all|quick|test (default all)
//
// Both are driven in turn by the same load tool, A B A B; each run has a fresh server. The server is pinned to one
// core and the load to another. The last line is one JSON object.
import { spawnSync } from 'node:child_process';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cores, elapsed, geometric, machine as describe, median, progress, round, spread, startLoad } from './runs.mjs';
import { Gavel, Prosody, sleep } from './servers.mjs';

const [load, gavel] = process.argv.slice(2).map((p) => resolve(p));
Gavel.binary = gavel;
const which = process.env.SCENARIOS || 'all';
const quick = which !== 'all';
const [serverCore, loadCore = serverCore] = cores();
const start = (server, options, phases, line) => startLoad(load, server, ['--core', loadCore, ...options], phases, line);

const figures = new Map(); // "join 1x50, us" -> { prosody: [..], gavel: [..] }
function note(key, name, value) {
  if (!figures.has(key)) figures.set(key, { prosody: [], gavel: [] });
  figures.get(key)[name].push(value);
}

const counted = { prosody: { presences: 0, messages: 0, wrong: 0 }, gavel: { presences: 0, messages: 0, wrong: 0 } };
function take(name, scenario, o) {
  if (o.phase === 'end') {
    counted[name].presences += o.presences;
    counted[name].messages += o.messages;
    counted[name].wrong += o.wrong;
    return;
  }
  if (o.phase === 'lone') {
    note(`lone join ${scenario.name}, ms`, name, o.ms_enter);
    note(`lone login and join ${scenario.name}, ms`, name, o.ms_whole);
    progress(`${name} ${scenario.name}: a lone join takes ${o.ms_enter.toFixed(2)} ms`);
    return;
  }
  const value = o.us_per_join ?? o.us_per_delivery;
  note(`${o.phase} ${scenario.name}, us`, name, value);
  progress(`${name} ${scenario.name} ${o.phase}: ${value.toFixed(2)} us (${o.cpu_s.toFixed(2)} s of CPU in ${o.wall_s.toFixed(1)} s)`);
}

async function runOne(Kind, scenario, hurried) {
  const server = await new Kind(serverCore).start();
  const phases = hurried ?? ((Kind === Gavel && scenario.gavelPhases) || scenario.phases);
  try {
    await start(server, ['--rooms', scenario.rooms, '--size', scenario.size, ...(scenario.options ?? [])], phases,
      (o) => take(server.name, scenario, o)).ended;
  } finally {
    await server.stop();
  }
}

/** Memory of a crowd ten seconds after its last join, without any load before; minus the empty server. */
async function memoryOne(Kind, rooms) {
  const server = await new Kind(serverCore).start();
  try {
    await sleep(1500);
    const empty = server.memory();
    await new Promise((done, no) => {
      const { child, ended } = start(server, ['--warm', 0, '--rooms', rooms, '--size', 4], ['join', 'idle'], async (o) => {
        if (o.phase !== 'idle') return;
        await sleep(10000);
        const full = server.memory();
        const each = (full.pss - empty.pss) / o.sessions;
        note('memory of the empty server, MiB', server.name, empty.rss / 1024);
        note('memory per session, KiB', server.name, each);
        progress(`${server.name}: ${(empty.rss / 1024).toFixed(1)} MiB empty, ${each.toFixed(2)} KiB per session (${o.sessions} in ${rooms} rooms)`);
        child.stdin.end();
      });
      ended.then(done, no);
    });
  } finally {
    await server.stop();
  }
}

const ratio = (key) => {
  const f = figures.get(key);
  return f?.prosody.length && f.gavel.length ? median(f.prosody) / median(f.gavel) : null;
};
const mean = (pattern) => {
  const ratios = [...figures.keys()].filter((k) => pattern.test(k)).map(ratio).filter((r) => r !== null);
  return ratios.length ? round(geometric(ratios), 1) : null;
};

function table() {
  const rows = [['', 'prosody: median (spread, runs)', 'gavel', 'ratio']];
  for (const [key, f] of figures) {
    const r = ratio(key);
    rows.push([key, spread(f.prosody), spread(f.gavel), r === null ? '-' : r.toFixed(1)]);
  }
  const width = rows[0].map((_, i) => Math.max(...rows.map((r) => r[i].length)));
  for (const r of rows) console.log(r.map((c, i) => (i ? c.padStart(width[i]) : c.padEnd(width[i]))).join('  '));
}

const talk = ['join', 'presence', 'chat'];
const scenarios = { test: [
  { name: '1x50', rooms: 1, size: 50, phases: talk, options: ['--cpu', 0.25], rounds: 1 },
  { name: '100x4', rooms: 100, size: 4, phases: ['join'], options: ['--cpu', 0.25], rounds: 1 },
  { name: '1x400', rooms: 1, size: 400, phases: talk, options: ['--cpu', 0.25], kinds: [Gavel], rounds: 1 },
], quick: [
  { name: '1x50', rooms: 1, size: 50, phases: talk, rounds: 2 },
  { name: '100x4', rooms: 100, size: 4, phases: ['join'], rounds: 2 },
  { name: '1x200', rooms: 1, size: 200, phases: talk, hurried: ['join'], rounds: 1 },
], all: [
  { name: '1x50', rooms: 1, size: 50, phases: ['join', 'lone', 'presence', 'chat', 'paced'], rounds: 3 },
  { name: '1x200', rooms: 1, size: 200, phases: talk, rounds: 3 },
  { name: '100x4', rooms: 100, size: 4, phases: ['join'], rounds: 3 },
  /* deliveries among 500 only to see whether the cost is flat: the other takes minutes for them */
  { name: '1x500', rooms: 1, size: 500, phases: ['join'], gavelPhases: talk, rounds: 2 },
] }[which];
if (!scenarios) throw new Error(`no SCENARIOS=${which}: all, quick or test`);

/* Of a quick run, after so many seconds: what is left out of the first round, and when second rounds are. */
const HURRY_SECONDS = 16;
const QUICK_SECONDS = 30;

async function main() {
  const made = spawnSync('sh', [resolve(dirname(fileURLToPath(import.meta.url)), 'install-peer'), 'prosody'], { stdio: 'inherit' });
  if (made.status !== 0) process.exit(1);
  const versions = { prosody: Prosody.version(), gavel: Gavel.version() };
  const machine = describe();
  progress(`${versions.prosody} and ${versions.gavel} on ${machine}; server on core ${serverCore}, load on core ${loadCore}`);
  const memory = async () => {
    for (let i = 0; i < (quick ? 1 : 2); i += 1) {
      if (quick) await Promise.all([memoryOne(Prosody, 300), memoryOne(Gavel, 300)]);
      else for (const Kind of [Prosody, Gavel]) await memoryOne(Kind, 500);
    }
  };
  const left = [];
  if (!quick) await memory();
  const most = Math.max(...scenarios.map((s) => s.rounds));
  const beside = quick ? memory() : null; // idle servers take no CPU time
  for (let i = 0; i < most; i += 1) {
    for (const s of scenarios.filter((x) => i < x.rounds)) {
      if (quick && i > 0 && elapsed() > QUICK_SECONDS) {
        left.push(`${s.name} round ${i + 1}`);
        continue;
      }
      const hurried = which === 'quick' && elapsed() > HURRY_SECONDS ? s.hurried : undefined;
      if (hurried) left.push(`deliveries of ${s.name}`);
      for (const Kind of s.kinds ?? [Prosody, Gavel]) await runOne(Kind, s, hurried);
    }
  }
  await beside;
  console.log('');
  table();
  if (left.length) console.log(`left out for want of time: ${left.join(', ')}`);
  const of = (key, name) => (figures.get(key)?.[name].length ? round(median(figures.get(key)[name]), 3) : null);
  const both = (key) => ({ prosody: of(key, 'prosody'), gavel: of(key, 'gavel') });
  console.log(JSON.stringify({
    cpu_ratio_join: mean(/^join /),
    cpu_ratio_delivery: mean(/^(presence|chat) 1x(50|200),/),
    memory_ratio_session: mean(/^memory per session/),
    cpu_ratio_paced: mean(/^paced /),
    session_kib: both('memory per session, KiB'),
    empty_mib: both('memory of the empty server, MiB'),
    lone_join_ms: both('lone join 1x50, ms'),
    ratios: Object.fromEntries([...figures.keys()].map((k) => [k, ratio(k) === null ? null : round(ratio(k), 1)])),
    figures: Object.fromEntries([...figures.keys()].map((k) => [k, both(k)])),
    counted, versions, machine, scenarios: which, seconds: Math.round(elapsed()),
  }));
}

main().catch((e) => {
  console.error(e.stack ?? e);
  process.exit(1);
});
