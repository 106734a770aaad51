// tls.mjs - what TLS costs the server: memory of an idle session, CPU time of a login and of a delivered line, each beside
// the same in the clear. `node bench/tls.mjs BINARY`: one worker, loopback.
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

process.env.GAVEL = process.argv[2] ?? 'build/gavel';
process.env.GAVEL_WORKERS = '1';
const { Client, enter } = await import('../tests/support/client.mjs');
const { Server, freePort, temporaryFolder } = await import('../tests/support/server.mjs');
const { makeCertificate } = await import('../tests/support/certificates.mjs');

const SESSIONS = 500;
const PEOPLE = 40;
const LINES = 3000;

const rss = (pid) => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) * 1024;
/** CPU time of its one thread, to the nanosecond. */
const cpuMs = (pid) => Number(readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ')[0]) / 1e6;

async function measure(tls) {
  const pair = makeCertificate(temporaryFolder(), 'bench.example');
  const https = await freePort();
  const s = await Server.start({ auth: 'none', stanzas_per_second: 100000, bytes_per_second: 100 << 20, log_level: 'warn',
    ...(tls ? { https_port: https, tls_certificate: pair.certificate, tls_key: pair.key } : {}) });
  const way = tls ? { port: https, tls: { ca: [pair.pem], servername: 'bench.example' } } : {};
  const open = (n) => Promise.all(Array.from({ length: n }, () => Client.connect(s, way)));
  const idle = [...await open(20)]; // warm
  await sleep(300);
  let [memory, cpu] = [rss(s.pid), cpuMs(s.pid)];
  for (let i = 0; i < SESSIONS; i += 50) idle.push(...await open(50));
  await sleep(500);
  const login = (cpuMs(s.pid) - cpu) / SESSIONS;
  const perSession = (rss(s.pid) - memory) / SESSIONS;
  await Promise.all(idle.map((c) => c.close()));
  const people = [];
  for (let i = 0; i < PEOPLE; i += 1) people.push(await enter(s, 'bench', null, { connect: way }));
  const bodies = people.map((c) => { let n = 0; c.ws.removeAllListeners('message'); c.ws.on('message', () => { n += 1; }); return () => n; });
  cpu = cpuMs(s.pid);
  const start = bodies.map((n) => n());
  for (let i = 0; i < LINES; i += 1) {
    people[0].ws.send(`<message xmlns='jabber:client' to='bench@${s.muc}' type='groupchat'><body>line ${i} of an ordinary length</body></message>`);
    if (i % 10 === 9) await sleep(15);
  }
  while (bodies.some((n, i) => n() - start[i] < LINES)) await sleep(20);
  const line = (cpuMs(s.pid) - cpu) * 1000 / (LINES * PEOPLE);
  people.forEach((c) => c.drop());
  await s.stop();
  return { 'session KiB': perSession / 1024, 'login ms': login, 'line us': line };
}

const plain = await measure(false);
const tls = await measure(true);
for (const k of Object.keys(plain)) console.log(`${k}: in the clear ${plain[k].toFixed(2)}, TLS ${tls[k].toFixed(2)}`);
