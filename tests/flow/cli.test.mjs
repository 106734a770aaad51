// cli.test.mjs - the command line: help, exit codes, errors that name the place, tokens and links, explain in words.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { equal, lacks, match, ok, run, same, test, until } from '../support/harness.mjs';
import { Client, enter, settleAll } from '../support/client.mjs';
import { GAVEL, Server, cleanEnvironment, configText, freePort, gavel, temporaryFolder, withServer } from '../support/server.mjs';
import { claimsFor, makeToken, now } from '../support/token.mjs';

const SECRET = '0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a6978';
const folder = temporaryFolder();
let serial = 0;

function file(config, { raw } = {}) {
  const path = join(folder, `config-${(serial += 1)}.yaml`);
  writeFileSync(path, raw ?? configText({ app_id: 'my_app', app_secret: SECRET, state_directory: folder, ...config }), { mode: 0o600 });
  return path;
}

const plain = file({});
const sign = (user, more, options) => makeToken(claimsFor(user, more), SECRET, options);

/** Runs, wants an exit code, and never wants to see the secret. */
function expectRun(code, args, options) {
  const r = gavel(args, options);
  equal(r.code, code, `exit code of gavel ${args.join(' ').slice(0, 200)}; output:\n${r.out}${r.err}`);
  ok(!`${r.out}${r.err}`.includes(SECRET), 'the secret is not shown', r.out, r.err);
  return r;
}

const explain = (config, args, code = 0) => expectRun(code, ['explain', '--config', file(config), '--room', 'demo', ...args]);

test('every command has --help, which names its arguments and exit codes', () => {
  const top = expectRun(0, ['--help']);
  for (const c of ['serve', 'check', 'explain', 'token', 'link', 'keys', 'version']) {
    match(top.out, new RegExp(`^\\s*${c}\\b`, 'm'), 'the list of commands');
    const h = expectRun(0, [c, '--help']);
    match(h.out, new RegExp(`gavel ${c}`), `help of ${c}`);
    match(h.out, /exit( codes?)?:/i, `help of ${c}`);
    equal(h.err, '', `what help of ${c} says on the error output`);
  }
  for (const c of ['make', 'read']) expectRun(0, ['token', c, '--help']);
  match(expectRun(0, ['version']).out, /^gavel \d+\.\d+/, 'version');
});

test('wrong arguments: exit 2, a line that says what, nothing on standard output', () => {
  for (const args of [[], ['srve'], ['serve', '--nonsense'], ['serve', '--config'], ['check', '--nonsense'], ['explain'], ['explain', '--room', 'x'],
    ['token'], ['token', 'bake'], ['token', 'make', '--moderator', '--participant'], ['link', '--nonsense'], ['explain', '--vectors', '/nowhere.json'],
    ['check', '--config', '/nowhere.yaml'], ['serve', '--config', '/nowhere.yaml'], ['explain', '--config', plain, '--room', 'x', '--claims', '{"a":'],
    ['explain', '--config', plain, '--room', 'x', '--guest', '--claims', '{}']]) {
    const r = expectRun(2, args);
    ok(r.err.trim().length > 0, `gavel ${args.join(' ')} says why`);
  }
  match(gavel(['srve']).err, /serve/, 'the nearest command');
});

test('serve refuses to start without any configuration and shows both ways', () => {
  const home = mkdtempSync(join(tmpdir(), 'gavel-home-'));
  const r = expectRun(2, ['serve'], { env: { HOME: home }, cwd: home });
  match(r.err, /--config/, 'one way');
  match(r.err, /ENABLE_AUTH/, 'the other way');
  rmSync(home, { recursive: true });
});

test('a bad configuration: exit 2 with file, line, reason and the nearest name, for serve and check alike', () => {
  for (const [text, pattern] of [
    ['app_id: my_app\nrole_mod: token\n', /:2: .*role_mod.*role_mode/s],
    ['app_id: my_app\nrole_mode: tokens\n', /:2: .*role_mode.*(tokens)/s],
    ['app_id: my_app\nallow_guests: maybe\n', /:2: .*allow_guests/s],
    ['app_id: my_app\nleeway: 61\n', /:2: .*leeway/s],
    ['app_id: my_app\napp_id: other\n', /:2: .*app_id/s],
    ['app_id: [\n', /:\d+: /],
    ['role_mode: none\nroom_create: moderators\napp_id: my_app\n', /room_create/],
    ['auth: none\nallow_guests: false\n', /allow_guests/],
    ['app_id: my_app\nkey_source: keyserver\nkey_server: https://keys.example\nclaim_rules: [{"path":"x","op":"is","value":"y","then":"grant"}]\n', /claim_rules|accepted_audiences/],
    ['app_id: my_app\nalgs: ["none"]\n', /algs/],
    ['app_id: my_app\nhttp_port: 99999\n', /http_port/],
  ]) {
    const path = file({}, { raw: `${text}${text.startsWith('auth') || text.includes('key_server') ? '' : `app_secret: ${SECRET}\n`}` });
    for (const command of ['check', 'serve']) {
      const r = expectRun(2, [command, '--config', path]);
      match(`${r.err}${r.out}`, pattern, `${command} on ${JSON.stringify(text)}`);
      ok(`${r.err}${r.out}`.includes(path) || !/:\d+:/.test(pattern.source), 'the file is named', r.err);
    }
  }
});

test('check tells which key server would be asked, and asks nobody', () => {
  const path = file({}, { raw: 'app_id: my_app\nkey_source: keyserver\nkey_server: "https://keys.example/"\n' });
  match(expectRun(0, ['check', '--config', path]).out, /https:\/\/keys\.example\/<SHA-256 of the kid>\.pem is fetched/, 'check');
});

test('check shows settings with their origin, as text and as JSON', () => {
  const path = file({ role_mode: 'first-user', allow_guests: true });
  const r = expectRun(0, ['check', '--config', path]);
  match(r.out, /role_mode\b.*first-user.*config-\d+\.yaml/, 'a value from the file');
  match(r.out, /leeway\b.*5/, 'a default');
  const j = JSON.parse(expectRun(0, ['check', '--config', path, '--json']).out);
  same([j.effective?.role_mode, j.effective?.allow_guests, j.effective?.leeway], ['first-user', true, 5], 'effective settings');
  const flag = JSON.parse(expectRun(0, ['check', '--config', path, '--json'], { env: { ROLE_MODE: 'authenticated' } }).out);
  equal(flag.effective.role_mode, 'authenticated', 'a variable wins over the file');
});

test('token make, read and link: a round trip, with the right role', () => {
  for (const [flag, role] of [['--moderator', true], ['--participant', false]]) {
    const t = expectRun(0, ['token', 'make', '--config', plain, '--room', 'demo', '--name', 'Ünï Cödé', flag, '--ttl', '90m']).out.trim();
    match(t, /^[\w-]+\.[\w-]+\.[\w-]+$/, 'one token on one line');
    const payload = JSON.parse(Buffer.from(t.split('.')[1], 'base64url'));
    same([payload.iss, payload.room, payload.context.user.name, payload.context.user.moderator], ['my_app', 'demo', 'Ünï Cödé', role], 'claims');
    ok(Math.abs(payload.exp - now() - 5400) < 60, 'exp by --ttl', payload);
    const read = expectRun(0, ['token', 'read', t, '--config', plain]);
    match(read.out, /Ünï Cödé/, 'what token read shows');
    lacks(read.out, new RegExp(t.split('.')[2]), 'the signature is not shown');
    const e = expectRun(0, ['explain', '--config', plain, '--room', 'demo', '--token', t]);
    match(e.out, role ? /^ACCEPTED\s+owner \/ moderator\s+R_TOKEN_GRANT/ : /^ACCEPTED\s+member \/ participant\s+R_TOKEN_DENY/, 'its verdict');
    const link = expectRun(0, ['link', '--config', plain, '--room', 'demo', '--name', 'Ünï Cödé', flag]).out.trim();
    match(link, /^http:\/\/localhost:8000\/demo#jwt=[\w-]+\.[\w-]+\.[\w-]+$/, 'the link');
  }
  const bad = expectRun(1, ['token', 'read', sign({ id: 'x' }, {}, { state: 'invalid' }), '--config', plain]);
  match(`${bad.out}${bad.err}`, /E_SIG|Invalid signature/, 'a token that does not verify');
  expectRun(2, ['token', 'make', '--config', plain, '--room', 'demo', '--name', 'x', '--ttl', 'soon']);
});

test('explain, case A: the thread\'s group B', () => {
  const claims = { iss: 'issID', aud: 'jitsi', sub: 'meet.jitsi', room: '*', context: { user: { name: 'User Name', moderator: 'false' } } };
  const r = explain({ accepted_issuers: ['issID'] }, ['--token', makeToken(claims, SECRET), '--compare-jitsi']);
  match(r.out, /^ACCEPTED\s+member \/ participant\s+R_TOKEN_DENY$/m, 'verdict');
  match(r.out, /^token\s+HS256 ok, iss "issID" ok, aud "jitsi" ok, room "\*" covers "demo", sub "meet\.jitsi" \(not compared\)$/m, 'token');
  match(r.out, /no exp: this token never expires\s+W_NO_EXP$/m, 'no exp');
  match(r.out, /^claim\s+context\.user\.moderator = "false" \(string\)\s+-> no$/m, 'the claim');
  match(r.out, /^(claim)?\s+context\.user\.affiliation absent\s+-> silent$/m, 'the absent claim');
  match(r.out, /^decided\s+rule 6: the token says no\./m, 'the rule');
  match(r.out, /role_mode=token -> member/, 'had it been silent');
  match(r.out, /^name\s+others see "User Name"; own page shows "User Name"; editing: off \(frozen\)$/m, 'name');
  match(r.out, /^lasts\s+until leave/m, 'how long');
  match(r.out, /^jitsi\s+#/m, 'the comparison');
});

test('explain, case B: group A', () => {
  const r = explain({}, ['--token', sign({ id: 'a', name: 'Alice Example', moderator: true })]);
  match(r.out, /^ACCEPTED\s+owner \/ moderator\s+R_TOKEN_GRANT$/m, 'verdict');
  match(r.out, /rule 7/, 'the rule');
  match(r.out, /lobby_bypass=unattended/, 'the lobby');
  match(r.out, /others may revoke: no/, 'revoking');
});

test('explain, case C: what a moderator sees when she types another name', () => {
  const r = explain({}, ['--token', sign({ id: 'a', name: 'JWT name', moderator: true }), '--nick', 'New name']);
  match(r.out, /^name\s+others see "JWT name"/m, 'others');
  match(r.out, /New name/, 'what was typed');
});

test('explain, case D: a guest', () => {
  const r = explain({ allow_guests: true, room_create: 'anyone' }, ['--guest', '--nick', 'Anna']);
  match(r.out, /^ACCEPTED\s+none \/ participant\s+R_GUEST$/m, 'verdict');
  match(r.out, /^name\s+.*"Anna".*editing: on/m, 'name');
  const refused = explain({}, ['--guest'], 1);
  match(refused.out, /^REFUSED\s+sasl\s+E_TOKEN_REQUIRED/m, 'without allow_guests');
  match(refused.out, /allow_guests=true/, 'the key to change');
});

test('explain, case E: claims that contradict each other', () => {
  const r = explain({}, ['--token', sign({ id: 'a', name: 'A', moderator: false, affiliation: 'owner' })]);
  match(r.out, /^ACCEPTED\s+member \/ participant\s+R_TOKEN_CONFLICT$/m, 'verdict');
  match(r.out, /context\.user\.moderator = false \(boolean\)\s+-> no/, 'one claim');
  match(r.out, /context\.user\.affiliation = "owner" \(string\)\s+-> (yes|grant)/, 'the other');
  match(r.out, /claim_conflict=deny/, 'the conflict');
  match(r.out, /remove context\.user\.moderator or set claim_conflict=grant/, 'the hint');
});

test('explain, case F: "True" as Python writes it', () => {
  const r = explain({}, ['--token', sign({ id: 'a', name: 'A', moderator: 'True' })]);
  match(r.out, /W_CLAIM_VALUE/, 'the warning');
  match(r.out, /claim_coercion=lenient/, 'the key');
  match(r.out, /send JSON true/, 'the claim edit');
});

test('explain, case G: the claim in the wrong place', () => {
  const r = explain({}, ['--token', sign({ id: 'a', name: 'A' }, { moderator: true })]);
  match(r.out, /ignored:? .*moderator = true.*W_CLAIM_MISPLACED/, 'the claim');
  match(r.out, /move it to context\.user\.moderator or set claim_paths/, 'the hint');
});

test('explain, case H: a wrong secret, and nothing of the claims', () => {
  const r = explain({}, ['--token', sign({ id: 'a', name: 'Mallory Secretive', moderator: true }, {}, { state: 'invalid' })], 1);
  match(r.out, /^REFUSED\s+sasl\s+E_SIG\s+"Invalid signature"/m, 'verdict');
  lacks(`${r.out}${r.err}`, /Mallory/, 'what is not verified');
});

test('explain, case I: a claim rule that does not match', () => {
  const config = { claim_rules: [{ path: 'x', op: 'is', value: 'y', then: 'grant' }, { path: 'groups', op: 'has', value: '/staff', then: 'grant' }] };
  const r = explain(config, ['--token', sign({ id: 'a', name: 'A' }, { groups: ['/staff/trainees'] })]);
  match(r.out, /rule 2.*groups has "\/staff" then grant: found \["\/staff\/trainees"\] \(array\) -> not matched/, 'the rule');
});

test('explain --json is the expect object; refusals exit 1; the token is never printed', () => {
  const token = sign({ id: 'a', name: 'Alice Example', moderator: true });
  const r = explain({}, ['--token', token, '--json']);
  const j = JSON.parse(r.out);
  same([j.accepted, j.affiliation, j.role, j.source, j.reason, j.name, j.name_editable],
    [true, 'owner', 'moderator', 'token', 'R_TOKEN_GRANT', 'Alice Example', false], 'verdict');
  for (const part of token.split('.')) lacks(`${r.out}${r.err}`, new RegExp(part), 'the token');
  const no = JSON.parse(explain({}, ['--token', sign({ id: 'a' }, { room: 'other' }), '--json'], 1).out);
  same([no.accepted, no.stage, no.condition, no.reason], [false, 'join', 'not-allowed', 'E_ROOM_MISMATCH'], 'a refusal');
  const claims = explain({}, ['--claims', JSON.stringify(claimsFor({ id: 'a', affiliation: 'owner' })), '--json']);
  equal(JSON.parse(claims.out).reason, 'R_TOKEN_GRANT', '--claims');
  const occupants = join(folder, 'occupants.json');
  writeFileSync(occupants, JSON.stringify([{ who: 'm', source: 'mode', affiliation: 'owner', role: 'moderator', joined: 1 }]));
  const second = explain({ role_mode: 'first-user' }, ['--token', sign({ id: 'b', name: 'B' }), '--occupants', occupants, '--json']);
  equal(JSON.parse(second.out).reason, 'R_NOT_FIRST', '--occupants');
});

test('explain --keys stands in for a key server', async () => {
  const { keyPair } = await import('../support/token.mjs');
  const { privateKey, publicKey, pem } = keyPair('RS256');
  const path = file({}, { raw: 'app_id: my_app\nkey_source: keyserver\nkey_server: "https://keys.example/"\naccepted_audiences: ["jitsi"]\n' });
  const token = makeToken(claimsFor({ id: 'a', name: 'A', moderator: true }), privateKey, { header: { alg: 'RS256', typ: 'JWT', kid: 'k1' } });
  const jwks = join(folder, 'keys.json');
  writeFileSync(jwks, JSON.stringify({ keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'k1', alg: 'RS256', use: 'sig' }] }));
  const pemFile = join(folder, 'key.pem');
  writeFileSync(pemFile, pem);
  for (const keys of [jwks, pemFile]) {
    const r = expectRun(0, ['explain', '--config', path, '--room', 'demo', '--token', token, '--keys', keys]);
    match(r.out, /^ACCEPTED\s+owner \/ moderator/, `with ${keys}`);
  }
  const none = expectRun(1, ['explain', '--config', path, '--room', 'demo', '--token', token]);
  match(none.out, /^REFUSED\s+sasl\s+E_KEY/, 'without keys nothing is fetched');
});

test('explain --vectors: bad files exit 2, differences exit 1', () => {
  const write = (o) => { const p = join(folder, `v${(serial += 1)}.json`); writeFileSync(p, typeof o === 'string' ? o : JSON.stringify(o)); return p; };
  const good = { schema: 1, defaults: { now: 1800000000, config: { app_id: 'my_app' }, header: { alg: 'HS256', typ: 'JWT' },
    claims: claimsFor({ id: 'u', name: 'U' }, { room: 'demo', exp: 1800003600 }), room: { node: 'demo', tenant: '', exists: true, occupants: [], banned: [] } },
  vectors: [{ id: 'one', expect: { accepted: true, role: 'participant' } }] };
  expectRun(0, ['explain', '--vectors', write(good), '--check']);
  const r = expectRun(1, ['explain', '--vectors', write({ ...good, vectors: [{ id: 'one', expect: { role: 'moderator' } }] }), '--check']);
  match(`${r.out}${r.err}`, /one.*role.*moderator.*participant/s, 'the difference');
  for (const bad of ['{', '[]', '{"schema":1}', { ...good, schema: 99 }, { ...good, vectors: [{ expect: {} }] }, { ...good, vectors: [{ id: 'x', config: 5 }] }]) {
    expectRun(2, ['explain', '--vectors', write(bad)]);
  }
});

test('explain --live: the stored decision and what happened to it later', () => withServer({ allow_guests: true, role_mode: 'first-user' }, async (s) => {
  const a = await enter(s, 'live', { id: 'a', name: 'Alice Example' });
  const b = await enter(s, 'live', { id: 'b', name: 'Bob Example', moderator: 'false' });
  const g = await enter(s, 'live', null, { name: 'Gil' });
  await a.grant('live', b.jid);
  await a.revoke('live', b.jid);
  await a.revoke('live', a.jid);
  await settleAll(a, b, g);
  const live = (what, more = []) => gavel(['explain', '--config', s.file, '--live', what, ...more]);
  const room = live('live');
  equal(room.code, 0, `exit code; output:\n${room.out}${room.err}`);
  for (const c of [a, b, g]) match(room.out, new RegExp(c.id), 'everybody is listed');
  const bob = live(`live/${b.id}`);
  equal(bob.code, 0, `exit code; output:\n${bob.out}${bob.err}`);
  for (const p of [/R_TOKEN_DENY/, /R_GRANTED/, /R_REVOKED/, new RegExp(a.id)]) match(bob.out, p, 'Bob\'s record');
  ok(bob.out.search(/R_TOKEN_DENY/) < bob.out.search(/R_GRANTED/) && bob.out.search(/R_GRANTED/) < bob.out.search(/R_REVOKED/), 'in order', bob.out);
  match(bob.out, /\d\d:\d\d:\d\d/, 'with times');
  const alice = live(`live/${a.id}`);
  for (const p of [/R_FIRST/, /R_REVOKED/]) match(alice.out, p, 'Alice\'s record');
  const j = JSON.parse(live(`live/${b.id}`, ['--json']).out);
  ok(JSON.stringify(j).includes('R_GRANTED'), '--json', j);
  const none = live('nowhere');
  equal(none.code, 1, 'a room that is not there');
  equal(live('live/nobody1').code, 1, 'an occupant who is not there');
  for (const r of [room, bob, alice]) for (const t of s.tokens) for (const part of t.split('.').slice(1)) ok(!r.out.includes(part), 'no token is shown');
  for (const c of [a, b, g]) await c.close();
}), { timeout: 30000 });

test('explain --live without a server: exit 1 and words', () => {
  const r = expectRun(1, ['explain', '--config', file({}), '--live', 'demo']);
  ok(r.err.trim(), 'it says that no server answers');
});

test('serve: ready and stopped by signal with exit 0; a port that is taken is exit 1; the socket is private', () => withServer({}, async (s) => {
  const c = await Client.connect(s, { token: s.token() });
  const second = gavel(['serve', '--config', s.file]);
  equal(second.code, 1, `exit code with the port taken; output:\n${second.out}${second.err}`);
  match(second.err, new RegExp(String(s.port)), 'the port is named');
  await c.settle();
  equal(statSync(s.state).mode & 0o077, 0, 'the state folder is private');
  await c.close();
  await until(() => s.lines().length > 0, { what: 'a log' });
}));

test('serve --trial: a secret made once, links for a moderator and a participant that open the room, a second start', async () => {
  const state = join(folder, 'trial');
  const port = await freePort();
  const began = () => {
    const child = spawn(GAVEL, ['serve', '--trial'], { cwd: folder, env: cleanEnvironment({ STATE_DIRECTORY: state, HTTP_PORT: String(port), HOME: folder }) });
    const seen = { child, text: '', err: '', ended: new Promise((r) => child.on('close', (code) => r(code))) };
    child.stdout.on('data', (d) => { seen.text += d; });
    child.stderr.on('data', (d) => { seen.err += d; });
    return seen;
  };
  const secrets = [];
  for (let i = 0; i < 2; i += 1) {
    const s = began();
    try {
      await until(() => /Ctrl-C/.test(s.text), { timeout: 10000, what: 'the links' });
      const links = [...s.text.matchAll(/http:\/\/localhost:(\d+)\/(\w+)#jwt=([\w.-]+)/g)];
      equal(links.length, 2, `links in:\n${s.text}`);
      match(s.text, /ssh -L/, 'how to come from another machine');
      const server = { port, domain: 'meet.jitsi', muc: 'muc.meet.jitsi', focus: 'focus.meet.jitsi' };
      const roles = [];
      for (const [, at, room, token] of links) {
        equal(Number(at), port, 'port of the link');
        const c = await Client.connect(server, { token });
        roles.push((await c.enter(room)).role);
        if (roles.length === 2) c.drop();
      }
      same(roles, ['moderator', 'participant'], 'what the links give');
      const secret = readFileSync(join(state, 'app_secret'), 'utf8').trim();
      secrets.push(secret);
      equal(statSync(join(state, 'app_secret')).mode & 0o777, 0o600, 'mode of the secret');
      ok(!`${s.text}${s.err}`.includes(secret), 'the secret is not shown');
      for (const [, , , token] of links) ok(!s.err.includes(token), 'no token in the log');
    } finally {
      s.child.kill('SIGINT');
    }
    equal(await s.ended, 0, `exit code after Ctrl-C; log:\n${s.err.slice(-2000)}`);
  }
  equal(secrets[0], secrets[1], 'the secret of the second start');
}, { timeout: 40000 });

test('SIGTERM: clients are told why, the stream is closed, the exit code is 0', async () => {
  const s = new Server({ shutdown_timeout: 2 });
  await s.start();
  const a = await enter(s, 'end', { id: 'a', name: 'A', moderator: true });
  const b = await enter(s, 'end', { id: 'b', name: 'B' });
  process.kill(s.pid, 'SIGTERM');
  for (const c of [a, b]) {
    await c.waitClosed(8000);
    ok(c.stanzas.some((e) => e.local === 'error' && e.get('system-shutdown')), 'system-shutdown', c.tail(4));
  }
  await s.stop();
}, { timeout: 20000 });

await run();
