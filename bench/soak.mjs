// soak.mjs - thousands of idle sessions for a long time, while some leave and come: does anything grow?
//
//   node bench/soak.mjs LOAD GAVEL     SESSIONS=10000 SECONDS=600 RATE=20 joins (and leaves) a second, WORKERS=2
//
// The sessions sit in rooms of four and answer the server's pings. Memory, descriptors and counters are read 60 times,
// evenly spread. Own memory is that of no file (Pss_Anon of smaps_rollup): Pss and Rss, told beside it, change with other
// processes too. Flat means: by a line of least squares through all that was read after the first tenth, own memory grows
// by less than FLAT_PERCENT over the whole run, descriptors stay within those who are just changing, and no limit was hit.
// Back means: when all have left, descriptors and counts are exactly what they were before, and of the memory that the
// sessions took less than BACK_PERCENT are kept, or less than BACK_KIB. The last line is one JSON object.
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { elapsed, machine, median, progress, round, startLoad } from './runs.mjs';
import { Gavel, sleep } from './servers.mjs';

const FLAT_PERCENT = 1;
const BACK_PERCENT = 15;
const BACK_KIB = 5120;
const TIDY_MS = 5000; /* in which the server gives memory back */
const SAMPLES = 60;
const ROOM = 4;
const SPARE_DESCRIPTORS = 200;

const [load, gavel] = process.argv.slice(2).map((p) => resolve(p));
Gavel.binary = gavel;
const number = (name, fallback) => Number(process.env[name] || fallback);
const rooms = Math.ceil(number('SESSIONS', 10000) / ROOM);
const sessions = rooms * ROOM;
const seconds = number('SECONDS', 600);
const rate = number('RATE', 20);
const joins = Math.round(seconds * rate);
const mib = (kib) => (kib / 1024).toFixed(2);
const workers = number('WORKERS', 2);

function checkDescriptors() {
  const hard = /^Max open files\s+\S+\s+(\S+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))[1];
  if (hard === 'unlimited' || Number(hard) >= sessions + SPARE_DESCRIPTORS) return;
  console.error(`soak: ${sessions} sessions need ${sessions + SPARE_DESCRIPTORS} descriptors, and the hard limit is ${hard}: `
    + `raise it (ulimit -Hn, LimitNOFILE=), or choose fewer with SESSIONS=`);
  process.exit(1);
}

/** Slope of y over x by least squares. */
function slope(points) {
  const n = points.length;
  const mx = points.reduce((a, p) => a + p[0], 0) / n;
  const my = points.reduce((a, p) => a + p[1], 0) / n;
  const sxx = points.reduce((a, p) => a + (p[0] - mx) ** 2, 0);
  return points.reduce((a, p) => a + (p[0] - mx) * (p[1] - my), 0) / sxx;
}

const state = async (server) => {
  const found = { ...server.memory(), fds: server.descriptors() };
  const c = await server.counters();
  return { ...found, sessions: c.sessions, occupants: c.occupants, rooms: c.rooms,
    connections: c.connections_open, queued: c.queued_bytes, refused: Object.entries(c).filter(([k, v]) => v && /^limit_|no_memory/.test(k)).map(([k]) => k) };
};

/** What was read last, once the server has noticed that everybody is gone. */
async function empty(server) {
  let s = await state(server);
  for (let i = 0; i < 100 && (s.sessions || s.rooms || s.connections); i += 1) {
    await sleep(100);
    s = await state(server);
  }
  await sleep(TIDY_MS);
  return state(server);
}

async function main() {
  checkDescriptors();
  const server = await new Gavel('0-1023', { workers, sessions: Math.max(20000, 2 * sessions), rooms: Math.max(5000, 2 * rooms) }).start();
  const samples = [];
  let chain = Promise.resolve();
  let counted;
  let before;
  let after;
  try {
    await sleep(1000);
    before = await state(server);
    progress(`${Gavel.version()} on ${machine()}, ${workers} worker${workers > 1 ? 's' : ''}: empty own ${mib(before.own)} MiB, Rss ${mib(before.rss)}, ${before.fds} descriptors`);
    const take = (o) => {
      if (o.phase === 'join') progress(`${sessions} sessions in ${rooms} rooms of ${ROOM}; now ${joins} joins and leaves, ${rate} a second`);
      if (o.phase === 'end') counted = o;
      if (o.phase !== 'sample') return;
      chain = chain.then(async () => {
        const s = { ...(await state(server)), s: o.s, joins: o.joins, pings: o.pings, cpu: o.cpu_s };
        samples.push(s);
        progress(`${o.s.toFixed(0).padStart(4)} s, ${o.joins} joins: own ${mib(s.own)} MiB, Pss ${mib(s.pss)}, Rss ${mib(s.rss)}, `
          + `${s.fds} descriptors, ${s.sessions} sessions, ${s.rooms} rooms, ${o.pings} pings answered`);
      });
    };
    await startLoad(load, server, ['--warm', 0, '--rooms', rooms, '--size', ROOM, '--joins', joins, '--rate', rate,
      '--samples', SAMPLES, '--repeats', 1], ['join', 'soak'], take).ended;
    await chain;
    after = await empty(server);
  } finally {
    await server.stop();
  }
  report(before, after, samples, counted);
}

function report(before, after, samples, counted) {
  const last = samples.at(-1);
  const steady = samples.filter((s) => s.s >= last.s / 10);
  const middle = (key) => median(steady.map((s) => s[key]));
  const growth = (key) => (slope(steady.map((s) => [s.s, s[key]])) * last.s) / middle(key) * 100;
  const range = (key) => [Math.min(...steady.map((s) => s[key])), Math.max(...steady.map((s) => s[key]))];
  const third = (i) => median(samples.filter((s) => s.joins > (i * joins) / 3 && s.joins <= ((i + 1) * joins) / 3).map((s) => s.own));
  const [own, fds] = [range('own'), range('fds')];
  const kept = ((after.own - before.own) / (middle('own') - before.own)) * 100;
  const same = ['fds', 'sessions', 'occupants', 'rooms', 'connections', 'queued'].every((k) => after[k] === before[k]);
  const refused = [...new Set(last.refused.concat(after.refused))];
  /* those on their way at one moment: a room or two, or as many as come in a tenth of a second */
  const changing = Math.max(4 * ROOM, rate / 10);
  const flat = growth('own') < FLAT_PERCENT && Math.abs(fds[0] - before.fds - sessions) <= changing
    && Math.abs(fds[1] - before.fds - sessions) <= changing && refused.length === 0 && counted.wrong === 0;
  const back = same && (kept < BACK_PERCENT || after.own - before.own < BACK_KIB);
  console.log(`\nover ${last.s.toFixed(0)} s with ${last.joins} joins and leaves: own memory ${own.map(mib).join(' to ')} MiB, growth ${growth('own').toFixed(2)} %; `
    + `Rss ${range('rss').map(mib).join(' to ')} MiB, growth ${growth('rss').toFixed(2)} %; descriptors ${fds.join(' to ')}; `
    + `${((middle('own') - before.own) / sessions).toFixed(2)} KiB per session`);
  console.log(`when all have left: own memory ${mib(after.own)} MiB (before: ${mib(before.own)}; kept: ${kept.toFixed(1)} % of what they took), `
    + `Rss ${mib(after.rss)} (${mib(before.rss)}), descriptors ${after.fds} (${before.fds}), sessions ${after.sessions}, rooms ${after.rooms}, connections ${after.connections}`);
  if (refused.length) console.log(`limits that were hit, and should not: ${refused.join(', ')}`);
  if (process.env.VERDICT !== 'no') console.log(`${flat ? 'flat' : 'NOT FLAT'}, ${back ? 'and back' : 'NOT BACK'}`);
  console.log(JSON.stringify({
    flat, back, growth_percent: round(growth('own'), 3), growth_rss_percent: round(growth('rss'), 3), kept_percent: round(kept, 1),
    own_kib: own, rss_kib: range('rss'), descriptors: fds, thirds_kib: [0, 1, 2].map(third), empty: before, left: after,
    session_kib: round((middle('own') - before.own) / sessions), sessions, joins: last.joins, rate, workers, pings: last.pings,
    cpu_s: round(last.cpu - samples[0].cpu), presences: counted.presences, wrong: counted.wrong,
    machine: machine(), version: Gavel.version(), seconds: Math.round(elapsed()),
  }));
  /* VERDICT=no: a short run, of which somebody else judges the figures */
  if ((!flat || !back) && process.env.VERDICT !== 'no') process.exitCode = 1;
}

main().catch((e) => {
  console.error(e.stack ?? e);
  process.exit(1);
});
