// memory.test.mjs - memory runs out: each allocation of an operation fails once, and the request at hand is refused
// while everybody else lives on with a right picture.
//
// The server under test is a build whose allocations can be made to fail from outside (src/base/mem.h). One quiet run
// counts the allocations of an operation; then the first, the second ... fails. FULL=1 takes every one of them, else
// some 60 spread over each operation. TRACE=1: the server's log shows where each failed. ONLY=pattern: some operations.
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { equal, fail, ok, run, sleep, test } from '../support/harness.mjs';
import { Client, Refused } from '../support/client.mjs';
import { FULL, Faults, ask, starve } from '../support/faults.mjs';
import { GAVEL, GAVEL_RELEASE, ROOT, Server } from '../support/server.mjs';
import { NS, escape } from '../support/xml.mjs';

const PATIENCE = 5000; // ms: longer without an answer is a hang
const SAMPLES = 60; // of each operation
const MODES = process.env.GAVEL_WORKERS
  ? [{ name: `workers=${process.env.GAVEL_WORKERS}`, config: {} }]
  : [{ name: 'one worker', config: { workers: 1 } },
    { name: 'clients away from their rooms', config: { workers: 2, placement: 'wrong' } }];
const ROOMY = { allow_guests: true, stanzas_per_second: 100000, joins_per_second: 100000, log_lines_per_second: 100000 };

/** A client that keeps for each room whom it believes to be there. */
class Watcher extends Client {
  pictures = new Map();
  inside = new Set();

  receive(text, binary) {
    super.receive(text, binary);
    if (!text.startsWith('<presence')) return;
    const el = this.stanzas.at(-1);
    const [room, id] = (el.attrs.from ?? '').split('/');
    if (el.attrs.type === 'error' || !id) return;
    const node = room.split('@')[0];
    if (!this.pictures.has(node)) this.pictures.set(node, new Map());
    const picture = this.pictures.get(node);
    const x = el.get('x', NS.user);
    const own = x?.all('status').some((s) => s.attrs.code === '110');
    if (el.attrs.type === 'unavailable') {
      picture.delete(id);
      if (own) { this.inside.delete(node); this.pictures.delete(node); }
    } else {
      const item = x?.get('item');
      if (id !== 'focus') picture.set(id, `${item?.attrs.affiliation}/${item?.attrs.role} ${el.get('nick')?.text}`);
      if (own) this.inside.add(node);
    }
  }

  picture(node) { return JSON.stringify([...this.pictures.get(node) ?? []].sort()); }
  forget() { this.frames.length = 0; this.stanzas.length = 0; }
}

/** A refusal that is no stanza. */
class Unavailable extends Error {}

const within = (promise, what) => {
  let timer;
  const late = new Promise((_, no) => { timer = setTimeout(() => no(new Error(`${what}: no answer within ${PATIENCE} ms`)), PATIENCE); });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
};

const HERE = 'here';
const USERS = {
  host: { id: 'host', name: 'Host', moderator: true }, member: { id: 'member', name: 'Member' },
  victim: { id: 'victim', name: 'Victim', moderator: true }, target: { id: 'target', name: 'Target' },
  far1: { id: 'far1', name: 'Far One', moderator: true }, far2: { id: 'far2', name: 'Far Two' },
  fresh: { id: 'fresh', name: 'Fresh' },
};

/** The server, its bystanders and those who act. */
class Scene {
  people = {}; // by name: Watcher
  lost = 0; // bystanders that were closed
  serial = 0;

  async start(config) {
    this.faults = new Faults();
    this.server = await Server.start({ ...ROOMY, ...config }, { env: { GAVEL_MEM_FAULTS: this.faults.path } });
    return this;
  }

  /** Whoever is not there comes (again), in peace. */
  async person(name, node = HERE) {
    let c = this.people[name];
    if (!c || c.closed) {
      c = await this.connect(name);
      this.people[name] = c;
    }
    if (node && !c.inside.has(node)) await c.enter(node);
    return c;
  }

  async connect(name) {
    const c = await Watcher.open(this.server, { token: this.server.token(USERS[name]), room: HERE });
    return c.login();
  }

  async gather() {
    await this.person('far1', 'elsewhere');
    await this.person('far2', 'elsewhere');
    await this.person('host');
    await this.person('member');
    await this.person('fresh', null);
  }

  bystanders() { return ['far1', 'far2', 'host', 'member'].map((n) => this.people[n]); }
  alive() { return Object.values(this.people).filter((c) => c && !c.closed); }

  /** The others talk to each other as if nothing had happened. */
  async talk() {
    const { far1, far2, host, member } = this.people;
    const word = `word ${this.serial += 1}`;
    far1.say('elsewhere', word);
    host.say(HERE, word);
    const ears = [far1, far2, host, member];
    await Promise.all(ears.map((c) => c.heard(word, { timeout: PATIENCE })));
  }

  /** Everybody's picture of the room, that of a fresh joiner and the server's own are the same. */
  async agree(what) {
    const end = Date.now() + PATIENCE;
    for (;;) {
      const wrong = await this.disagreement();
      if (!wrong) return;
      if (Date.now() > end) fail(`${what}: ${wrong}`);
      await sleep(10);
    }
  }

  async disagreement() {
    const record = await ask(this.server, { ask: 'record', room: HERE });
    if (!record.ok) return `no record: ${JSON.stringify(record)}`;
    const there = record.result.records.filter((o) => o.present).map((o) => o.occupant).sort();
    const living = this.alive().filter((c) => c.inside.has(HERE));
    const ids = living.map((c) => c.id).sort();
    if (String(there) !== String(ids)) return `the server has ${there}, inside are ${ids}`;
    const { fresh } = this.people;
    await fresh.enter(HERE);
    const seen = JSON.parse(fresh.picture(HERE)).filter(([id]) => id !== fresh.id);
    await fresh.leave(HERE);
    await Promise.all(living.map((c) => c.settle(PATIENCE)));
    for (const c of living) {
      if (c.picture(HERE) !== JSON.stringify(seen)) return `${c.id} sees ${c.picture(HERE)}, a newcomer ${JSON.stringify(seen)}`;
    }
    return null;
  }

  async stop() {
    this.faults.arm(0);
    for (const c of Object.values(this.people)) c?.drop();
    await this.server.stop();
    this.faults.close();
  }
}

const iq = (c, type, to, child) => c.iq(type, to, child, { timeout: PATIENCE });

/** Waits for what the operation shows, or for a stanza that refuses it. */
const orRefused = (c, since, predicate, what) => c.waitFor((e) => predicate(e) || e.attrs.type === 'error',
  { since, timeout: PATIENCE, what }).then((e) => { if (e.attrs.type === 'error') throw new Refused('stanza', e); });

const text = (e, body) => e.local === 'message' && e.attrs.type !== 'error' && e.get('body')?.text === body;

/** name, who must be there before, and what is done; `victim` is in the room unless before says otherwise. */
const OPERATIONS = [
  { name: 'WebSocket handshake', before: async () => ({}), async act(s, p) {
    p.c = await Watcher.open(s.server, { token: s.server.token(USERS.victim), room: HERE });
  } },
  { name: 'question of a page', before: async () => ({}), async act(s) {
    for (const path of ['/', '/page.js', '/config.js', '/about/health', '/some-room']) {
      const a = await s.server.get(path).catch((e) => e);
      if (a instanceof Error) throw a;
      if (a.status >= 500) throw new Unavailable();
      equal(a.status, 200, `status of ${path}`);
    }
  } },
  { name: 'question at the control socket', before: async () => ({}), async act(s) {
    const a = await ask(s.server, { ask: 'record', room: 'elsewhere', occupant: s.people.far1.id });
    if (!a.ok) throw new Unavailable();
    await ask(s.server, { ask: 'counters' });
  } },
  { name: 'login: open, auth, bind', async before(s) {
    return { c: await Watcher.open(s.server, { token: s.server.token(USERS.victim), room: HERE }) };
  }, act: (s, p) => p.c.login() },
  { name: 'login of a guest', async before(s) {
    return { c: await Watcher.open(s.server, { room: HERE }) };
  }, act: (s, p) => p.c.login() },
  { name: 'conference request for a room that is there', before: async (s) => ({ c: await s.person('victim', null) }),
    act: (s, p) => p.c.conference(HERE) },
  { name: 'conference request that opens a room', before: async (s) => ({ c: await s.person('victim', null) }),
    act: (s, p) => p.c.conference(`opened-${s.serial}`) },
  { name: 'join as the first', before: async (s) => ({ c: await s.connect('victim') }),
    act: (s, p) => p.c.join(`first-${s.serial}`, { timeout: PATIENCE }) },
  { name: 'join as the third', before: async (s) => ({ c: await s.connect('victim'), keep: 'victim' }),
    act: (s, p) => p.c.join(HERE, { timeout: PATIENCE }) },
  { name: 'join of a guest with a name like another', async before(s) {
    const c = await Watcher.open(s.server, { room: HERE });
    return { c: await c.login(), keep: 'victim' };
  }, act: (s, p) => p.c.join(HERE, { name: 'Host', timeout: PATIENCE }) },
  { name: 'group chat', before: async (s) => ({ c: await s.person('victim') }), async act(s, p) {
    const body = `chat ${s.serial}`;
    const since = p.c.mark();
    p.c.say(HERE, body);
    await orRefused(p.c, since, (e) => text(e, body), 'my own line');
    await s.people.host.heard(body, { timeout: PATIENCE });
    await s.people.member.heard(body, { timeout: PATIENCE });
  } },
  { name: 'private message', before: async (s) => ({ c: await s.person('victim') }), async act(s, p) {
    const body = `whisper ${s.serial}`;
    const since = p.c.mark();
    p.c.send(`<message xmlns='jabber:client' to='${p.c.room(HERE)}/${s.people.host.id}' type='chat' id='w'><body>${body}</body></message>`);
    await Promise.race([s.people.host.heard(body, { timeout: PATIENCE }), orRefused(p.c, since, () => false, 'an answer')]);
  } },
  { name: 'subject', before: async (s) => ({ c: await s.person('victim') }), async act(s, p) {
    const subject = `subject ${s.serial}`;
    const since = p.c.mark();
    p.c.send(`<message xmlns='jabber:client' to='${p.c.room(HERE)}' type='groupchat' id='s'><subject>${subject}</subject></message>`);
    await orRefused(p.c, since, (e) => e.get('subject')?.text === subject, 'the subject');
  } },
  { name: 'presence update with an id', before: async (s) => ({ c: await s.person('victim') }), async act(s, p) {
    const since = p.c.mark();
    const mark = `<mark>${s.serial}</mark>`;
    p.c.send(`<presence xmlns='jabber:client' id='u' to='${escape(p.c.room(HERE))}/${p.c.id}'>${mark}</presence>`);
    await orRefused(p.c, since, (e) => e.get('mark')?.text === String(s.serial), 'my own presence');
  } },
  { name: 'change of a name', async before(s) {
    if (!s.people.guest || s.people.guest.closed) s.people.guest = await (await Watcher.open(s.server, { room: HERE })).login();
    if (!s.people.guest.inside.has(HERE)) await s.people.guest.enter(HERE, { name: 'Guest' });
    return { c: s.people.guest };
  }, async act(s, p) {
    const since = p.c.mark();
    p.c.send(`<presence xmlns='jabber:client' id='u' to='${escape(p.c.room(HERE))}/${p.c.id}'><nick xmlns='${NS.nick}'>Guest ${s.serial}</nick></presence>`);
    await orRefused(p.c, since, (e) => e.local === 'presence' && e.get('nick')?.text.endsWith(` ${s.serial}`), 'my own presence');
  } },
  { name: 'kick', pair: true, act: (s, p) => p.c.kick(HERE, p.target.id) },
  { name: 'grant', pair: true, act: (s, p) => p.c.grant(HERE, p.target.jid) },
  { name: 'revoke', pair: true, async first(s, p) { await p.c.grant(HERE, p.target.jid); }, act: (s, p) => p.c.revoke(HERE, p.target.jid) },
  { name: 'ban', pair: true, act: (s, p) => p.c.ban(HERE, p.target.jid), async after(s) {
    // a banned identity stays out for as long as the room lives: it comes back as somebody else
    s.people.target?.drop();
    s.people.target = null;
    USERS.target = { ...USERS.target, id: `target-${s.serial}` };
  } },
  { name: 'mute', pair: true, act: (s, p) => iq(p.c, 'set', `${p.c.room(HERE)}/focus`,
    `<mute xmlns='http://jitsi.org/jitmeet/audio' jid='${p.c.room(HERE)}/${p.target.id}'>true</mute>`) },
  { name: 'who is who', pair: true, act: (s, p) => iq(p.c, 'get', p.c.room(HERE), `<query xmlns='${NS.admin}'><item affiliation='member'/></query>`) },
  { name: 'what a room can', before: async (s) => ({ c: await s.person('victim') }), act: (s, p) => p.c.roomInfo(HERE) },
  { name: 'room configuration', before: async (s) => ({ c: await s.person('victim') }), act: (s, p) => p.c.configure(HERE, { 'muc#roomconfig_roomname': `n${s.serial}` }) },
  { name: 'room password', async before(s) {
    const c = await s.connect('victim');
    await c.enter(`locked-${s.serial}`);
    return { c };
  }, async act(s, p) {
    // in pieces, which the server has to put together
    await iq(p.c, 'set', p.c.room(`locked-${s.serial}`), `<query xmlns='${NS.owner}'><x xmlns='${NS.data}' type='submit'>`
      + `<field var='muc#roomconfig_roomsecret'><value>sec<a/>ret</value></field></x></query>`);
    const { features } = await p.c.roomInfo(`locked-${s.serial}`);
    ok(features.includes('muc_passwordprotected'), 'what was done is done', features);
  } },
  { name: 'leave', before: async (s) => ({ c: await s.person('victim') }), act: (s, p) => p.c.leave(HERE, { status: 'bye' }) },
  { name: 'goodbye', before: async (s) => ({ c: await s.person('victim') }), async act(s, p) {
    p.c.send(`<close xmlns='${NS.framing}'/>`);
    await p.c.waitClosed(PATIENCE);
    await s.people.host.presenceOf(p.c.id, { where: (i) => i.type === 'unavailable', timeout: PATIENCE });
  } },
  { name: 'loss of the connection', before: async (s) => ({ c: await s.person('victim') }), async act(s, p) {
    p.c.ws.terminate();
    await s.people.host.presenceOf(p.c.id, { where: (i) => i.type === 'unavailable', timeout: PATIENCE });
  } },
];

async function pair(s, op) {
  const p = { c: await s.person('victim'), target: await s.person('target') };
  if (op.first) await op.first(s, p);
  return p;
}

/** Runs it once while the n-th allocation fails (0: none); says how it ended. */
async function once(s, op, n) {
  s.serial += 1;
  const what = `${op.name}, allocation ${n}`;
  const p = op.pair ? await pair(s, op) : await op.before(s);
  await s.faults.quiet();
  for (const c of s.alive()) c.forget();
  s.faults.arm(n);
  let outcome = 'done';
  try {
    await within(op.act(s, p), what);
  } catch (e) {
    const gone = p.c?.closed || /ECONNRESET|EPIPE|socket hang up|Unexpected server response|closed before/.test(e.message);
    const refused = e instanceof Refused || e instanceof Unavailable;
    if (!refused && !gone) throw Object.assign(e, { message: `${what}: ${e.message}` });
    outcome = refused ? 'refused' : 'closed';
  }
  const seen = await s.faults.quiet();
  s.faults.arm(0);
  if (p.keep && p.c && !p.c.closed) s.people[p.keep] = p.c;
  await settled(s, what);
  if (!p.keep && p.c && !Object.values(s.people).includes(p.c)) p.c.drop();
  if (p.keep) { s.people[p.keep] = null; p.c.drop(); await s.agree(`${what}, afterwards`); }
  if (op.after) await op.after(s);
  return { outcome, hit: n > 0 && seen.next <= 0, counted: seen.counted };
}

/** Nobody else has suffered. */
async function settled(s, what) {
  for (const c of s.bystanders()) {
    if (!c.closed) continue;
    s.lost += 1;
    console.log(`# ${what}: a bystander was closed: ${c.frames.slice(-2).map((f) => f.text.slice(0, 200)).join(' ')}`);
  }
  await s.gather();
  await s.talk().catch((e) => { throw Object.assign(e, { message: `${what}: the others: ${e.message}` }); });
  await s.agree(what);
}

for (const mode of MODES) {
  let scene;
  let all = 0;
  const total = { most: 0, tried: 0, done: 0, refused: 0, closed: 0 };
  test(`memory runs out, ${mode.name}: the server starts`, async () => {
    scene = await new Scene().start(mode.config);
    await scene.gather();
  });
  for (const op of OPERATIONS) {
    test(`memory runs out, ${mode.name}: ${op.name}`, async () => {
      const r = await starve((n) => once(scene, op, n), op.name, SAMPLES);
      all += 1;
      for (const k of Object.keys(total)) total[k] += r[k];
    }, { timeout: FULL ? 600000 : 60000 });
  }
  test(`memory runs out, ${mode.name}: nobody else was closed, and nothing is left`, async () => {
    console.log(`# ${mode.name}: ${all} operations of ${total.most} allocations, ${total.tried} failed once: ${total.done} done all the same, ${total.refused} refused, ${total.closed} closed; ${scene.lost} bystanders closed`);
    equal(scene.lost, 0, 'bystanders that were closed');
    await scene.stop();
  });
}

test('memory runs out when a connection has a higher descriptor than any before', async () => {
  const s = await new Scene().start({ workers: 1 });
  await s.gather();
  const visit = () => new Promise((done) => {
    const c = connect(s.server.port, '127.0.0.1');
    c.on('connect', () => c.write('GET /about/health HTTP/1.1\r\nHost: x\r\n\r\n'));
    c.on('data', () => done(c)).on('close', () => done(c)).on('error', () => {});
  });
  let closed = 0;
  const kept = [];
  // tables by descriptor double: at 62, at 126
  for (let i = 0; i < 140; i += 1) {
    for (const n of [3, 4]) {
      s.faults.arm(n);
      const c = await within(visit(), `visitor ${i}, allocation ${n}`);
      s.faults.arm(0);
      closed += c.destroyed || c.readableEnded;
      c.destroy();
    }
    kept.push(await within(visit(), `visitor ${i}`));
  }
  ok(closed > 100 && kept.every((c) => !c.destroyed && !c.readableEnded), 'those whose allocation failed were closed, the others were not', closed);
  await s.talk();
  for (const c of kept) c.destroy();
  await s.stop();
}, { timeout: 60000 });

test('the optimised binary cannot be told to fail an allocation', () => {
  const path = GAVEL_RELEASE === GAVEL ? join(ROOT, 'build/gavel') : GAVEL_RELEASE;
  const bytes = readFileSync(path);
  ok(bytes.includes('event=ready'), `${path} is the server`);
  ok(!bytes.includes('GAVEL_MEM_FAULTS') && !bytes.includes('mem_faults_share'), `the switch is in ${path}`);
  ok(readFileSync(GAVEL).includes('GAVEL_MEM_FAULTS'), 'and it is in the one for tests');
});

await run();
