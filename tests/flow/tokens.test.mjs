// tokens.test.mjs - tokens of every algorithm at the door: keys from a secret, from files, of several issuers.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { equal, match, ok, rejects, run, same, test } from '../support/harness.mjs';
import { Client, enter } from '../support/client.mjs';
import { Server, gavel, temporaryFolder, withServer } from '../support/server.mjs';
import { claimsFor, keyPair, makeToken, now } from '../support/token.mjs';

const MOD = { id: 'm', name: 'Alice Example', moderator: true };
const folder = temporaryFolder();
const pem = (name, text) => { const p = join(folder, `${name}.pem`); writeFileSync(p, text); return p; };

async function comesIn(s, token, role = 'moderator') {
  const c = await Client.connect(s, { token: s.keep(token) });
  equal((await c.enter('demo')).role, role, 'role');
  await c.close();
}

async function refused(s, token, reason, text) {
  const mark = s.mark();
  const e = await rejects(Client.connect(s, { token: s.keep(token) }), `a login (${text})`);
  same([e.stage, e.condition], ['sasl', 'not-allowed'], 'refusal');
  match(e.text, text, 'words');
  await s.logged(new RegExp(`\\b${reason}\\b`), { since: mark });
}

test('HS256, HS384 and HS512 with the shared secret, each only where it is allowed', async () => {
  await withServer({ algs: ['HS256', 'HS384', 'HS512'] }, async (s) => {
    for (const alg of ['HS256', 'HS384', 'HS512']) await comesIn(s, s.token(MOD, {}, { header: { alg, typ: 'JWT' } }));
  });
  await withServer({}, async (s) => {
    for (const alg of ['HS384', 'HS512']) await refused(s, s.token(MOD, {}, { header: { alg, typ: 'JWT' } }), 'E_ALG', /^Invalid or incorrect alg$/);
  });
});

for (const alg of ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'EdDSA']) {
  test(`${alg} with a key file: the right key, another key, a spoilt signature, the wrong family`, async () => {
    const { privateKey, pem: text } = keyPair(alg);
    const other = keyPair(alg);
    const path = pem(`${alg}`, text);
    await withServer({ key_source: 'file', key_files: [{ path }], algs: [alg], accepted_audiences: ['jitsi'] }, async (s) => {
      const make = (key, header = {}, options = {}) => makeToken(claimsFor(MOD), key, { header: { alg, typ: 'JWT', ...header }, ...options });
      await comesIn(s, make(privateKey));
      await comesIn(s, make(privateKey, { kid: 'whatever' })); // with one file and no kid, any kid matches
      await refused(s, make(other.privateKey), 'E_SIG', /^Invalid signature$/);
      await refused(s, make(privateKey, {}, { state: 'invalid' }), 'E_SIG', /^Invalid signature$/);
      await refused(s, make(privateKey, {}, { state: 'missing' }), 'E_SIG', /^Invalid signature$/);
      // The public key, which everybody may know, taken as an HMAC secret.
      await refused(s, makeToken(claimsFor(MOD), text, { header: { alg: 'HS256', typ: 'JWT' } }), 'E_ALG', /^Invalid or incorrect alg$/);
      await refused(s, makeToken(claimsFor(MOD), '', { header: { alg: 'none', typ: 'JWT' } }), 'E_ALG', /^Invalid or incorrect alg$/);
      await s.logged(/E_SIG/);
    });
  });
}

test('several key files: kid chooses, and must be there', async () => {
  const [a, b] = [keyPair('RS256'), keyPair('RS256')];
  const files = [{ kid: 'a', path: pem('a', a.pem) }, { kid: 'b', path: pem('b', b.pem) }];
  await withServer({ key_source: 'file', key_files: files, algs: ['RS256'], accepted_audiences: ['jitsi'] }, async (s) => {
    const make = (key, kid) => makeToken(claimsFor(MOD), key, { header: { alg: 'RS256', typ: 'JWT', ...(kid === undefined ? {} : { kid }) } });
    await comesIn(s, make(a.privateKey, 'a'));
    await comesIn(s, make(b.privateKey, 'b'));
    await refused(s, make(a.privateKey, 'b'), 'E_SIG', /^Invalid signature$/);
    await refused(s, make(a.privateKey), 'E_KID', /^'kid' claim is missing$/);
    await refused(s, make(a.privateKey, ''), 'E_KID', /^'kid' claim is missing$/);
    await refused(s, make(a.privateKey, 'c'), 'E_KEY', /^could not obtain public key$/);
    await refused(s, make(a.privateKey, '../a'), 'E_KEY', /^could not obtain public key$/);
  });
});

test('several issuers: a key serves only its issuer', async () => {
  const rsa = keyPair('RS256');
  const secrets = { one: 'one-'.repeat(12), two: 'two-'.repeat(12) };
  const issuers = [{ iss: 'one', app_secret: secrets.one }, { iss: 'two', app_secret: secrets.two },
    { iss: 'three', key_source: 'file', key_files: [{ path: pem('three', rsa.pem) }], algs: ['RS256'] }];
  await withServer({ app_id: undefined, issuers, accepted_audiences: ['jitsi'] }, async (s) => {
    const make = (iss, key, alg = 'HS256') => makeToken(claimsFor(MOD, { iss }), key, { header: { alg, typ: 'JWT' } });
    await comesIn(s, make('one', secrets.one));
    await comesIn(s, make('two', secrets.two));
    await comesIn(s, make('three', rsa.privateKey, 'RS256'));
    await refused(s, make('one', secrets.two), 'E_SIG', /^Invalid signature$/);
    await refused(s, make('three', secrets.one), 'E_ALG', /^Invalid or incorrect alg$/);
    await refused(s, make('four', secrets.one), 'E_[A-Z]+', /./); // no key of its own: which check says so is the verifier's affair
    for (const secret of Object.values(secrets)) ok(!s.log.includes(secret), 'no secret in the log');
  });
});

test('keys that are no keys refuse to start', () => {
  const good = keyPair('ES256');
  const write = (name, text) => {
    const path = join(folder, `bad-${name}.yaml`);
    writeFileSync(path, `app_id: my_app\nkey_source: file\nalgs: ["RS256"]\nkey_files: [{"path": ${JSON.stringify(pem(`bad-${name}`, text))}}]\n`);
    return path;
  };
  for (const [name, text] of [['empty', ''], ['rubbish', 'hello'], ['private', good.privateKey.export({ type: 'pkcs8', format: 'pem' })]]) {
    const r = gavel(['serve', '--config', write(name, text), '--set', 'http_port=0'], { env: { STATE_DIRECTORY: folder } });
    equal(r.code, 2, `exit code with a ${name} key file; output:\n${r.out}${r.err}`);
    match(r.err, /key_files/, 'the key is named');
  }
  const other = gavel(['check', '--config', write('other-family', good.pem)]);
  match(`${other.out}${other.err}`, /RS256.*no (such )?key|no .*key.*RS256/i, 'check says that an algorithm has no key');
});

test('rooms in tokens: patterns, Unicode, percent-encoding, the wildcard', () => withServer({}, async (s) => {
  const cases = [
    ['demo', 'demo', true], ['DEMO', 'demo', true], ['*', 'anything', true], ['demo', 'demo2', false], ['emo', 'demo', false],
    ['Тест', '%d1%82%d0%b5%d1%81%d1%82', true], ['%D0%A2%D0%B5%D1%81%D1%82', '%d1%82%d0%b5%d1%81%d1%82', true],
    ['Größe', 'gr%c3%b6%c3%9fe', true], ['**', 'demo', false], ['%2a', 'demo', false],
  ];
  for (const [claim, node, covered] of cases) {
    const c = await Client.connect(s, { token: s.token(MOD, { room: claim }) });
    if (covered) equal((await c.enter(node)).role, 'moderator', `${claim} for ${node}`);
    else equal((await rejects(c.enter(node), `${claim} for ${node}`)).condition, 'not-allowed', `${claim} for ${node}`);
    await c.close();
  }
  for (const [pattern, node, covered] of [['team%-%d+', 'team-12', true], ['team%-%d+', 'team-x', false], ['team', 'team-1', false], ['.*', 'whatever', true]]) {
    const c = await Client.connect(s, { token: s.token(MOD, { room: pattern, context: { room: { regex: true } } }) });
    const result = await c.enter(node).then((p) => p.role, (e) => e.condition);
    equal(result, covered ? 'moderator' : 'not-allowed', `pattern ${pattern} for ${node}`);
    await c.close();
  }
  const bad = await rejects(enter(s, 'demo', MOD, { claims: { room: '(a', context: { user: MOD, room: { regex: true } } } }), 'a bad pattern');
  same([bad.condition, bad.extras, bad.text], ['not-allowed', ['invalid-regex'], 'Room claim is not a valid Lua pattern'], 'a bad pattern');
}));

test('times: leeway, not yet, no longer, never', async () => {
  await withServer({ leeway: 5 }, async (s) => {
    await comesIn(s, s.token(MOD, { exp: now() - 2 }));
    await comesIn(s, s.token(MOD, { nbf: now() + 3 }));
    await comesIn(s, s.token(MOD, { exp: undefined }));
    await refused(s, s.token(MOD, { exp: now() - 3600 }), 'E_EXP', /^Not acceptable by exp \(36\d\d/);
    await refused(s, s.token(MOD, { nbf: now() + 3600 }), 'E_NBF', /^Not acceptable by nbf/);
    await refused(s, s.token(MOD, { exp: String(now() + 60) }), 'E_EXP_TYPE', /^exp must be number$/);
    await refused(s, s.token(MOD, { nbf: 'x' }), 'E_NBF_TYPE', /^nbf must be number$/);
  });
  await withServer({ require_exp: true }, async (s) => {
    await refused(s, s.token(MOD, { exp: undefined }), 'E_NO_EXP', /^Not acceptable: no exp$/);
    const line = await s.logged(/E_NO_EXP/);
    match(line, /require_exp/, 'the log names the key');
  });
});

test('the log of a refusal names reason and key, with the token\'s hash and never the token', async () => {
  const s = await Server.start({});
  const token = s.token(MOD, { iss: 'issID' });
  await rejects(Client.connect(s, { token }));
  const { createHash } = await import('node:crypto');
  const line = await s.logged(/E_ISS/);
  match(line, new RegExp(createHash('sha256').update(token).digest('hex').slice(0, 8)), 'the hash');
  match(line, /accepted_issuers/, 'the key');
  await rejects(Client.connect(s, {}));
  match(await s.logged(/E_TOKEN_REQUIRED/), /allow_guests/, 'the key');
  await s.stop();
});

await run();
