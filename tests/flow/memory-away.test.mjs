// memory-away.test.mjs - memory runs out while streams are cut and resumed, and among services: one of them fails, and is
// told so, while everybody else lives on with a right picture. As memory.test.mjs, which says how.
import { equal, fail, run, sleep, test } from '../support/harness.mjs';
import { Client, Refused } from '../support/client.mjs';
import { FULL, Faults, ask, starve } from '../support/faults.mjs';
import { Resumer, SM } from '../support/resume.mjs';
import { Server } from '../support/server.mjs';
import { prove, serve } from '../support/service.mjs';
import { NS } from '../support/xml.mjs';

const PATIENCE = 5000; // ms: longer without an answer is a hang
const SAMPLES = 8; // of each operation
const MODES = process.env.GAVEL_WORKERS
  ? [{ name: `workers=${process.env.GAVEL_WORKERS}`, config: {} }]
  : [{ name: 'one worker', config: { workers: 1 } }, { name: 'clients away from their rooms', config: { workers: 2, placement: 'wrong' } }];
const PASSWORDS = { focus: 'focus-secret', jvb: 'jvb-secret', jibri: 'jibri-secret' };
const ROOMY = { allow_guests: true, room_create: 'anyone', stanzas_per_second: 100000, joins_per_second: 100000, log_lines_per_second: 100000,
  service_passwords_per_minute: 1000, accounts: Object.entries(PASSWORDS).map(([jid, password]) => ({ jid, password })) };
const HERE = 'here';

class Unavailable extends Error {}

/** Whom it believes to be in the room. */
function pictureOf(c, room) {
  c.pictures ??= new Map();
  if (!c.pictures.has(room)) c.pictures.set(room, { there: new Set(), read: 0 });
  const p = c.pictures.get(room);
  for (; p.read < c.stanzas.length; p.read += 1) {
    const e = c.stanzas[p.read];
    if (e.local !== 'presence' || e.attrs.type === 'error' || !e.attrs.from?.startsWith(`${room}/`)) continue;
    const nick = e.attrs.from.slice(room.length + 1);
    if (e.attrs.type === 'unavailable') p.there.delete(nick);
    else if (nick !== 'focus') p.there.add(nick); // of people; the one in the brewery has another name
  }
  return [...p.there].sort();
}

const within = (promise, what) => {
  let timer;
  const late = new Promise((_, no) => { timer = setTimeout(() => no(new Error(`${what}: no answer within ${PATIENCE} ms`)), PATIENCE); });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
};
/** What shows that it is done, or what refuses it. */
const orRefused = (c, since, predicate, what) => c.waitFor((e) => predicate(e) || e.attrs.type === 'error' || e.local === 'failed', { since, timeout: PATIENCE, what })
  .then((e) => { if (e.attrs.type === 'error' || e.local === 'failed') throw new Unavailable(e.raw); return e; });

class Scene {
  serial = 0;
  lost = 0;

  async start(config) {
    this.faults = new Faults();
    this.server = await Server.start({ ...ROOMY, ...config }, { env: { GAVEL_MEM_FAULTS: this.faults.path } });
    this.auth = `auth.${this.server.domain}`;
    this.brewery = `brew@internal-muc.${this.server.domain}`;
    const enter = async (user) => {
      const c = await Client.connect(this.server, { token: this.server.token(user), room: HERE });
      await c.enter(HERE);
      return c;
    };
    this.host = await enter({ id: 'host', name: 'Host', moderator: true });
    this.member = await enter({ id: 'member', name: 'Member' });
    this.focus = await this.service('focus', 'jicofo');
    this.other = await this.service('jibri', 'other');
    return this;
  }

  login(name) { return serve(this.server, `${name}@${this.auth}`, PASSWORDS[name], { by: 'ws' }); }

  async service(name, nick) {
    const c = await this.login(name);
    if (nick) await this.appear(c, nick);
    return c;
  }

  async appear(c, nick, more = '') {
    const since = c.mark();
    c.send(`<presence xmlns='jabber:client' id='p' to='${this.brewery}/${nick}'><x xmlns='${NS.muc}'/>${more}</presence>`);
    return orRefused(c, since, (e) => e.attrs.from === `${this.brewery}/${nick}` && /code='110'/.test(e.raw), 'itself');
  }

  async person() {
    const c = await Resumer.open(this.server, { token: this.server.token({ id: 'victim', name: 'Victim' }), room: HERE });
    await c.login();
    await c.enter(HERE);
    await c.enable();
    return c;
  }

  bystanders() { return [this.host, this.member, this.focus, this.other]; }

  /** Nobody else has suffered, and everybody sees what there is. */
  async settled(what) {
    for (const c of this.bystanders()) {
      if (!c.closed) continue;
      this.lost += 1;
      fail(`${what}: a bystander was closed: ${c.frames.slice(-2).map((f) => f.text.slice(0, 300)).join(' ')}`);
    }
    const word = `word ${this.serial += 1}`;
    this.host.say(HERE, word);
    await this.member.heard(word, { timeout: PATIENCE });
    await this.askService(this.focus, `${this.brewery}/other`, this.other);
    for (const end = Date.now() + PATIENCE; ; await sleep(5)) {
      const wrong = await this.disagreement();
      if (!wrong) break;
      if (Date.now() > end) fail(`${what}: ${wrong}`);
    }
    for (const c of this.bystanders()) c.frames.length = 0;
  }

  async disagreement() {
    const record = await ask(this.server, { ask: 'record', room: HERE });
    const there = record.result.records.filter((o) => o.present).map((o) => o.occupant).sort();
    const items = await this.focus.iq('get', this.brewery, "<query xmlns='http://jabber.org/protocol/disco#items'/>");
    const brewers = [...items.raw.matchAll(/<item jid='[^'/]*\/([^']*)'/g)].map((m) => m[1]).sort();
    for (const c of [this.host, this.member]) {
      const seen = pictureOf(c, c.room(HERE));
      if (String(seen) !== String(there)) return `in ${HERE} are ${there}, ${c.id} sees ${seen}`;
    }
    for (const c of [this.focus, this.other]) {
      const seen = pictureOf(c, this.brewery);
      if (String(seen) !== String(brewers)) return `in the brewery are ${brewers}, ${c.jid} sees ${seen}`;
    }
    return null;
  }

  /** A question to `to`, answered by c. */
  async askService(from, to, c) {
    const id = `q${this.serial += 1}`;
    const since = from.mark();
    const at = c.mark();
    from.send(`<iq xmlns='jabber:client' type='set' to='${to}' id='${id}'><dial xmlns='urn:xmpp:rayo:1'/></iq>`);
    const answered = orRefused(from, since, (e) => e.attrs.id === id, 'an answer');
    const asked = c.waitFor((e) => e.attrs.id === id && e.attrs.type === 'set', { since: at, timeout: PATIENCE, what: 'the question' })
      .then((q) => c.send(`<iq xmlns='jabber:client' type='result' to='${q.attrs.from}' id='${id}'/>`));
    asked.catch(() => {});
    await answered;
  }

  /** Whoever is left of an operation goes, also those that are away. */
  async sweep() {
    const people = () => pictureOf(this.host, this.host.room(HERE)).filter((n) => ![this.host.id, this.member.id].includes(n));
    const services = () => pictureOf(this.focus, this.brewery).filter((n) => !['jicofo', 'other'].includes(n));
    await sleep(2); // most leave by themselves
    for (const nick of people()) await this.host.kick(HERE, nick).catch((e) => { if (!(e instanceof Refused)) throw e; });
    for (const nick of services()) await (await this.service('jvb', nick)).close();
    for (const end = Date.now() + PATIENCE; people().length || services().length; await sleep(2)) {
      if (Date.now() > end) fail(`left over: ${people()} ${services()}`);
    }
  }

  async stop() {
    this.faults.arm(0);
    for (const c of [...this.server.clients]) c.drop();
    await this.server.stop();
    this.faults.close();
  }
}

async function enableService(c) {
  const since = c.mark();
  c.send(`<enable xmlns='${SM}' resume='true'/>`);
  const e = await orRefused(c, since, (x) => x.ns === SM, '<enabled/>');
  Object.assign(c, { previd: e.attrs.id, from: c.mark() });
  return c;
}

async function resumeService(s, c) {
  const h = c.stanzas.slice(c.from).filter((e) => ['iq', 'presence', 'message'].includes(e.local)).length;
  const next = await Client.open(s.server, { query: { previd: c.previd } });
  await next.hello(s.auth);
  await prove(next, { user: 'jvb', password: PASSWORDS.jvb });
  await next.hello(s.auth);
  const since = next.mark();
  next.send(`<resume xmlns='${SM}' previd='${c.previd}' h='${h}'/>`);
  await orRefused(next, since, (e) => e.local === 'resumed', 'an answer to <resume/>');
  return next;
}

/** What is said while c is away: the others hear it, and so will c when it comes back. */
async function meanwhile(s, c, by = s.host) {
  for (let i = 0; i < 3; i += 1) {
    const word = `meanwhile ${s.serial += 1}`;
    const since = by.mark();
    by.say(HERE, word);
    await orRefused(by, since, (e) => e.get('body')?.text === word, 'its own line');
    await s.member.heard(word, { timeout: PATIENCE });
    c.words.push(word);
  }
}

/** Away, or gone when that could not be. */
async function cut(s, c) {
  const mark = s.server.mark();
  const since = s.host.mark();
  c.words = [];
  c.cut();
  for (const end = Date.now() + PATIENCE; ; await sleep(2)) {
    if (s.server.log.slice(mark).includes(`occupant=${c.id} `) && /event=hibernate/.test(s.server.log.slice(mark))) return;
    if (s.host.presences({ since, id: c.id }).some((p) => p.type === 'unavailable')) throw new Unavailable('it has left');
    if (Date.now() > end) fail('it is neither away nor gone');
  }
}

async function cutPerson(s) {
  const c = await s.person();
  await cut(s, c);
  await meanwhile(s, c);
  return c;
}

const resume = async (s, p, options = {}) => {
  const since = p.c.mark();
  const answer = await p.c.resume(options);
  if (answer.local !== 'resumed') throw new Unavailable(answer.raw);
  for (const w of p.c.words) await p.c.heard(w, { since, timeout: PATIENCE });
};
const gone = (s, c) => s.focus.waitFor((e) => e.attrs.type === 'unavailable' && e.attrs.from === `${s.brewery}/v` && e.raw.includes(c.jid), { timeout: PATIENCE, what: 'its leaving' });

const two = async (s) => ({ c: await s.service('jvb', 'v'), second: await s.service('jvb', 'w') });

const OPERATIONS = [
  { name: '<enable/>', async before(s) {
    const c = await Resumer.open(s.server, { token: s.server.token({ id: 'victim', name: 'Victim' }), room: HERE });
    await c.login();
    return { c };
  }, async act(s, p) {
    const e = await p.c.enable();
    if (e.local !== 'enabled') throw new Unavailable(e.raw);
  } },
  { name: 'a connection that is cut', before: async (s) => ({ c: await s.person() }), act: (s, p) => cut(s, p.c) },
  { name: 'what is said to somebody who is away', async before(s) {
    const away = await s.person();
    await cut(s, away);
    const c = await Client.connect(s.server, { token: s.server.token({ id: 'speaker', name: 'Speaker' }), room: HERE });
    await c.enter(HERE);
    return { c, away };
  }, act: (s, p) => meanwhile(s, p.away, p.c), async after(s, p) {
    const heardAll = resume(s, { c: p.away });
    await heardAll.catch((e) => { if (!(e instanceof Unavailable)) throw e; });
    p.away.drop();
  } },
  { name: 'a stream resumed', before: async (s) => ({ c: await cutPerson(s) }), act: (s, p) => resume(s, p) },
  { name: 'a stream resumed with another token', before: async (s) => ({ c: await cutPerson(s) }),
    act: (s, p) => resume(s, p, { token: s.server.token({ id: 'victim', name: 'New Name', moderator: true }, { jti: `t${s.serial}` }) }) },
  { name: 'a service logs in', before: async () => ({}), async act(s, p) { p.c = await s.login('jvb'); } },
  { name: 'a service enters', before: async (s) => ({ c: await s.login('jvb') }), act: (s, p) => s.appear(p.c, 'v') },
  { name: 'the first service of a room', before: async (s) => ({ c: await s.login('jvb') }), async act(s, p) {
    const since = p.c.mark();
    const room = `new${s.serial += 1}@internal-muc.${s.server.domain}`;
    p.c.send(`<presence xmlns='jabber:client' id='p' to='${room}/v'><x xmlns='${NS.muc}'/></presence>`);
    await orRefused(p.c, since, (e) => e.attrs.from === `${room}/v` && /code='201'/.test(e.raw), 'itself');
  } },
  { name: 'a service takes the place of one of its account', async before(s) {
    await enableService(await s.service('jvb', 'v')).then((c) => c.drop());
    return { c: await s.login('jvb') };
  }, act: (s, p) => s.appear(p.c, 'v') },
  { name: 'presence of a service', before: async (s) => ({ c: await s.service('jvb', 'v') }), async act(s, p) {
    const since = p.c.mark();
    p.c.send(`<presence xmlns='jabber:client' id='p' to='${s.brewery}/v'><stats xmlns='x'>${'y'.repeat(3000)}</stats></presence>`);
    await orRefused(p.c, since, (e) => e.get('stats'), 'its own presence');
  } },
  { name: 'a question through the room, and its answer', before: two, act: (s, p) => s.askService(p.c, `${s.brewery}/w`, p.second) },
  { name: 'a question to an address, and its answer', before: two, act: (s, p) => s.askService(p.c, p.second.jid, p.second) },
  { name: 'a message to all services', before: async (s) => ({ c: await s.service('jvb', 'v') }), async act(s, p) {
    const since = p.c.mark();
    p.c.send(`<message xmlns='jabber:client' type='groupchat' id='m${s.serial += 1}' to='${s.brewery}'><body>hello</body></message>`);
    await orRefused(p.c, since, (e) => e.attrs.id === `m${s.serial}`, 'its own message');
    await s.other.waitFor((e) => e.attrs.id === `m${s.serial}`, { timeout: PATIENCE, what: 'the message' });
  } },
  { name: 'a service leaves', before: async (s) => ({ c: await s.service('jvb', 'v') }), async act(s, p) {
    p.c.send(`<presence xmlns='jabber:client' type='unavailable' to='${s.brewery}/v'><status>bye</status></presence>`);
    await gone(s, p.c);
  } },
  { name: 'a service is lost', before: async (s) => ({ c: await s.service('jvb', 'v') }), async act(s, p) {
    p.c.ws.terminate();
    await gone(s, p.c);
  } },
  { name: 'a service resumes', async before(s) {
    const c = await enableService(await s.service('jvb', 'v'));
    c.drop();
    return { c };
  }, async act(s, p) { p.c = await resumeService(s, p.c); } },
];

async function once(s, op, n) {
  const what = `${op.name}, allocation ${n}`;
  const p = await op.before(s);
  await s.faults.quiet();
  s.faults.arm(n);
  let outcome = 'done';
  try {
    await within(op.act(s, p), what);
  } catch (e) {
    const refused = e instanceof Refused || e instanceof Unavailable;
    const gone = p.c?.closed || p.second?.closed || /ECONNRESET|EPIPE|socket hang up|Unexpected server response|closed before|closed|temporary-auth-failure/.test(e.message);
    if (!refused && !gone) s.faults.arm(0);
    if (!refused && !gone) throw Object.assign(e, { message: `${what}: ${e.message}` });
    outcome = refused ? 'refused' : 'closed';
  }
  const seen = await s.faults.quiet();
  s.faults.arm(0);
  await s.settled(what);
  await op.after?.(s, p);
  p.c?.drop();
  p.second?.drop();
  await s.sweep();
  return { outcome, hit: n > 0 && seen.next <= 0, counted: seen.counted };
}

for (const mode of MODES) {
  let scene;
  test(`memory runs out, ${mode.name}: the server starts`, async () => { scene = await new Scene().start(mode.config); });
  for (const op of OPERATIONS) {
    test(`memory runs out, ${mode.name}: ${op.name}`, async () => {
      await starve((n) => once(scene, op, n), op.name, SAMPLES);
    }, { timeout: FULL ? 600000 : 60000 });
  }
  test(`memory runs out, ${mode.name}: nobody else was closed, and nothing is left`, async () => {
    equal(scene.lost, 0, 'bystanders that were closed');
    await scene.stop();
  });
}

await run();
