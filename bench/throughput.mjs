// throughput.mjs - rooms of four that come, talk and leave in a loop: how much of it one worker does, and two.
//
//   node bench/throughput.mjs LOAD GAVEL      SECONDS=10 of each run, RUNS=3 of each, ROOMS=250 at once
//
// One worker and two in turn, A B A B, each run on a fresh server. Where there are four cores, the server has as many as
// it has workers, and the load the others. On two cores, two workers and the load share both: what that allows is told.
// The last line is one JSON object.
import { resolve } from 'node:path';
import { cores, elapsed, machine, median, progress, round, spread, startLoad } from './runs.mjs';
import { Gavel } from './servers.mjs';

const [load, gavel] = process.argv.slice(2).map((p) => resolve(p));
Gavel.binary = gavel;
const number = (name, fallback) => Number(process.env[name] || fallback);
const seconds = number('SECONDS', 10);
const runs = number('RUNS', 3);
const rooms = number('ROOMS', 250);
const usable = cores();

/** Which cores for whom; loads: the core of each load process, null: anywhere. */
function plan(workers) {
  if (usable.length < workers + 1) return { server: usable, loads: [null], shared: true };
  return { server: usable.slice(0, workers), loads: usable.slice(2).length ? usable.slice(2, 6) : usable.slice(1, 2), shared: false };
}

async function once(workers) {
  const { server: mine, loads, shared } = plan(workers);
  const server = await new Gavel(mine.join(','), { workers }).start();
  const measured = [];
  let counted = 0;
  let wrong = 0;
  let threads = [];
  const take = (o) => {
    if (o.phase === 'cycle') {
      measured.push(o);
      if (!threads.length) threads = server.threads();
    } else {
      counted += o.presences + o.messages;
      wrong += o.wrong;
    }
  };
  try {
    await Promise.all(loads.map((core, i) => startLoad(load, server, ['--warm', 0, '--wall', seconds, '--prefix', `p${i}`,
      '--rooms', Math.max(1, Math.round(rooms / loads.length)), ...(core === null ? [] : ['--core', core])], ['cycle'], take).ended));
  } finally {
    await server.stop();
  }
  const sum = (f) => measured.reduce((a, o) => a + f(o), 0);
  const cycles = sum((o) => o.cycles / o.wall_s);
  const busy = sum((o) => o.cpu_s / o.wall_s) / measured.length;
  const own = sum((o) => o.load_cpu_s / o.wall_s);
  const work = workers > 1 ? threads.slice(1, workers + 1) : threads.slice(0, 1);
  const all = threads.reduce((a, t) => a + t, 0);
  const r = {
    workers, shared, counted, wrong, cycles, stanzas: sum((o) => o.stanzas / o.wall_s), busy, own,
    cpu: (busy / cycles) * 1e6, loadCpu: (own / cycles) * 1e6,
    shares: work.map((t) => t / work.reduce((a, x) => a + x, 0)), front: workers > 1 ? threads[0] / all : 0,
  };
  progress(`${workers} worker${workers > 1 ? 's' : ''}: ${r.cycles.toFixed(0)} rooms/s, ${r.stanzas.toFixed(0)} stanzas/s; `
    + `server ${r.busy.toFixed(2)} cores, ${r.cpu.toFixed(0)} us a room; load ${r.own.toFixed(2)} cores, ${r.loadCpu.toFixed(0)} us`
    + (workers > 1 ? `; workers ${r.shares.map((s) => `${(s * 100).toFixed(0)} %`).join(' ')}, front ${(r.front * 100).toFixed(0)} %` : ''));
  return r;
}

function table(of) {
  const row = (name, f, digits) => [name, ...[1, 2].map((w) => spread(of[w].map(f), digits))];
  const rows = [
    ['median (least to most, runs)', 'one worker', 'two workers'],
    row('rooms through, per second', (r) => r.cycles, 0),
    row('stanzas delivered, per second', (r) => r.stanzas, 0),
    row('CPU of the server per room, us', (r) => r.cpu, 0),
    row('CPU of the load per room, us', (r) => r.loadCpu, 0),
    row('cores that the server keeps busy', (r) => r.busy, 2),
    row('cores that the load keeps busy', (r) => r.own, 2),
  ];
  const width = rows[0].map((_, i) => Math.max(...rows.map((r) => r[i].length)));
  for (const r of rows) console.log(r.map((c, i) => (i ? c.padStart(width[i]) : c.padEnd(width[i]))).join('  '));
}

async function main() {
  const [one, two] = [plan(1), plan(2)];
  const where = (p) => `server on core ${p.server.join(',')}, load on ${p.loads[0] === null ? 'the same' : `core ${p.loads.join(',')}`}`;
  progress(`${Gavel.version()} on ${machine()}; one worker: ${where(one)}; two: ${where(two)}`);
  const of = { 1: [], 2: [] };
  for (let i = 0; i < runs; i += 1) for (const w of [1, 2]) of[w].push(await once(w));
  console.log('');
  table(of);
  const m = (w, f) => median(of[w].map(f));
  const [s1, s2, l1, l2] = [m(1, (r) => r.cpu), m(2, (r) => r.cpu), m(1, (r) => r.loadCpu), m(2, (r) => r.loadCpu)];
  /* rooms per second that the cores would give, if they did nothing else and never waited */
  const most = (p, s, l) => (p.shared ? p.server.length / (s + l) : Math.min(p.server.length / s, p.loads.length / l));
  const allowed = most(two, s2, l2) / most(one, s1, l1);
  const ratio = m(2, (r) => r.cycles) / m(1, (r) => r.cycles);
  console.log(two.shared
    ? `Two workers and the load share ${two.server.length} core${two.server.length > 1 ? 's' : ''}: by their CPU times that allows `
      + `${allowed.toFixed(2)} times what one worker does${one.shared ? '' : ' with a core of its own'}, not 2. Seen: ${ratio.toFixed(2)}.`
    : `Two workers have two cores, the load ${two.loads.length} more: by their CPU times that allows ${allowed.toFixed(2)} times `
      + `what one worker does. Seen: ${ratio.toFixed(2)}.`);
  console.log(JSON.stringify({
    throughput_ratio: round(ratio), allowed_ratio: round(allowed), cpu_per_cycle_ratio: round(s2 / s1, 3),
    cycles_per_second_1: round(m(1, (r) => r.cycles), 0), cycles_per_second_2: round(m(2, (r) => r.cycles), 0),
    stanzas_per_second_1: round(m(1, (r) => r.stanzas), 0), stanzas_per_second_2: round(m(2, (r) => r.stanzas), 0),
    cpu_us_per_cycle_1: round(s1, 1), cpu_us_per_cycle_2: round(s2, 1), load_us_per_cycle_1: round(l1, 1), load_us_per_cycle_2: round(l2, 1),
    cores_busy_1: round(m(1, (r) => r.busy)), cores_busy_2: round(m(2, (r) => r.busy)),
    worker_share_least: round(Math.min(...of[2].flatMap((r) => r.shares)), 3), front_share: round(m(2, (r) => r.front), 3),
    counted: [...of[1], ...of[2]].reduce((a, r) => a + r.counted, 0), wrong: [...of[1], ...of[2]].reduce((a, r) => a + r.wrong, 0),
    cores: usable.length, shared: two.shared, machine: machine(), version: Gavel.version(), seconds: Math.round(elapsed()),
  }));
}

main().catch((e) => {
  console.error(e.stack ?? e);
  process.exit(1);
});
