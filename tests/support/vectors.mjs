// vectors.mjs - plays a decision vector (docs/roles.md, vector schema) over live sockets and reads the verdict there.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fail, ok, sleep, until } from './harness.mjs';
import { Client, Refused, presenceInfo, settleAll } from './client.mjs';
import { Resumer } from './resume.mjs';
import { KeyServer, jwk, pairOf } from './keyserver.mjs';
import { keyPair, makeToken, now } from './token.mjs';
import { NS } from './xml.mjs';

/** A vector with the file's defaults filled in. */
export function complete(vector, defaults) {
  const merged = (k) => ({ ...defaults[k], ...vector[k] });
  const env = vector.event?.type === 'env';
  const v = {
    now: defaults.now, token: 'present', signature: 'valid', event: { type: 'join' }, ...vector,
    config: env ? { ...vector.config } : merged('config'), header: merged('header'), claims: merged('claims'), room: merged('room'),
  };
  for (const k of vector.drop_claims ?? []) delete v.claims[k];
  for (const k of vector.drop_header ?? []) delete v.header[k];
  v.room.occupants = (v.room.occupants ?? []).map((o) => ({ state: 'live', guest: false, denied: false, ...o }));
  v.room.banned ??= [];
  return v;
}

const who = (v) => v.event.who;
const present = (v, name) => v.room.occupants.find((o) => o.who === name);

/** The one list of what keeps a vector from the sockets. The first that holds is the reason. */
export const EXPLAIN_ONLY = [
  ['asks what the configuration derives from an environment', (v) => v.event.type === 'env'],
  ['the configuration refuses to start', (v) => v.expect?.fatal === true],
  ['names a room as no address can: the JID\'s own rules fold it on the way', (v) => v.room.node !== v.room.node.toLowerCase()],
  ['names a room as on the wire only a tenant\'s room is called', (v) => /^\[[^\]]+\]./.test(v.room.node)],
  ['uses event types of its own', (v) => !/^(join|connect|resume|rename|grant|revoke|kick|ban|item|leave|expire)$/.test(v.event.type)],
  ['needs the lobby', (v) => v.room.lobby || v.admitted || v.config.lobby_autostart || v.config.before_host === 'lobby'],
  ['needs breakout rooms', (v) => v.room.breakout || v.event.switch_room || v.room.occupants.some((o) => o.state === 'switching')],
  ['a session resumes that no room knows', (v) => v.event.type === 'resume' && !present(v, who(v))],
  ['has banned whom it lets sit in the room', (v) => v.event.type === 'resume' && v.room.banned.length > 0],
  ['whoever opened the room for a guest took the last seat', (v) => v.event.type === 'resume' && Boolean(v.config.max_occupants) && v.room.occupants[0]?.guest],
  ['somebody expires or leaves while away; resume.test.mjs plays it',
    (v) => /^(expire|leave)$/.test(v.event.type) && present(v, who(v))?.state === 'hibernating'],
  ['needs an occupant whose token ran out before', (v) => v.room.occupants.some((o) => o.expired)],
  ['the last minute of a token takes half a minute; rooms.test.mjs plays it', (v) => v.event.type === 'expire' && v.config.on_expiry === 'disconnect'],
  ['the end of the room comes after a minute', (v) => v.config.on_last_moderator_left === 'end' && v.event.type !== 'join'],
  ['has bans or people in a room that is not there', (v) => !v.room.exists && (v.room.banned.length > 0 || v.room.occupants.length > 0)],
  ['its token is longer than tokens may be on the wire', (v) => !v.token_bytes && JSON.stringify(v.claims).length * 4 / 3 > (v.config.max_token_bytes ?? 8192)],
  ['has an occupant whom no token of these rules could make', (v) => v.room.occupants.some((o) => !reachable(v, o))],
  ['holds more than its rules let in', (v) => v.config.max_occupants > 0 && v.room.occupants.length + (v.room.banned.length ? 1 : 0) > v.config.max_occupants],
  ['has a room that nobody here could have opened', (v) => v.room.exists && v.config.room_create === 'moderators' && !v.room.occupants.length && v.expect?.role === 'participant'],
  ['has banned somebody of an issuer that is not accepted', (v) => v.room.banned.some(([iss]) => !acceptedIssuers(v).includes(iss))],
  ['types characters that XML cannot carry', (v) => /[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/.test(v.nick ?? '')],
  ['has a state that only an occupant outside of it could make', (v) => needsHost(v) && hostWouldMatter(v)],
];

export function explainOnly(v) {
  return EXPLAIN_ONLY.find(([, holds]) => holds(v))?.[0] ?? null;
}

const mode = (v) => v.config.role_mode ?? (v.config.auth === 'none' ? 'first-user' : 'token');
/** Guests inside are let in by a key that changes nothing for a subject with a token. */
const letsGuestsIn = (v) => v.room.occupants.some((o) => o.guest) && v.token === 'present' && v.config.auth !== 'none'
  && mode(v) !== 'everyone';
const guestsAllowed = (v) => v.config.auth === 'none' || v.config.allow_guests === true || letsGuestsIn(v);

function reachable(v, o) {
  const paths = v.config.claim_paths ?? ['context.user'];
  if (v.config.auth === 'none' && !o.guest) return false;
  if (o.guest && !guestsAllowed(v)) return false;
  if (o.identity && !acceptedIssuers(v).some((i) => i === o.identity[0] || i === '*')) return false;
  if (o.name_from === 'token' && (v.config.name_mode ?? 'frozen') !== 'frozen') return false;
  if (o.revoked && mode(v) === 'token') return false; // he would have to be moderator first
  if (o.source === 'granted' && (v.config.runtime_grant === 'never' || (v.config.runtime_grant === 'not-denied' && o.denied))) return false;
  if (o.source === 'token') return mode(v) !== 'none' && paths.includes('context.user') && !o.denied && !o.guest;
  if (o.source === 'mode') {
    const earlier = v.room.occupants.find((x) => x !== o && x.role === 'moderator' && (x.joined ?? 0) <= (o.joined ?? 0));
    if (mode(v) === 'first-user' && earlier && !(o.identity && JSON.stringify(earlier.identity) === JSON.stringify(o.identity))) return false;
    return !/^(token|none)$/.test(mode(v)) && !(o.denied && v.config.honour_deny !== false);
  }
  if (o.source === 'granted') return mode(v) === 'token' || o.denied || o.guest || canPlayGranted(v, o);
  if (o.affiliation === 'owner') return false;
  // Nobody's moderator: a mode that would make one of a silent user must have been told no, or he stepped down.
  if (o.guest) return mode(v) !== 'everyone';
  if (mode(v) === 'authenticated' || mode(v) === 'everyone') return o.denied || o.revoked === true;
  if (mode(v) === 'first-user' && !o.denied && !o.revoked) {
    return v.room.occupants.some((x) => x !== o && x.role === 'moderator' && (x.joined ?? 0) < (o.joined ?? 0));
  }
  return true;
}

function canPlayGranted(v, o) {
  // In first-user mode a second, silent user is no moderator until somebody makes him one.
  return mode(v) === 'first-user' && v.room.occupants.some((x) => x.source !== 'granted' && x.role === 'moderator' && (x.joined ?? 0) < (o.joined ?? 0));
}

const grantedOnly = (v) => v.room.occupants.some((o) => o.source === 'granted')
  && !v.room.occupants.some((o) => o.source !== 'granted' && o.role === 'moderator');

/** Does somebody who is not in the vector have to be there first, to open, lock or ban? */
function needsHost(v) {
  if (!v.room.exists) return false;
  if (v.room.password || v.room.banned.length || grantedOnly(v)) return true;
  return v.room.had_moderator === true && !v.room.occupants.some((o) => o.role === 'moderator');
}

/** Would that moderator change the answer? He leaves again when occupants stay, else he remains. */
function hostWouldMatter(v) {
  if (mode(v) === 'none') return true;
  if (!v.room.occupants.length) return mode(v) === 'first-user' || Boolean(v.config.max_occupants);
  if (mode(v) === 'first-user') return true;
  return v.config.auth === 'none' || (v.config.on_last_moderator_left ?? 'keep') !== 'keep';
}

const acceptedIssuers = (v) => v.config.accepted_issuers
  ?? [...(v.config.issuers ?? []).map((i) => i.iss), ...(v.config.app_id ? [v.config.app_id] : [])];

const alone = new Map();

/** What the server's file must hold so that this vector's configuration is served. */
export function liveConfig(v) {
  const { known_kids: kids, ...config } = v.config;
  if (v.event.type === 'expire' || v.event.expired) config.leeway ??= 0;
  if (letsGuestsIn(v)) config.allow_guests = true;
  config.log_lines_per_second = 10000;
  // whoever is away stays in the room: such a vector has a server of its own
  if (v.event.type === 'resume' || v.room.occupants.some((o) => o.state === 'hibernating')) {
    if (!alone.has(v.id)) alone.set(v.id, alone.size + 1);
    config.log_lines_per_second += alone.get(v.id);
  }
  return config;
}

const REMOTE = /^(keyserver|jwks)$/;
let keyServer = null;
let folders = 0;

/** Key server and key list of one vector: for each known kid a key that fits the algorithms. */
async function publish(config, kids) {
  keyServer ??= await KeyServer.start();
  keyServer.server.unref();
  const folder = `/v${(folders += 1)}`;
  const pair = pairOf((config.algs ?? ['RS256']).find((x) => !x.startsWith('HS')) ?? 'RS256', 'vectors');
  for (const kid of kids) keyServer.publish(kid, pair, folder);
  keyServer.list(`${folder}/jwks`, [...kids.map((kid) => jwk(pair, kid)), jwk(pairOf('RS256', 'nobody'), 'of nobody')]);
  const place = config.key_source === 'jwks' ? { jwks: `${keyServer.url}${folder}/jwks` } : { key_server: `${keyServer.url}${folder}` };
  return { config: { ...config, ...place }, key: pair.privateKey };
}

/** Keys for configurations with key files (written into the server's folder) or keys from elsewhere: made once per
 * server. keys: the private one of each issuer that has its own. */
export async function withKeys(config, folder, kids = []) {
  if (config.issuers?.length) {
    const keys = {};
    const issuers = [];
    for (const entry of config.issuers) {
      const { known_kids: own, ...issuer } = entry;
      const made = REMOTE.test(issuer.key_source) ? await publish(issuer, own ?? kids) : { config: issuer, key: issuer.app_secret };
      keys[issuer.iss] = made.key;
      issuers.push(made.config);
    }
    return { config: { ...config, issuers }, key: null, keys };
  }
  if (REMOTE.test(config.key_source)) return publish(config, kids);
  if (config.key_source !== 'file') return { config, key: null };
  const alg = (config.algs ?? ['RS256'])[0];
  const pair = keyPair(alg);
  const names = kids.length ? kids : [undefined];
  const files = names.map((kid, i) => {
    const path = join(folder, `key-${i}.pem`);
    writeFileSync(path, pair.pem);
    return kid === undefined ? { path } : { kid, path };
  });
  return { config: { ...config, key_files: files }, key: pair.privateKey };
}

const strangers = new Map();
function strangerKey(alg) {
  const family = alg.startsWith('ES') ? alg : alg.slice(0, 2);
  if (!strangers.has(family)) strangers.set(family, keyPair(alg).privateKey);
  return strangers.get(family);
}

/** The key, if this algorithm can sign with it. */
function suits(alg, key) {
  const type = { R: 'rsa', P: 'rsa', E: alg === 'EdDSA' ? 'ed25519' : 'ec' }[alg[0]];
  return key?.asymmetricKeyType === type ? key : null;
}

/** The vector's token, signed for this server, its times moved to now. */
export function vectorToken(v, server, key) {
  if (v.token === 'absent') return undefined;
  if (v.token === 'empty') return '';
  const shift = now() - v.now;
  const move = (c) => {
    const out = { ...c };
    for (const k of ['exp', 'nbf', 'iat']) if (typeof out[k] === 'number' && out[k] > 1e6 && out[k] < 1e11) out[k] += shift;
    return out;
  };
  const text = v.payload_text === undefined ? move(v.claims)
    : v.payload_text.replace(/("(?:exp|nbf|iat)"\s*:\s*)(\d{9,10})\b/g, (_, a, n) => a + (Number(n) + shift));
  const alg = typeof v.header.alg === 'string' ? v.header.alg : 'none';
  const own = server.keys?.[v.claims.iss];
  let use = typeof own === 'string' ? own : server.secret;
  if (/^(RS|PS|ES)(256|384|512)$|^EdDSA$/.test(alg)) use = suits(alg, own) ?? suits(alg, key) ?? strangerKey(alg);
  const token = v.token_bytes ? ofLength(v.token_bytes, move(v.claims), v.header, use, v.signature)
    : makeToken(text, use, { header: v.header, state: v.signature });
  return server.keep(token);
}

/** A token of exactly so many bytes: claims and, where base64 skips a length, the header are padded. */
function ofLength(bytes, claims, header, key, state) {
  for (const pad of ['', 'x', 'xx', 'xxx']) {
    const h = pad ? { ...header, pad } : header;
    const make = (n) => makeToken({ ...claims, padding: 'x'.repeat(n) }, key, { header: h, state });
    const guess = Math.max(0, Math.floor((bytes - make(0).length) * 3 / 4) - 3);
    for (let n = guess; n < guess + 8; n += 1) if (make(n).length === bytes) return make(n);
  }
  return fail(`no token of ${bytes} bytes`);
}

/** A token that these rules accept, for somebody who is not the vector's subject. */
function otherToken(v, server, key, user, { iss, exp } = {}) {
  const audience = (v.config.accepted_audiences ?? ['*'])[0];
  const issuer = iss ?? acceptedIssuers(v).find((i) => i !== '*') ?? 'my_app';
  const claims = {
    iss: issuer, aud: audience === '*' ? 'jitsi' : audience, sub: v.room.tenant || (v.config.domain ?? 'meet.jitsi'),
    room: v.config.room_wildcard === false ? v.room.node : '*', exp: exp ?? now() + 3600, context: { user },
  };
  const kid = v.config.known_kids?.[0];
  const own = server.keys?.[issuer];
  const fallback = (v.config.key_source ?? 'secret') === 'secret' ? 'HS256' : 'RS256';
  const alg = (v.config.algs ?? [fallback])[0];
  const header = { alg, typ: 'JWT', ...(kid ? { kid } : {}) };
  return server.keep(makeToken(claims, alg.startsWith('HS') ? own ?? server.secret : key, { header }));
}

const OBSERVER = 'Quiet Observer';

/** Everything that plays one vector: who is connected, in which order, and what was seen. */
class Play {
  constructor(v, server, key) {
    Object.assign(this, { v, server, key, node: v.room.node, clients: [], people: new Map() });
  }

  async connect(token, options = {}, how = (...a) => Client.connect(...a)) {
    const c = await how(this.server, { token, room: this.node, tenant: this.v.room.tenant || undefined, ...options });
    this.clients.push(c);
    return c;
  }

  async person(name, user, { typed, iss, exp, guest, resumable } = {}) {
    const token = guest ? undefined : otherToken(this.v, this.server, this.key, user, { iss, exp });
    const c = await this.connect(token, {}, resumable ? (...a) => Resumer.start(...a) : undefined);
    const self = await c.enter(this.node, { name: typed, password: this.v.room.password ?? undefined });
    c.self = self;
    if (name) this.people.set(name, c);
    return c;
  }

  async setUp() {
    const { v } = this;
    if (!v.room.exists) return;
    const order = [...v.room.occupants].sort((a, b) => (a.joined ?? 0) - (b.joined ?? 0));
    const shut = order.length ? order[0].guest && v.config.auth !== 'none' && v.config.room_create !== 'anyone' : !this.subjectMayCreate();
    if (needsHost(v)) this.host = await this.person(null, { id: 'host-of-the-test', moderator: true });
    else if (shut) {
      // A guest cannot open a room: somebody without powers holds it open.
      this.keepHost = true;
      try {
        this.host = await this.person(null, { id: 'opener-of-the-test', moderator: false });
      } catch (e) {
        if (!(e instanceof Refused)) throw e; // nobody can open it: then the subject cannot either
      }
    }
    for (const o of order) await this.occupant(o);
    for (const identity of v.room.banned) await this.banned(identity);
    if (v.room.password) await this.moderator().configure(this.node, { 'muc#roomconfig_roomsecret': v.room.password });
    if (this.host && v.room.occupants.length && !this.keepHost) await this.host.leave(this.node);
    await settleAll(this.clients.filter((c) => !c.closed));
    for (const o of v.room.occupants) this.check(o);
    for (const o of v.room.occupants) if (o.state === 'hibernating') await this.cut(o);
  }

  subjectMayCreate() {
    const { v } = this;
    if (v.config.auth === 'none' || v.config.room_create === 'anyone') return true;
    if (v.token !== 'present') return v.config.room_create === 'moderators' && mode(v) === 'everyone';
    return v.config.room_create !== 'moderators' || v.expect?.role === 'moderator';
  }

  moderator() {
    const o = this.v.room.occupants.find((x) => x.role === 'moderator' && x.source !== 'granted');
    return this.host && !this.keepHost ? this.host : this.people.get(o?.who) ?? fail('nobody can set this room up');
  }

  async occupant(o) {
    const user = {};
    if (o.identity) user.id = o.identity[1];
    if (o.source === 'token') user.moderator = true;
    else if (o.denied) user.moderator = false;
    if (o.name_from === 'token') user.name = o.name;
    else if (o.source === 'granted' && mode(this.v) === 'everyone') user.moderator = false;
    const expires = (this.v.event.type === 'expire' || this.v.event.expired) && who(this.v) === o.who;
    if (expires) this.expires = now() + 3;
    const c = await this.person(o.who, user, {
      guest: o.guest, iss: o.identity?.[0], typed: o.name_from === 'token' ? undefined : o.name ?? undefined,
      exp: expires ? this.expires : undefined,
      resumable: o.state === 'hibernating' || (this.v.event.type === 'resume' && who(this.v) === o.who),
    });
    if (o.source === 'granted') await this.moderator().grant(this.node, c.jid);
    if (o.revoked) await c.revoke(this.node, c.jid);
  }

  async banned(identity) {
    const c = await this.person(null, { id: identity[1], moderator: false }, { iss: identity[0] });
    await this.moderator().ban(this.node, c.jid);
  }

  /** The network of an occupant is gone, and the room knows it. */
  async cut(o) {
    const c = this.people.get(o.who);
    const mark = this.server.mark();
    c.cut();
    const told = new RegExp(`occupant=${c.id} session=\\S+ event=hibernate`);
    await until(() => told.test(this.server.log.slice(mark)), { what: `${o.who} hibernates` });
  }

  /** The state that was played must be the one that the vector tells. */
  check(o) {
    const c = this.people.get(o.who);
    const p = c.presences({ id: c.id, node: this.node }).at(-1);
    if (o.role && (p.affiliation !== o.affiliation || p.role !== o.role)) {
      fail(`setting up ${o.who}: wanted ${o.affiliation}/${o.role}, the server says ${p.affiliation}/${p.role}`);
    }
  }

  /** Connects and joins the vector's subject; what came of it. */
  async join() {
    const { v } = this;
    this.observers = [...this.people.values(), ...(this.host && !this.host.closed ? [this.host] : [])];
    let c;
    try {
      c = await this.connect(vectorToken(v, this.server, this.key));
    } catch (e) {
      return this.refused(e);
    }
    this.subject = c;
    if (v.event.type === 'connect') return { accepted: true };
    try {
      c.self = await c.enter(this.node, { name: v.nick ?? undefined, password: v.password ?? undefined });
    } catch (e) {
      return this.refused(e);
    }
    return this.look(c, await this.observer());
  }

  refused(e) {
    if (!(e instanceof Refused)) throw e;
    return { accepted: false, stage: e.stage, condition: e.condition };
  }

  /** Somebody else in the room: one who is there already, or one who comes now. */
  async observer() {
    const there = this.observers?.find((c) => c !== this.subject && !c.deaf && c.presences({ node: this.node }).at(-1)?.codes.includes('307') !== true);
    if (there) return there;
    if (this.v.config.max_occupants && this.people.size + 2 > this.v.config.max_occupants) return null; // no seat for one
    if (this.v.config.auth === 'none') return this.person('observer', {}, { guest: true, typed: OBSERVER });
    return this.person('observer', { id: 'observer-of-the-test', moderator: false });
  }

  /** The subject as himself and as somebody else sees him; both must agree. */
  async look(c, observer, since = 0) {
    await settleAll(c, ...(observer ? [observer] : []));
    const own = c.presences({ id: c.id, node: this.node, since: 0 }).at(-1);
    const other = !observer ? own : observer.presences({ id: c.id, node: this.node, since }).at(-1);
    if (!other) fail(`the observer saw no presence of ${c.id}`, observer.tail());
    const short = (p) => `${p.affiliation}/${p.role}/${p.name}`;
    ok(short(own) === short(other), `joiner and observer disagree: own ${short(own)}, observer ${short(other)}`);
    return { accepted: true, affiliation: other.affiliation, role: other.role, name: other.name };
  }

  client(name) {
    return this.people.get(name) ?? this.subject ?? fail(`nobody is called ${name}`);
  }

  async play() {
    const { v } = this;
    await this.setUp();
    const absent = who(v) !== undefined && !present(v, who(v));
    this.logMark = this.server.mark();
    if (/^(join|connect)$/.test(v.event.type)) return this.join();
    if (absent) {
      const came = await this.join();
      if (!came.accepted) return came;
    }
    this.logMark = this.server.mark();
    return this[v.event.type]();
  }

  /** Comes back with the same token or with the vector's; what is not honoured is a new session, which joins. */
  async resume() {
    const { v } = this;
    const c = this.people.get(who(v));
    const token = v.event.same_token === false ? vectorToken(v, this.server, this.key) : c.options.token;
    if (!c.deaf) c.cut();
    if (v.event.expired) await sleep(Math.max(0, this.expires * 1000 - Date.now() + 300));
    this.observers = [...this.people.values(), ...(this.keepHost && this.host ? [this.host] : [])].filter((x) => x !== c && !x.closed && !x.deaf);
    this.subject = c;
    try {
      const answer = await c.resumeOver(await c.reconnect({ token: token ?? null }));
      if (answer.local === 'resumed') {
        if (v.nick) c.update(this.node, { name: v.nick });
        return { ...(await this.look(c, await this.observer())), ...(await this.elected([c])) };
      }
      c.enabled = false;
      const bound = await c.iq('set', null, `<bind xmlns='${NS.bind}'/>`);
      c.jid = bound.path('bind', 'jid').text;
      c.id = c.jid.slice(0, 8);
      c.self = await c.enter(this.node, { name: v.nick ?? undefined, password: v.password ?? undefined });
    } catch (e) {
      return this.refused(e);
    }
    return this.look(c, await this.observer());
  }

  async rename() {
    const c = this.client(who(this.v));
    const observer = await this.observer();
    const since = observer.mark();
    c.update(this.node, { name: this.v.event.to });
    await settleAll(c, observer);
    const p = observer.presences({ id: c.id, node: this.node, since }).at(-1);
    if (!p) fail('a rename must reach the others', observer.tail());
    return { accepted: true, name: p.name };
  }

  async item() {
    const e = this.v.event;
    const by = this.people.get(e.by) ?? (present(this.v, e.by) ? this.client(e.by) : await this.stranger());
    const target = this.people.get(e.target) ?? { id: 'nobody12', jid: `nobody@${this.server.domain}/x` };
    const what = e.role ? `nick='${target.id}' role='${e.role}'` : `jid='${target.jid.split('/')[0]}' affiliation='${e.affiliation}'`;
    try {
      await by.admin(this.node, `<item ${what}/>`);
    } catch (x) {
      return this.refused(x);
    }
    await settleAll(by, target);
    const p = by.presences({ id: target.id, node: this.node }).at(-1);
    return { accepted: true, affiliation: p.affiliation, role: p.role, ...(await this.elected([target])) };
  }

  /** Somebody who is connected, but not in the room. */
  stranger() { return this.connect(otherToken(this.v, this.server, this.key, { id: 'stranger-of-the-test' })); }

  shaped(more) {
    this.v = { ...this.v, event: { ...this.v.event, ...more } };
    return this.item();
  }

  grant() { return this.shaped({ affiliation: 'owner' }); }
  revoke() { return this.shaped({ affiliation: 'none' }); }
  kick() { return this.shaped({ role: 'none' }); }
  ban() { return this.shaped({ affiliation: 'outcast' }); }

  async leave() {
    const c = this.client(who(this.v));
    await c.leave(this.node);
    return { accepted: true, ...(await this.elected([c])) };
  }

  /** Who, apart from these, became moderator since the event began. */
  async elected(except) {
    const others = this.v.room.occupants.map((o) => [o.who, this.people.get(o.who)]).filter(([, c]) => !except.includes(c));
    await settleAll(others.map(([, c]) => c));
    const made = others.filter(([name, c]) => present(this.v, name).role !== 'moderator'
      && c.presences({ id: c.id, node: this.node }).at(-1).role === 'moderator');
    return { elected: made[0]?.[0] ?? null };
  }

  async expire() {
    const c = this.client(who(this.v));
    const line = await until(() => this.server.lines(this.logMark).find((l) => /R_EXPIRED_(KEPT|DEMOTED)/.test(l) && l.includes(this.node)),
      { timeout: 9000, what: 'the expiry of a token in the log' });
    await settleAll(c);
    const p = c.presences({ id: c.id, node: this.node }).at(-1);
    return { accepted: true, affiliation: p.affiliation, role: p.role, line, ...(await this.elected([c])) };
  }

  async tidy() {
    for (const c of this.clients) {
      if (!c.closed && c.self) {
        c.send(`<presence xmlns='jabber:client' to='${c.room(this.node)}/${c.id}' type='unavailable'/>`);
        await c.settle().catch(() => {});
      }
      c.drop();
    }
  }
}

/** The log since a mark, when it has come to the reason that the vector expects (or has had time to). */
async function logAbout(server, mark, v) {
  const end = Date.now() + (v.expect?.reason && /^(join|connect)$/.test(v.event.type) ? 1500 : 0);
  while (Date.now() < end && !new RegExp(`\\b${v.expect.reason}\\b`).test(server.log.slice(mark))) await sleep(5);
  return server.log.slice(mark);
}

/** Plays one vector; resolves with what was seen and with the reason codes of the log. */
export async function playVector(v, server, key) {
  const p = new Play(v, server, key);
  try {
    const seen = await p.play();
    const log = await logAbout(server, p.logMark ?? 0, v);
    const changes = {};
    for (const o of v.room.occupants) {
      const c = p.people.get(o.who);
      const last = c.presences({ id: c.id, node: p.node }).at(-1);
      if (last) changes[o.who] = { affiliation: last.affiliation, role: last.role, name: last.name };
    }
    return { seen, log, changes, clients: p.clients };
  } finally {
    await p.tidy();
  }
}

export { presenceInfo };
