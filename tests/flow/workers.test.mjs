// workers.test.mjs - conferences on several threads: nobody notices, whoever lives where.
import { equal, lacks, ok, rejects, run, same, sleep, test, until } from '../support/harness.mjs';
import { Client, enter, settleAll } from '../support/client.mjs';
import { Raw, frame } from '../support/hostile.mjs';
import { gavel, withServer } from '../support/server.mjs';
import { NS } from '../support/xml.mjs';

const MOD = { id: 'a', name: 'Alice Example', moderator: true };
const BOB = { id: 'b', name: 'Bob Example' };

function live(s, ...args) {
  const r = gavel(['explain', '--config', s.file, '--live', ...args, '--json']);
  equal(r.code, 0, `exit code of explain --live ${args.join(' ')}: ${r.err}`);
  return JSON.parse(r.out);
}
const counters = (s) => live(s, '--counters').result;

test('clients live where the room of their URL is: nothing crosses', () => withServer({ workers: 3, placement: 'room' }, async (s) => {
  const clients = [];
  for (let room = 0; room < 6; room += 1) {
    for (const user of [MOD, BOB]) clients.push(await enter(s, `near-${room}`, user, { connect: { room: `near-${room}` } }));
  }
  await settleAll(clients);
  const n = counters(s);
  equal(n.worker_crossings, 0, 'stanzas between workers');
  same([n.rooms, n.occupants, n.sessions, n.connections_open >= 12], [6, 12, 12, true], 'gathered from all workers');
  await Promise.all(clients.map((c) => c.close()));
  await until(() => counters(s).connections_open === 0, { what: 'no connection is open' });
  const after = counters(s);
  same([after.rooms, after.sessions], [0, 0], 'rooms and sessions afterwards');
}), { timeout: 30000 });

test('clients on another worker than their room: everything crosses, and all is the same', () => withServer({ workers: 2, placement: 'wrong' }, async (s) => {
  const a = await enter(s, 'far', MOD, { connect: { room: 'far' } });
  const b = await enter(s, 'far', BOB, { connect: { room: 'far' } });
  equal(a.self.role, 'moderator', 'the role by token');
  const mark = b.mark();
  for (let i = 0; i < 200; i += 1) a.say('far', `line ${i}`, `m${i}`);
  await b.heard('line 199', { since: mark });
  const heard = b.stanzas.slice(mark).filter((e) => e.local === 'message' && e.get('body')).map((e) => e.get('body').text);
  same(heard, Array.from({ length: 200 }, (_, i) => `line ${i}`), 'every line once, in order');
  const n = counters(s);
  ok(n.worker_crossings > 200 && n.worker_deliveries > 400, 'they crossed', n);
  equal(n.limit_under_way, 0, 'crossings refused');
  const since = a.mark();
  b.drop();
  await a.presenceOf(b.id, { since, where: (i) => i.type === 'unavailable' });
  await a.close();
}), { timeout: 30000 });

test('one client in rooms on several workers: order in each, and all hear that it has gone', () => withServer({ workers: 3, placement: 'room', stanzas_per_second: 2000 }, async (s) => {
  const rooms = ['r0', 'r1', 'r2', 'r3', 'r4', 'r5'];
  const hosts = [];
  for (const r of rooms) hosts.push(await enter(s, r, MOD, { connect: { room: r } }));
  const c = await Client.connect(s, { token: s.token(BOB) });
  for (const r of rooms) await c.enter(r);
  const marks = hosts.map((h) => h.mark());
  for (let i = 0; i < 60; i += 1) for (const r of rooms) c.say(r, `${r} ${i}`);
  for (const [i, r] of rooms.entries()) {
    await hosts[i].heard(`${r} 59`, { since: marks[i] });
    const heard = hosts[i].stanzas.slice(marks[i]).filter((e) => e.local === 'message' && e.get('body')).map((e) => e.get('body').text);
    same(heard, Array.from({ length: 60 }, (_, k) => `${r} ${k}`), `lines in ${r}`);
  }
  ok(counters(s).worker_crossings > 100, 'some rooms were on other workers');
  const left = hosts[3].mark();
  await c.leave('r3');
  await hosts[3].presenceOf(c.id, { since: left, where: (p) => p.type === 'unavailable' });
  const since = hosts.map((h) => h.mark());
  c.drop();
  for (const [i, r] of rooms.entries()) {
    if (r !== 'r3') await hosts[i].presenceOf(c.id, { since: since[i], where: (p) => p.type === 'unavailable' });
  }
  await settleAll(hosts);
  lacks(hosts[3].stanzas.slice(since[3]).map((e) => e.raw).join(), new RegExp(c.id), 'the room that it had left before');
  await Promise.all(hosts.map((h) => h.close()));
}), { timeout: 30000 });

test('limits in total and per client hold over all workers', () => withServer({
  workers: 3, placement: 'wrong', sessions: 5, rooms: 4, rooms_per_session: 3, allow_guests: true, room_create: 'anyone',
}, async (s) => {
  const c = await Client.connect(s, { token: s.token(MOD), room: 'l0' });
  for (const r of ['l0', 'l1', 'l2']) await c.enter(r);
  const over = await rejects(c.enter('l3'));
  same([over.stage, over.condition], ['join', 'resource-constraint'], 'a fourth room of one client');
  const d = await Client.connect(s, { token: s.token(BOB) });
  const total = await rejects(d.conference('l4'));
  equal(total.condition, 'resource-constraint', 'a fifth room');
  const more = [];
  for (let i = 0; i < 3; i += 1) more.push(await Client.connect(s, { token: s.token(BOB), room: `l${i}` }));
  const refused = await Client.open(s, { token: s.token(BOB) });
  equal((await refused.waitClosed()).code, 1013, 'a sixth session');
  const n = counters(s);
  ok(n.limit_sessions === 1 && n.limit_rooms === 1 && n.limit_rooms_per_session === 1, 'counted', n);
  await Promise.all([c, d, ...more].map((x) => x.close()));
}), { timeout: 30000 });

test('explain --live finds the room wherever it is', () => withServer({ workers: 3, placement: 'room' }, async (s) => {
  const clients = [];
  for (let i = 0; i < 5; i += 1) clients.push(await enter(s, `w${i}`, MOD, { connect: { room: `w${i}` } }));
  const names = live(s, '--rooms').result.map((r) => r.room).sort();
  same(names, [0, 1, 2, 3, 4].map((i) => `w${i}@${s.muc}`), 'the rooms of all workers');
  for (const [i, c] of clients.entries()) ok(JSON.stringify(live(s, `w${i}`)).includes(c.id), `the record of w${i}`);
  equal(gavel(['explain', '--config', s.file, '--live', 'nowhere']).code, 1, 'a room that is nowhere');
  await Promise.all(clients.map((c) => c.close()));
}), { timeout: 30000 });

test('a connection changes its loop with all that came behind its request', () => withServer({ workers: 2, placement: 'wrong', auth: 'none' }, async (s) => {
  const r = await Raw.open(s);
  const head = 'GET /xmpp-websocket?room=early HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n'
    + 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: xmpp\r\n\r\n';
  const open = Buffer.from(`<open xmlns='${NS.framing}' to='${s.domain}' version='1.0'/>`);
  r.socket.write(Buffer.concat([Buffer.from('GET /about/health HTTP/1.1\r\nHost: x\r\n\r\n'), Buffer.from(head), frame(1, open)]));
  await until(() => r.received.includes('ANONYMOUS'), { what: 'the stream features' });
  const text = r.received.toString('latin1');
  const order = ['"status":"ok"', '101 Switching', '<open ', 'ANONYMOUS'].map((t) => text.indexOf(t));
  ok(order.every((at, i) => at >= 0 && (i === 0 || at > order[i - 1])), 'each answer in its place', text);
  r.socket.destroy();
  // a request that is no good is refused by whoever gets it
  const bad = await s.get('/xmpp-websocket', { headers: { Upgrade: 'websocket', Connection: 'Upgrade', 'Sec-WebSocket-Version': '8' } });
  equal(bad.status, 426, 'an old version');
  equal((await s.get('/about/health')).status, 200, 'health');
  await until(() => counters(s).connections_open === 0, { what: 'no connection is open' });
}), { timeout: 30000 });

test('the server goes down while stanzas are under way', async () => {
  for (let round = 0; round < 3; round += 1) {
    await withServer({ workers: 2, placement: 'wrong', stanzas_per_second: 2000 }, async (s) => {
      const a = await enter(s, 'down', MOD, { connect: { room: 'down' } });
      const b = await enter(s, 'down', BOB, { connect: { room: 'down' } });
      let talking = true;
      const talk = (async () => {
        for (let i = 0; talking && !a.closed; i += 1) {
          a.say('down', `line ${i}`);
          if (i % 10 === 0) await sleep(1);
        }
      })().catch(() => {});
      await b.heard('line 20');
      s.child.kill('SIGTERM');
      await Promise.all([a.waitClosed(), b.waitClosed()]);
      talking = false;
      await talk;
      ok(b.stanzas.some((e) => e.raw.includes('system-shutdown')), 'they are told');
    });
  }
}, { timeout: 60000 });

await run();
