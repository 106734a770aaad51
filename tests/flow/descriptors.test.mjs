// descriptors.test.mjs - descriptors run out: who comes is refused at once, the log says why once, those who are there
// go on talking, and when descriptors are free again all is as before.
import { spawnSync } from 'node:child_process';
import { chmodSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { equal, ok, run, sleep, test, until } from '../support/harness.mjs';
import { Client, enter } from '../support/client.mjs';
import { GAVEL, gavel, temporaryFolder, withServer } from '../support/server.mjs';

const MOD = { id: 'a', name: 'Alice Example', moderator: true };
const BOB = { id: 'b', name: 'Bob Example' };
const FREE = 3; // descriptors that are left
const AT_ONCE = 1000; // ms: longer is left hanging

const descriptors = (s) => readdirSync(`/proc/${s.pid}/fd`).map(Number);

/** The soft limit of the running server. */
function limit(s, n) {
  const r = spawnSync('prlimit', ['--pid', String(s.pid), `--nofile=${n}:`], { encoding: 'utf8' });
  equal(r.status, 0, `prlimit: ${r.stderr}`);
}

/** So many more descriptors may be opened, and no more. */
function leave(s, free) {
  const used = new Set(descriptors(s));
  let n = 0;
  for (let left = free; left > 0 || used.has(n); n += 1) if (!used.has(n)) left -= 1;
  // a number above is only reached by opening all below
  limit(s, n);
}

/** Comes, and is shown the door: how long that took. */
function refused(s) {
  return new Promise((done) => {
    const began = Date.now();
    const c = connect(s.port, '127.0.0.1');
    const timer = setTimeout(() => { c.destroy(); done(null); }, 5000);
    c.on('error', () => {});
    c.on('data', () => {});
    c.on('close', () => { clearTimeout(timer); done(Date.now() - began); });
  });
}

/** Comes, and may stay. */
async function stays(s) {
  const c = connect(s.port, '127.0.0.1');
  await new Promise((done, no) => { c.once('connect', done); c.once('error', no); });
  c.on('error', () => {});
  c.write('GET /about/health HTTP/1.1\r\nHost: x\r\n\r\n');
  const answered = await new Promise((done) => {
    c.once('data', (d) => done(d.toString()));
    c.once('close', () => done(null));
    setTimeout(() => done(null), 5000).unref();
  });
  ok(answered?.startsWith('HTTP/1.1 200'), 'whoever may stay is served', answered);
  return c;
}

let serial = 0;
async function talk(a, b, room) {
  const word = `word ${serial += 1}`;
  const since = b.mark();
  a.say(room, word);
  await b.heard(word, { since, timeout: 5000 });
}

/** Clock ticks of CPU that the server has used. */
function ticks(s) {
  const f = readFileSync(`/proc/${s.pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return Number(f[11]) + Number(f[12]);
}

const begins = (s) => s.lines().filter((l) => /refuse-connection because=no-descriptors/.test(l));
const ends = (s) => s.lines().filter((l) => /event=descriptors because=free/.test(l));

/** Three may come, thirty are refused, one goes and another one comes. */
async function spell(s, a, b) {
  leave(s, FREE);
  const guests = [];
  for (let i = 0; i < FREE; i += 1) guests.push(await stays(s));
  let n = 0;
  for (let i = 0; i < 10; i += 1) {
    const ms = await refused(s);
    n += 1;
    ok(ms !== null && ms < AT_ONCE, `visitor ${i} is refused at once`, ms);
    await talk(a, b, 'dry');
  }
  const crowd = await Promise.all(Array.from({ length: 20 }, () => refused(s)));
  n += crowd.length;
  ok(crowd.every((ms) => ms !== null && ms < AT_ONCE), 'a crowd is refused at once', crowd);
  await talk(b, a, 'dry');
  const full = descriptors(s).length;
  guests.pop().destroy();
  await until(() => descriptors(s).length < full, { what: 'a descriptor is free' });
  guests.push(await stays(s));
  const ms = await refused(s);
  n += 1;
  ok(ms !== null && ms < AT_ONCE, 'and the next one is refused again', ms);
  return { n, guests };
}

for (const config of process.env.GAVEL_WORKERS ? [{}] : [{ workers: 1 }, { workers: 2 }]) {
  test(`descriptors run out while it runs, ${config.workers ?? process.env.GAVEL_WORKERS} worker(s)`, () => withServer(config, async (s) => {
    const a = await enter(s, 'dry', MOD);
    const b = await enter(s, 'dry', BOB);
    const before = descriptors(s).length;
    const first = await spell(s, a, b);
    equal(begins(s).length, 1, 'lines that say why');
    ok(/limit=\d+ open=\d+ fix=/.test(begins(s)[0]), 'and what to do', begins(s)[0]);
    equal(ends(s).length, 0, 'it is not over');

    // whoever asks at the control socket has to wait, and the server does not spin on him
    const asker = connect(join(s.state, 'control.sock'));
    asker.on('error', () => {});
    const began = ticks(s);
    await sleep(1000);
    ok(ticks(s) - began < 50, 'CPU while nothing can be done, in 1/100 s', ticks(s) - began);
    asker.destroy();

    limit(s, 1024);
    const c = await enter(s, 'dry', { id: 'c', name: 'Carol Example' });
    await talk(c, a, 'dry');
    await s.logged(/event=descriptors because=free/, { timeout: 12000 });
    const said = Number(/refused=(\d+)/.exec(ends(s)[0])?.[1]);
    equal(said, first.n, 'how many were refused');
    const live = JSON.parse(gavel(['explain', '--config', s.file, '--live', '--counters', '--json']).out).result;
    equal(live.limit_descriptors, first.n, 'the counter');
    for (const g of first.guests) g.destroy();
    await until(() => descriptors(s).length <= before + 1, { what: 'the guests have gone, Carol is there' });

    const second = await spell(s, a, b);
    equal(begins(s).length, 2, 'lines that say why, one a spell');
    limit(s, 1024);
    for (const g of second.guests) g.destroy();
    await c.close();
    await until(() => descriptors(s).length <= before, { what: 'as many descriptors as before' });
    await Promise.all([a.close(), b.close()]);
  }), { timeout: 60000 });
}

/** A command that starts the server with so many descriptors at most. */
function tight(n) {
  const path = join(temporaryFolder(), `gavel-${n}`);
  writeFileSync(path, `#!/bin/sh\nulimit -n ${n}\nexec '${GAVEL}' "$@"\n`);
  chmodSync(path, 0o755);
  return path;
}

for (const n of [40, 100]) {
  test(`a server that is given ${n} descriptors: it serves whom it can, refuses the others, and recovers`, () => withServer({ workers: 1 }, async (s) => {
    await s.logged(/because=RLIMIT_NOFILE limit=/);
    const a = await enter(s, 'dry', MOD);
    const b = await enter(s, 'dry', BOB);
    const there = [];
    let full = null;
    while (!full && there.length < n) {
      try {
        there.push(await Client.connect(s, { token: s.token(BOB) }));
      } catch (e) {
        full = e;
      }
    }
    ok(full && there.length > 5, 'somebody gets in, somebody does not', there.length, String(full));
    for (let i = 0; i < 10; i += 1) {
      const ms = await refused(s);
      ok(ms !== null && ms < AT_ONCE, 'refused at once', ms);
    }
    await talk(a, b, 'dry');
    const why = s.lines().filter((l) => /event=refuse-connection because=(no-descriptors|sessions)/.test(l));
    ok(why.length >= 1 && why.length <= 3, 'the log says why, and not each time', why);
    for (const c of there.splice(0, 3)) await c.close();
    await sleep(50);
    const c = await enter(s, 'dry', { id: 'c', name: 'Carol Example' });
    await talk(c, a, 'dry');
    await Promise.all([a, b, c, ...there].map((x) => x.close()));
  }, { bin: tight(n) }), { timeout: 30000 });
}

await run();
