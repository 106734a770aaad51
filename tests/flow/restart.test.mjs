// restart.test.mjs - kill -9 and start again: within ten seconds of the kill everybody is back in his room, by himself,
// with the role and name that he had, and nobody twice.
//
// The clients come back as those of Jitsi do: a second or so after the loss, again and again, with a new session, a
// conference request and a join. Roles are computed from tokens and need no disk; where the first to come moderates,
// that is whoever comes back first.
import { equal, ok, random, run, same, sleep, test, until } from '../support/harness.mjs';
import { Client, Refused } from '../support/client.mjs';
import { withServer } from '../support/server.mjs';
import { NS } from '../support/xml.mjs';

const ROOMS = 8;
const WITHIN = 10000; // ms from the kill
const KINDS = [
  { kind: 'moderator', is: 'owner/moderator' }, { kind: 'member', is: 'member/participant' },
  { kind: 'denied', is: 'member/participant' }, { kind: 'guest', is: 'none/participant' }, { kind: 'guest', is: 'none/participant' },
];
const dice = random(7);

/** A client that keeps whom it sees in its room. */
class Seer extends Client {
  seen = new Map();

  receive(text, binary) {
    super.receive(text, binary);
    const el = this.stanzas.at(-1);
    if (el?.local !== 'presence' || el.raw !== text || el.attrs.type === 'error') return;
    const id = el.attrs.from.split('/')[1];
    const item = el.get('x', NS.user)?.get('item');
    if (el.attrs.type === 'unavailable') this.seen.delete(id);
    else if (id !== 'focus') this.seen.set(id, `${el.get('nick')?.text} ${item.attrs.affiliation}/${item.attrs.role}`);
  }
}

/** Somebody who wants to be in his room, and comes back when he is not. */
class Returner {
  constructor(server, room, name, token) {
    Object.assign(this, { server, room, name, token });
    this.returns = 0;
    this.attempts = 0;
    this.backAt = null;
    this.home = false; // he has gone for good
  }

  async enter() {
    const c = await Seer.open(this.server, { token: this.token, room: this.room });
    try {
      await c.login();
      await c.enter(this.room, { name: this.name });
    } catch (e) {
      c.drop();
      throw e;
    }
    this.c = c;
    this.backAt = Date.now();
    c.ws.once('close', () => { if (!this.home) this.comeBack().catch((e) => { this.gaveUp = e; }); });
  }

  async comeBack() {
    this.backAt = null;
    for (let wait = 1000; ; wait = Math.min(2 * wait, 4000)) {
      await sleep(wait * (0.5 + dice.next()));
      this.attempts += 1;
      try {
        await this.enter();
        this.returns += 1;
        return;
      } catch (e) {
        // nobody has opened the room yet: asked again soon
        if (e instanceof Refused && e.condition === 'not-authorized') wait = 500;
      }
    }
  }

  /** Whom he sees, himself included: name, affiliation and role, sorted. */
  picture() { return [...this.c.seen.values()].sort(); }

  leave() {
    this.home = true;
    return this.c.close();
  }
}

/** Everybody of a room sees the same, so many people; the rooms' pictures. */
async function pictures(people, size) {
  const rooms = new Map();
  for (const p of people) {
    await until(() => p.c.seen.size === size, { what: `${size} people as ${p.name} in ${p.room} sees them` });
    await p.c.settle();
    const seen = p.picture();
    if (!rooms.has(p.room)) rooms.set(p.room, seen);
    same(seen, rooms.get(p.room), `the people of ${p.room} as ${p.name} sees them`);
  }
  return Object.fromEntries([...rooms].sort());
}

async function crash(s, people) {
  const killed = Date.now();
  const since = s.mark();
  await s.crash();
  await s.again();
  await until(() => people.every((p) => p.backAt), { timeout: 15000, what: 'all are back' });
  const took = people.map((p) => p.backAt - killed);
  ok(Math.max(...took) < WITHIN, `all are back within ${WITHIN} ms of the kill`, took);
  return { since, took };
}

const joins = (s, since) => s.lines(since).filter((l) => / event=join affiliation=/.test(l)).length;

function configs() {
  return process.env.GAVEL_WORKERS ? [{}] : [{ workers: 1 }, { workers: 2 }];
}

for (const config of configs()) {
  const name = `${config.workers ?? process.env.GAVEL_WORKERS} worker(s)`;
  test(`kill -9: forty people in eight rooms are back with role and name, ${name}`, () => withServer({ allow_guests: true, ...config }, async (s) => {
    const people = [];
    for (let r = 0; r < ROOMS; r += 1) {
      for (const [i, { kind }] of KINDS.entries()) {
        const who = `${kind} ${i} of ${r}`;
        const user = { id: `u-${r}-${i}`, name: who };
        if (kind === 'moderator') user.moderator = true;
        if (kind === 'denied') user.moderator = 'false';
        people.push(new Returner(s, `room-${r}`, who, kind === 'guest' ? undefined : s.token(user)));
      }
    }
    for (const p of people) await p.enter();
    const before = await pictures(people, KINDS.length);
    for (let r = 0; r < ROOMS; r += 1) {
      same(before[`room-${r}`], KINDS.map(({ kind, is }, i) => `${kind} ${i} of ${r} ${is}`).sort(), 'roles and names at first');
    }
    const { since, took } = await crash(s, people);
    same(await pictures(people, KINDS.length), before, 'rooms, names and roles after the crash');
    equal(joins(s, since), people.length, 'joins after the restart: each came once');
    same(people.map((p) => p.returns), people.map(() => 1), 'returns of each');
    await Promise.all(people.map(async (p) => {
      const mark = p.c.mark();
      p.c.say(p.room, `I am back: ${p.name}`);
      await p.c.heard(`I am back: ${p.name}`, { since: mark });
    }));
    console.log(`# ${people.length} of ${people.length} back in ${ROOMS} rooms with the same role and name, the first after ${Math.min(...took)} ms, the last after ${Math.max(...took)} ms of the kill; ${people.reduce((n, p) => n + p.attempts, 0)} attempts`);
    await Promise.all(people.map((p) => p.leave()));
  }), { timeout: 60000 });
}

test('kill -9 where the first to come moderates: all are back, and each room has one moderator again', () => withServer({ role_mode: 'first-user', allow_guests: true }, async (s) => {
  const people = [];
  for (let r = 0; r < 2; r += 1) {
    for (let i = 0; i < 4; i += 1) {
      people.push(new Returner(s, `room-${r}`, `person ${i} of ${r}`, s.token({ id: `u-${r}-${i}`, name: `person ${i} of ${r}` })));
    }
  }
  for (const p of people) await p.enter();
  const words = (seen) => seen.map((x) => x.split(' ').at(-1)).sort();
  const names = (all) => Object.values(all).map((seen) => seen.map((x) => x.slice(0, x.lastIndexOf(' '))).sort());
  const before = await pictures(people, 4);
  const { since } = await crash(s, people);
  const after = await pictures(people, 4);
  same(names(after), names(before), 'names');
  for (const seen of Object.values(after)) {
    same(words(seen), ['member/participant', 'member/participant', 'member/participant', 'owner/moderator'], 'roles');
  }
  // it is the one who came back first
  for (const room of Object.keys(after)) {
    const first = s.lines(since).find((l) => l.includes(`room="${room}"`) && / event=join affiliation=/.test(l));
    ok(/affiliation=owner role=moderator/.test(first), 'the first to come back moderates', first);
  }
  await Promise.all(people.map((p) => p.leave()));
}), { timeout: 60000 });

await run();
