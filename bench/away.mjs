// away.mjs - what a session costs whose connection is lost and that may be resumed, and what is kept for it.
//
//   node bench/away.mjs GAVEL     SESSIONS=1000 (in rooms of four, the first of each stays), WINDOW=60 seconds, LINES=480,
//                                 QUEUE=resume_queue
//
// Own memory of the server is Pss_Anon of smaps_rollup. It is read with everybody there, when all but the first of each
// room are cut, and when those have said 20 and LINES lines of 500 bytes, which are kept for each of the others until the
// window is over; last, when it is. Prints one JSON object.
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { Resumer } from '../tests/support/resume.mjs';
import { gavel, Server } from '../tests/support/server.mjs';

const bin = resolve(process.argv[2]);
const sessions = Number(process.env.SESSIONS || 1000);
const WINDOW_S = Number(process.env.WINDOW || 60);
const sleep = (ms) => new Promise((r) => { setTimeout(r, ms); });
const own = (s) => Number(/^Pss_Anon:\s+(\d+)/m.exec(readFileSync(`/proc/${s.pid}/smaps_rollup`, 'utf8'))[1]);
const counter = (s, name) => Number(new RegExp(`\\b${name}\\s+(\\d+)`).exec(gavel(['explain', '--live', '--counters', '--config', s.file], { bin }).out)?.[1]);
async function until(what, timeout = 30000) {
  for (const end = Date.now() + timeout; !what(); await sleep(100)) if (Date.now() > end) throw new Error(`waited too long for ${what}`);
}

const s = await Server.start({ auth: 'none', ...(process.env.QUEUE ? { resume_queue: Number(process.env.QUEUE) } : {}), workers: 1, resume_timeout: WINDOW_S, stanzas_per_second: 100000, bytes_per_second: 1 << 26,
  joins_per_second: 100000, rooms_per_address: 100000, connections_per_second: 100000, connections_per_address: 100000 }, { bin });
const found = { empty: own(s) };
const stay = [];
const leave = [];
for (let i = 0; i < sessions; i += 1) {
  const room = `room${Math.floor(i / 4)}`;
  const c = await Resumer.start(s, { room });
  await c.enter(room);
  c.node = room;
  (i % 4 ? leave : stay).push(c);
}
await sleep(2000);
found.there = own(s);
for (const c of leave) c.cut();
const cutAt = Date.now();
await until(() => counter(s, 'sessions_away') === leave.length);
await sleep(6000); // it gives memory back after some seconds
found.away = own(s);
async function talk(from, to) {
  for (let i = from; i < to; i += 1) {
    for (const c of stay) c.say(c.node, `${i} `.padEnd(500, 'x'));
    await Promise.all(stay.map((c) => c.heard(`${i} `.padEnd(500, 'x'))));
    for (const c of stay) { c.stanzas.length = 0; c.frames.length = 0; }
  }
}
await talk(0, 20);
found.kept20 = own(s);
found.away20 = counter(s, 'sessions_away');
await talk(20, Number(process.env.LINES || 480));
found.kept = own(s);
found.awayKept = counter(s, 'sessions_away');
await sleep(Math.max(0, cutAt + (WINDOW_S + 8) * 1000 - Date.now()));
found.over = own(s);
found.awayOver = counter(s, 'sessions_away');
const per = (a, b, n) => Number(((a - b) / n).toFixed(2));
console.log(JSON.stringify({ sessions, away: leave.length, ownKiB: found, perSessionKiB: {
  there: per(found.there, found.empty, sessions), away: per(found.away, found.empty, sessions), kept20: per(found.kept20, found.away, leave.length),
  kept: per(found.kept, found.away, leave.length) } }));
for (const c of [...stay, ...leave]) c.drop();
await s.stop();
