// rotation.test.mjs - key lists that change, and that turn bad: the last good keys stay. Takes half a minute by its nature.
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { equal, match, ok, rejects, run, sleep, test, until } from '../support/harness.mjs';
import { FAST, a, b, jwk, login, refused, withKeyServer } from '../support/keyserver.mjs';
import { gavel, temporaryFolder, withServer } from '../support/server.mjs';

test('rotation, and lists that turn bad: the last good keys stay, new ones come with the next reading', () => withKeyServer(async (k) => {
  const bad = {
    rotated: null,
    empty: (req, res) => res.end('{"keys":[]}'),
    broken: (req, res) => res.end('{"keys":['),
    gone: (req, res) => res.writeHead(404).end(),
    error: (req, res) => res.writeHead(500).end(),
    huge: (req, res) => res.end(JSON.stringify({ keys: [jwk(b, 'new')], pad: 'x'.repeat(1100000) })),
    hangs: () => {},
  };
  const issuers = Object.keys(bad).map((iss) => ({ iss, jwks: `${k.url}/${iss}` }));
  for (const iss of Object.keys(bad)) k.list(`/${iss}`, [jwk(a, 'old'), jwk(b, 'dies')]);
  await withServer({ app_id: undefined, issuers, key_timeout: 3, ...FAST }, async (s) => {
    for (const iss of Object.keys(bad)) await login(s, 'old', a, { iss });
    const read = Date.now();
    k.list('/rotated', [jwk(a, 'old'), jwk(b, 'new')]);
    for (const [iss, answer] of Object.entries(bad)) if (answer) k.set(`/${iss}`, answer);
    // an unknown kid has the list read again, but not before half a minute is over
    await refused(s, 'new', /the key list has no such key: it holds 2.* in \d+ s/, b, { iss: 'rotated' });
    equal(k.asked('/rotated'), 1, 'requests');
    await sleep(30500 - (Date.now() - read));
    await login(s, 'new', b, { iss: 'rotated' });
    ok(await rejects(login(s, 'dies', b, { iss: 'rotated' })), 'a key that was removed');
    for (const iss of Object.keys(bad).slice(1)) {
      ok(await rejects(login(s, 'new', b, { iss })), `${iss}: an unknown kid`);
      await login(s, 'old', a, { iss });
      await login(s, 'dies', b, { iss });
    }
    for (const iss of Object.keys(bad).slice(1)) {
      match(s.log, new RegExp(`event=keys outcome=(broken|failed) source=jwks issuer="?${iss}"? .*last_good=2 fix=`), `${iss} in the log`);
    }
  });
}), { timeout: 70000 });

test('a key list that is a file: read again when it changes, its last good keys stay', () => {
  const path = join(temporaryFolder(), 'keys.json');
  const write = (text) => { writeFileSync(`${path}.new`, text); renameSync(`${path}.new`, path); };
  write(JSON.stringify({ keys: [jwk(a, 'one')] }));
  return withServer({ key_source: 'jwks', jwks: path, ...FAST }, async (s) => {
    await login(s, 'one');
    ok(await rejects(login(s, 'two', b)), 'not there yet');
    write(JSON.stringify({ keys: [jwk(a, 'one'), jwk(b, 'two')] }));
    await until(() => login(s, 'two', b).then(() => true, () => false), { what: 'the new key', timeout: 6000 });
    write('{"keys":[');
    await s.logged(/event=keys outcome=broken .*because="the key list: bad JSON.*last_good=2/, { timeout: 9000 });
    await login(s, 'one');
    await login(s, 'two', b);
    write(JSON.stringify({ keys: [jwk(b, 'two')] }));
    await until(() => login(s, 'one').then(() => false, () => true), { what: 'the old key is gone', timeout: 9000 });
    await login(s, 'two', b);
  });
}, { timeout: 40000 });

await run();
