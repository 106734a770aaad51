// flood.mjs - how long a quiet room waits while others flood the server: p50, p90 and p99 of its words, of entering a room,
// and of arriving (connection and login), as ratios to quiet stretches before and after.
//
//   node bench/flood.mjs WATCH FLOOD GAVEL       SECONDS=5 per stretch; MODES=addresses,proxy; WORKERS=1; KINDS=joins,...
//
// addresses: the floods come from eight other addresses, so that limits per address hold. proxy: everybody comes from
// loopback, where they don't: the worst case. The server has one core, floods and the watched room share another, where
// the room's process goes first; so does the server on its own, before whatever else this machine does. The last line is one JSON object.
import { cpus, release } from 'node:os';
import { resolve } from 'node:path';
import { cores, round } from './runs.mjs';
import { Gavel, sleep } from './servers.mjs';
import { Flood, KINDS, NET, Watch, goesFirst, insideNamespace, median, realTime, siegeSettings } from './siege.mjs';

insideNamespace();
const [watchTool, floodTool, gavel] = process.argv.slice(2).map((p) => resolve(p));
Gavel.binary = gavel;
const seconds = Number(process.env.SECONDS ?? 5);
const modes = (process.env.MODES ?? 'addresses,proxy').split(',');
const workers = Number(process.env.WORKERS ?? 1);
const kinds = process.env.KINDS?.split(',') ?? [...KINDS, 'all'];
const WHAT = ['words', 'entries', 'arrivals'];
const WHEN = ['p50', 'p90', 'p99'];
const began = Date.now();
const progress = (text) => console.log(`[${((Date.now() - began) / 1000).toFixed(1).padStart(6)} s] ${text}`);
const [serverCore, loadCore = serverCore] = cores();

const show = (s) => WHAT.map((w) => `${w} ${s[w].n ? WHEN.map((p) => s[w][p].toFixed(2)).join('/') : '-'} (${s[w].n}${s[w].disturbed ? `, ${s[w].disturbed} disturbed` : ''})`).join('  ');

/** Counters that say no, and how much they have grown. */
const refusals = (before, after) => Object.fromEntries(Object.keys(after)
  .filter((k) => /^limit_|^refused|^http_bad|suppressed/.test(k) && after[k] > (before[k] ?? 0)).map((k) => [k, after[k] - (before[k] ?? 0)]));

async function calm(server) {
  for (let i = 0; i < 100; i += 1) {
    const used = server.threads().reduce((a, b) => a + b);
    await sleep(200);
    if (server.threads().reduce((a, b) => a + b) - used < 20e6 && i > 3) return;
  }
}

async function besiege(mode) {
  const outside = mode === 'addresses';
  const server = await new Gavel(serverCore, siegeSettings({ workers, bind: ['0.0.0.0'] })).start();
  goesFirst(server.pid);
  const result = { quiet: [], kinds: {} };
  try {
    const watch = await Watch.start(watchTool, loadCore, server, outside ? { host: NET.server, from: NET.watch } : {});
    const quiet = async () => {
      await calm(server);
      const s = await watch.stretch('quiet', () => sleep(seconds * 600));
      result.quiet.push(s);
      progress(`${mode} quiet: ${show(s)}`);
    };
    for (const kind of kinds) {
      await quiet();
      const before = await server.counters();
      const flood = Flood.start(floodTool, loadCore, server, kind === 'all' ? KINDS : [kind], outside ? { host: NET.server, from: NET.flood } : {});
      await sleep(1000);
      const cpu = server.threads().reduce((a, b) => a + b);
      const at = Date.now();
      const s = await watch.stretch(kind, () => sleep(seconds * 1000));
      const used = (server.threads().reduce((a, b) => a + b) - cpu) / (Date.now() - at) / 1e4;
      const done = await flood.stop();
      const memory = server.memory().rss / 1024;
      const counters = refusals(before, await server.counters());
      result.kinds[kind] = { ...s, cpu_percent: round(used, 0), rss_mib: round(memory, 0), done, counters };
      progress(`${mode} ${kind}: ${show(s)}; server ${used.toFixed(0)} % of a core, ${memory.toFixed(0)} MiB; ${JSON.stringify(counters)}`);
    }
    await quiet();
    const last = await watch.stop();
    if (last.code !== 0) throw new Error(`the quiet room lost something: ${JSON.stringify(last)}`);
    result.heard = last;
  } finally {
    await server.stop();
  }
  return result;
}

const ratios = (result, kind) => Object.fromEntries(WHAT.map((w) => [w, Object.fromEntries(WHEN.map((p) => {
  const base = median(result.quiet.map((q) => q[w][p]));
  return [p, result.kinds[kind][w].n ? round(result.kinds[kind][w][p] / base) : null];
}))]));

async function main() {
  const machine = `${cpus()[0].model.trim()}, ${cpus().length} cores, Linux ${release()}`;
  progress(`${Gavel.version()} on ${machine}; server on core ${serverCore}, ${workers} workers; floods and the quiet room on core ${loadCore}${realTime ? ', the room first (SCHED_RR)' : ', floods at nice 19'}`);
  const out = {};
  for (const mode of modes) {
    const r = await besiege(mode);
    const base = Object.fromEntries(WHAT.map((w) => [w, Object.fromEntries(WHEN.map((p) => [p, round(median(r.quiet.map((q) => q[w][p])), 3)]))]));
    out[mode] = { quiet_ms: base, ratio: {}, heard: r.heard };
    console.log(`\n${mode.padEnd(12)}${WHAT.map((w) => `${w} p50/p90/p99`.padStart(26)).join('')}   server`);
    console.log(`${'quiet, ms'.padEnd(12)}${WHAT.map((w) => WHEN.map((p) => base[w][p].toFixed(2)).join(' / ').padStart(26)).join('')}`);
    for (const kind of kinds) {
      const x = ratios(r, kind);
      out[mode].ratio[kind] = x;
      console.log(`${kind.padEnd(12)}${WHAT.map((w) => WHEN.map((p) => x[w][p] ?? '-').join(' / ').padStart(26)).join('')}   ${r.kinds[kind].cpu_percent} %, ${r.kinds[kind].rss_mib} MiB`);
    }
    const worst = (w, p) => Math.max(...kinds.map((k) => out[mode].ratio[k][w][p] ?? 0));
    out[mode].worst = Object.fromEntries(WHAT.map((w) => [w, Object.fromEntries(WHEN.map((p) => [p, worst(w, p)]))]));
    console.log('');
  }
  const first = out[modes[0]];
  const words = (p) => Object.fromEntries(kinds.map((k) => [k, first.ratio[k].words[p]]));
  console.log(JSON.stringify({
    latency_ratio_p50: words('p50'), latency_ratio_p90: words('p90'), latency_ratio_p99: words('p99'), worst: first.worst,
    modes: out, workers, machine, seconds: Math.round((Date.now() - began) / 1000),
  }));
}

main().catch((e) => {
  console.error(e.stack ?? e);
  process.exit(1);
});
