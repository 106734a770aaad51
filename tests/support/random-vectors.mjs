// random-vectors.mjs - makes decision vectors at random, from a seed: configurations that start, states that can be.
import { random } from './harness.mjs';

const NOW = 1800000000;
const OWNER = { affiliation: 'owner', role: 'moderator' };
const MEMBER = { affiliation: 'member', role: 'participant' };
const GUEST = { affiliation: 'none', role: 'participant' };

const MODERATOR_VALUES = [true, true, true, true, true, 'true', 'true', 'true', false, 'false', 'FALSE', 'True', 'TRUE', 1, 0, '1', '0', '', ' true ', 'yes', 2, -1,
  1.0, 0.5, null, {}, [], [true], { value: true }];
const AFFILIATION_VALUES = ['owner', 'owner', 'owner', 'moderator', 'teacher', 'Owner', 'admin', 'member', 'participant', 'student', 'GUEST',
  'visitor', 'none', 'outcast', 'Outcast', '', 'boss', null, true, 1, ['owner']];
const NAMES = ['Alice Example', 'Alice Example', 'Bob', 'Bob', 'Arnold', 'Zoë Angström', 'Zoë Ångström', 'Ahmed \u202eevil', '   ', '\u200b\u200b', 'a'.repeat(80), '<b>Bob</b>',
  'O\'Neil & Söhne', 'Тест', '李雷', 'x\ty\nz', '𝒜lice 😀', 42, null, {}, 'e\u0301\u0301\u0301\u0301\u0301\u0301', 'Arnold', '…', 'नमस्ते'];
const NICKS = [null, null, '', 'Gil', 'alice example', 'A1ice Examp1e', 'Αlice Example', 'Ar nold', 'Amold', 'Bob', '\u202eGil', '  Gil  ',
  'Quiet', 'b'.repeat(70), 'Тест', '&lt;', '\u2800', 'ALICE  EXAMPLE', 'Alice Example (guest)'];

/** Whose arrival marks a guest of that name. */
const BEARERS = { 'alice example': 'Alice Example', B0b: 'Bob', 'Zoe Angstrom': 'Zoë Ångström', Amold: 'Arnold' };

function configuration(r) {
  for (;;) {
    const c = {};
    const maybe = (p, key, values) => { if (r.chance(p)) c[key] = r.pick(values); };
    maybe(0.8, 'role_mode', ['token', 'first-user', 'first-user', 'authenticated', 'authenticated', 'everyone', 'everyone', 'none']);
    maybe(0.3, 'claim_coercion', ['strict', 'lenient', 'lenient']);
    maybe(0.3, 'claim_conflict', ['deny', 'grant', 'grant']);
    maybe(0.2, 'honour_deny', [false]);
    maybe(0.7, 'allow_guests', [true]);
    maybe(0.3, 'room_create', ['authenticated', 'moderators', 'anyone']);
    maybe(0.2, 'claim_paths', [['context.user', '$'], ['context.user', 'context'], []]);
    maybe(0.3, 'name_mode', ['frozen', 'per-claim', 'free']);
    maybe(0.3, 'guest_clash', ['suffix', 'always', 'allow']);
    maybe(0.15, 'name_paths', [['context.user.name', 'name'], ['name']]);
    maybe(0.1, 'name_max', [20]);
    maybe(0.25, 'domain_verification', [true]);
    maybe(0.15, 'require_room', [false]);
    maybe(0.15, 'room_wildcard', [false]);
    maybe(0.2, 'max_occupants', [1, 2, 3]);
    maybe(0.2, 'outcast_claim', ['member']);
    maybe(0.15, 'accepted_audiences', [['jitsi', 'x']]);
    maybe(0.1, 'accepted_issuers', [['my_app', 'second']]);
    maybe(0.1, 'require_exp', [true]);
    maybe(0.1, 'profile', ['jitsi']);
    if (r.chance(0.3)) {
      c.claim_rules = [
        { path: 'groups', op: 'has', value: r.pick(['/staff', ['/staff', '/teachers']]), then: r.pick(['grant', 'deny']) },
        { path: ['https://example.org/role'], op: 'is', value: r.pick(['host', true]), then: 'grant' },
      ].slice(0, 1 + r.int(2));
      if (r.chance(0.3)) c.claim_rules_else = 'deny';
    }
    if (r.chance(0.08)) {
      c.auth = 'none';
      delete c.allow_guests;
    }
    if (c.room_create === 'moderators' && (c.role_mode === 'none')) continue;
    return c;
  }
}

function claims(r, node) {
  const c = {};
  const user = { id: r.pick(['u1', 'u2', 1, '', null, undefined]), name: r.pick(NAMES) };
  if (r.chance(0.15)) delete user.name;
  if (r.chance(0.55)) user.moderator = r.pick(MODERATOR_VALUES);
  if (r.chance(0.3)) user.affiliation = r.pick(AFFILIATION_VALUES);
  if (r.chance(0.07)) user.role = r.pick(['visitor', 'moderator']);
  c.context = { user };
  if (r.chance(0.2)) c.context.features = { 'name-readonly': r.pick([true, 'true', false]), moderator: r.pick([true, false, 'false']) };
  if (r.chance(0.05)) c.context.moderator = r.pick([true, false]);
  if (r.chance(0.04)) c.context = r.pick([null, [], 'text', { user: null }, { user: [] }, { user: 'x' }]);
  if (r.chance(0.12)) c.moderator = r.pick([true, false, 'false']);
  if (r.chance(0.06)) c.affiliation = r.pick(['owner', 'member', 'outcast']);
  if (r.chance(0.15)) c.name = r.pick(NAMES);
  if (r.chance(0.3)) c.groups = r.pick([['/staff'], '/staff', ['/staff/x'], [], null, 7, ['/teachers', '/x'], [1]]);
  if (r.chance(0.15)) c['https://example.org/role'] = r.pick(['host', true, 'guest', 1, ['host']]);
  c.room = r.chance(0.6) ? node : r.pick(['*', '*', '*', node.toUpperCase(), decodeURIComponent(node), decodeURIComponent(node)]);
  if (r.chance(0.06)) c.room = r.pick(['other', '', 5, null, [node]]);
  if (r.chance(0.1)) c.sub = r.pick(['meet.example.com', 'MEET.JITSI', '*', 'other', '', 3]);
  if (r.chance(0.08)) c.aud = r.pick([['jitsi'], ['jitsi', 'y'], ['y'], [], 'x', '*', 1]);
  if (r.chance(0.04)) c.iss = r.pick(['other', 'second', 1, '']);
  if (r.chance(0.06)) c.exp = r.pick([NOW - 3600, NOW - 1, NOW + 60, NOW + 60, String(NOW + 3600), null, -1, 1e17]);
  if (r.chance(0.04)) c.nbf = r.pick([NOW + 3600, NOW - 10, NOW + 1, 'x']);
  if (r.chance(0.05)) c.iat = NOW + r.pick([-5, 300]);
  return c;
}

/** Occupants that the server itself can be brought to, with what they then have. */
function occupants(r, c) {
  const mode = c.role_mode ?? (c.auth === 'none' ? 'first-user' : 'token');
  const frozen = (c.name_mode ?? (c.profile === 'jitsi' ? 'per-claim' : 'frozen')) === 'frozen'
    && (c.name_paths ?? ['context.user.name']).includes('context.user.name');
  const marked = c.guest_clash === 'always';
  const paths = c.claim_paths ?? ['context.user'];
  const list = [];
  const add = (who, more, name) => list.push({ who, denied: false, guest: false, identity: null, state: 'live', joined: list.length + 1, ...more, ...name });
  const named = (n) => (frozen ? { name: n, name_from: 'token' } : { name: null, name_from: 'user' });
  const typed = (n) => (marked ? { name: null, name_from: 'user' } : { name: n, name_from: 'user' });
  if (c.auth === 'none') {
    if (!/^(first-user|everyone)$/.test(mode) || (c.room_create ?? 'anyone') !== 'anyone') return null;
    add('a', { source: 'mode', guest: true, ...OWNER }, typed('First'));
    return list;
  }
  if (mode === 'none' || !paths.includes('context.user') || c.claim_rules_else === 'deny') return null;
  const host = r.pick(['Arnold', 'Alice Example', 'Hanna']);
  add('a', { source: 'token', identity: ['my_app', 'host'], ...OWNER }, named(host));
  if (r.chance(0.5)) add('b', { source: 'none', denied: c.honour_deny !== false, identity: ['my_app', 'b'], ...MEMBER }, named('Berta'));
  if (c.honour_deny === false && list.length > 1) list.pop();
  if (r.chance(0.6) && c.allow_guests && mode !== 'everyone') add('g', { source: 'none', guest: true, ...GUEST }, typed(r.pick(host === 'Hanna' ? ['Gil', 'alice example', 'B0b', 'Zoe Angstrom', 'Amold'] : ['Gil', 'Gerda', 'Zoe Angstrom'])));
  return list.slice(0, c.max_occupants || list.length);
}

export function randomVectors(seed, { configurations, each }) {
  const r = random(seed);
  const defaults = {
    now: NOW,
    config: { app_id: 'my_app', domain: 'meet.jitsi', public_host: 'meet.example.com' },
    header: { alg: 'HS256', typ: 'JWT' },
    claims: { iss: 'my_app', aud: 'jitsi', sub: 'meet.jitsi', exp: NOW + 3600 },
    room: { tenant: '', exists: false, lobby: false, password: null, breakout: false, occupants: [], banned: [] },
  };
  const groups = [];
  for (let i = 0; i < configurations; i += 1) {
    const config = configuration(r);
    const vectors = [];
    for (let k = 0; k < each; k += 1) {
      const node = r.pick([`r${i}-${k}`, `r${i}-${k}`, `%d1%82${i}-${k}`]);
      const v = { id: `random-${i}-${k}`, config, room: { node }, claims: claims(r, node), nick: r.pick(NICKS), event: { type: 'join' } };
      const people = r.chance(0.6) ? occupants(r, config) : null;
      if (people) v.room = { node, exists: true, occupants: people };
      const imitator = people?.find((o) => o.guest && BEARERS[o.name]);
      if (imitator && v.claims.context?.user?.id !== undefined && r.chance(0.7)) v.claims.context.user.name = BEARERS[imitator.name];
      if (r.chance(0.15)) v.token = r.pick(['absent', 'empty']);
      if (r.chance(0.03)) v.signature = r.pick(['invalid', 'missing']);
      if (r.chance(0.05)) v.header = r.pick([{ alg: 'none' }, { alg: 'HS512' }, { typ: 'jwt' }, { typ: 'JOSE' }, { crit: ['exp'] }, { alg: 'RS256' }, { alg: 5 }]);
      if (r.chance(0.03)) v.drop_claims = [r.pick(['iss', 'aud', 'sub', 'room', 'exp'])];
      for (const key of ['id']) if (v.claims.context?.user?.[key] === undefined && v.claims.context?.user) delete v.claims.context.user[key];
      vectors.push(v);
    }
    groups.push({ name: `${i}`, config, vectors });
  }
  return { configurations: groups, file: { schema: 1, defaults, vectors: groups.flatMap((g) => g.vectors) } };
}
