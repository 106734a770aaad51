// bosh.mjs - what BOSH costs the server beside WebSocket: memory of an idle session, with and without its poll, and CPU time of
// a login, a delivered line and a request. `node bench/bosh.mjs BINARY`: loopback, one worker, then two with requests handed over.
import { readFileSync, readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

process.env.GAVEL = process.argv[2] ?? 'build/gavel';
const { Client, enter } = await import('../tests/support/client.mjs');
const { Server } = await import('../tests/support/server.mjs');
const { BareBosh, enterByBosh } = await import('../tests/support/bosh.mjs');

const SESSIONS = 500;
const PEOPLE = 40;
const LINES = 1000;
const REQUESTS = 2000;

const rss = (pid) => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) * 1024;
/** CPU time of all its threads, to the nanosecond. */
const cpuMs = (pid) => readdirSync(`/proc/${pid}/task`)
  .reduce((n, t) => n + Number(readFileSync(`/proc/${pid}/task/${t}/schedstat`, 'utf8').split(' ')[0]) / 1e6, 0);
const start = (workers) => Server.start({ auth: 'none', stanzas_per_second: 100000, bytes_per_second: 100 << 20, log_level: 'warn', workers });

async function idle(workers, open, settle = async () => {}) {
  const s = await start(workers);
  const all = [];
  const some = async (n) => all.push(...await Promise.all(Array.from({ length: n }, () => open(s))));
  await some(20); // warm
  await settle(all);
  await sleep(300);
  const [memory, cpu] = [rss(s.pid), cpuMs(s.pid)];
  for (let i = 0; i < SESSIONS; i += 50) await some(50);
  const login = (cpuMs(s.pid) - cpu) / SESSIONS;
  await settle(all);
  await sleep(700);
  const out = { 'session KiB': (rss(s.pid) - memory) / SESSIONS / 1024, 'login ms': login };
  const before = cpuMs(s.pid);
  await sleep(5000);
  out['five seconds of nothing, ms'] = cpuMs(s.pid) - before;
  await s.stop();
  return out;
}

async function lines(workers, come) {
  const s = await start(workers);
  const people = [];
  for (let i = 0; i < PEOPLE; i += 1) people.push(await come(s));
  await sleep(500);
  const text = (c) => c.frames.reduce((n, f) => n + !f.out, 0);
  const from = people.map(text);
  const cpu = cpuMs(s.pid);
  for (let i = 0; i < LINES; i += 1) {
    people[0].say('bench', `line ${i} of an ordinary length`);
    if (i % 10 === 9) await sleep(25);
  }
  while (people.some((c, i) => text(c) - from[i] < LINES)) await sleep(20);
  const line = (cpuMs(s.pid) - cpu) * 1000 / (LINES * PEOPLE);
  people.forEach((c) => c.drop());
  await s.stop();
  return { 'line us': line };
}

async function requests(workers) {
  const s = await start(workers);
  const b = await new BareBosh(s).login();
  const { Agent } = await import('node:http');
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const ping = "<iq xmlns='jabber:client' type='get' id='p'><ping xmlns='urn:xmpp:ping'/></iq>";
  await b.post(ping, { http: { agent } });
  const cpu = cpuMs(s.pid);
  const at = process.hrtime.bigint();
  for (let i = 0; i < REQUESTS; i += 1) await b.post(ping, { http: { agent } });
  const out = {
    'request us': (cpuMs(s.pid) - cpu) * 1000 / REQUESTS, 'request, there and back, us': Number(process.hrtime.bigint() - at) / 1e3 / REQUESTS,
  };
  agent.destroy();
  await s.stop();
  return out;
}

const show = (what, r) => console.log(`${what}: ${Object.entries(r).map(([k, v]) => `${k} ${v.toFixed(2)}`).join(', ')}`);
for (const workers of [1, 2]) {
  console.log(`# ${workers} worker${workers > 1 ? 's' : ''}`);
  show('WebSocket', await idle(workers, (s) => Client.connect(s)));
  show('BOSH, no poll is held', await idle(workers, (s) => new BareBosh(s).login()));
  show('BOSH, a poll is held', await idle(workers, (s) => new BareBosh(s).login(), async (all) => {
    for (const b of all) b.held ??= b.post().catch(() => {});
  }));
  show('WebSocket', await lines(workers, (s) => enter(s, 'bench')));
  show('BOSH', await lines(workers, (s) => enterByBosh(s, 'bench')));
  show('BOSH', await requests(workers));
}
