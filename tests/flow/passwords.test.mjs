// passwords.test.mjs - passwords of services: by BOSH, over TCP without TLS, and out of files.
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { equal, lacks, match, ok, rejects, run, same, test } from '../support/harness.mjs';
import { BoshClient } from '../support/bosh.mjs';
import { configText, freePort, gavel, serverFor, temporaryFolder, withServer } from '../support/server.mjs';
import { openTcp, prove, serve } from '../support/service.mjs';
import { NS } from '../support/xml.mjs';

const PASSWORD = 'a password of the bridge';
const SCRAM = ['SCRAM-SHA-256', 'SCRAM-SHA-1'];
const accounts = [{ jid: 'jvb', password: PASSWORD }, { jid: 'focus', password: 'another' }];
const settings = { allow_guests: true, accounts, resume_service_timeout: 0, log_lines_per_second: 10000, service_passwords_per_minute: 1000 };
const server = await serverFor(settings);
const auth = `auth.${server.domain}`;
// who stands in front of the server, on this machine, says how the client came
const BY_HTTPS = { 'x-forwarded-proto': 'https' };

const mechanisms = (c) => c.features.get('mechanisms').all('mechanism').map((m) => m.text);

async function open(s, headers = {}) {
  const c = await BoshClient.open(s, { headers });
  await c.hello(auth);
  return c;
}

async function finish(c) {
  await c.hello(auth);
  ok(c.features.get('bind'), 'bind is offered now', c.features.raw);
  const bound = await c.iq('set', null, `<bind xmlns='${NS.bind}'><resource>r</resource></bind>`);
  return bound.path('bind', 'jid').text;
}

test('by BOSH: SCRAM always, PLAIN where the client came by HTTPS', async () => {
  const plain = await open(server);
  same(mechanisms(plain), SCRAM, 'by HTTP');
  const since = plain.mark();
  plain.send(`<auth xmlns='${NS.sasl}' mechanism='PLAIN'>${Buffer.from(`\0jvb\0${PASSWORD}`).toString('base64')}</auth>`);
  match((await plain.waitFor((e) => e.ns === NS.sasl, { since })).raw, /<encryption-required\/>/, 'PLAIN by HTTP, with the right password');
  await plain.close();
  const secure = await open(server, BY_HTTPS);
  same(mechanisms(secure), [...SCRAM, 'PLAIN'], 'by HTTPS');
  await secure.close();
  for (const mechanism of [...SCRAM, 'PLAIN']) {
    for (const lazy of [false, true]) {
      const [c, mark] = [await open(server, mechanism === 'PLAIN' ? BY_HTTPS : {}), server.mark()];
      await prove(c, { user: 'jvb', password: PASSWORD, mechanism, lazy });
      equal(await finish(c), `jvb@${auth}/r`, `its address, by ${mechanism}`);
      await server.logged(new RegExp(`event=service-login account=jvb@${auth} kind=bridge mechanism=${mechanism}`), { since: mark });
      const pong = await c.request('get', auth, `<ping xmlns='${NS.ping}'/>`);
      equal(pong.attrs.type, 'result', 'it is somebody now');
      await c.close();
    }
  }
});

test('by BOSH: a wrong password, somebody else\'s, and a stream that begins anew for people', async () => {
  for (const mechanism of [...SCRAM, 'PLAIN']) {
    const c = await open(server, BY_HTTPS);
    for (const wrong of ['not it', 'another', '']) {
      const e = await rejects(prove(c, { user: 'jvb', password: wrong, mechanism }));
      match(e.condition, mechanism === 'PLAIN' && !wrong ? /^(not-authorized|malformed-request)$/ : /^not-authorized$/, `${mechanism} with "${wrong}"`);
    }
    c.drop();
  }
  const c = await open(server, BY_HTTPS);
  await prove(c, { user: 'jvb', password: PASSWORD, mechanism: 'PLAIN' });
  await c.hello(server.domain).catch(() => {});
  await c.waitClosed();
  equal(c.closed.condition, 'host-unknown', 'nobody changes sides in one stream');
  c.drop();
});

test('a service by BOSH meets one by TCP in their brewery', async () => {
  await withServer({ ...settings, xmpp_port: await freePort() }, async (s) => {
    const room = `jvbbrewery@internal-muc.${s.domain}`;
    const t = await serve(s, `focus@${auth}`, 'another');
    const b = await open(s);
    await prove(b, { user: 'jvb', password: PASSWORD });
    await finish(b);
    for (const [c, nick] of [[t, 'f'], [b, 'j']]) c.send(`<presence xmlns='jabber:client' to='${room}/${nick}'><x xmlns='${NS.muc}'/></presence>`);
    for (const c of [t, b]) {
      for (const nick of ['f', 'j']) await c.waitFor((e) => e.local === 'presence' && e.attrs.from === `${room}/${nick}`, { what: `${nick} in the brewery` });
    }
    const since = t.mark();
    await b.close();
    await t.waitFor((e) => e.local === 'presence' && e.attrs.type === 'unavailable' && e.attrs.from === `${room}/j`, { since, what: 'its leave' });
    await t.close();
  });
});

test('xmpp_require_tls: false: services log in by SCRAM without TLS, by PLAIN only with it', async () => {
  await withServer({ ...settings, xmpp_require_tls: false, xmpp_port: await freePort() }, async (s) => {
    const c = await openTcp(s, { plain: true });
    await c.hello(auth);
    same(mechanisms(c), SCRAM, 'without TLS');
    const since = c.mark();
    c.send(`<auth xmlns='${NS.sasl}' mechanism='PLAIN'>${Buffer.from(`\0jvb\0${PASSWORD}`).toString('base64')}</auth>`);
    match((await c.waitFor((e) => e.ns === NS.sasl, { since })).raw, /<encryption-required\/>/, 'PLAIN');
    await prove(c, { user: 'jvb', password: PASSWORD });
    equal(await finish(c), `jvb@${auth}/r`);
    await c.close();
    const t = await serve(s, `jvb@${auth}`, PASSWORD, { mechanism: 'PLAIN' });
    await t.close();
  });
});

test('a password in a file: its first line, from the folder of the configuration', async () => {
  const folder = temporaryFolder();
  const file = (name, text, mode = 0o600) => {
    writeFileSync(join(folder, name), text, { mode });
    chmodSync(join(folder, name), mode);
    return join(folder, name);
  };
  const port = await freePort();
  const list = [{ jid: 'jvb', password_file: file('jvb', `${PASSWORD}\nnot this line\n`) }, { jid: 'focus', password_file: file('focus', ' spaces, too \r\n') },
    { jid: 'jibri', password_file: file('jibri', 'without an end') }];
  await withServer({ ...settings, accounts: list, xmpp_port: port }, async (s) => {
    for (const [name, password] of [['jvb', PASSWORD], ['focus', ' spaces, too '], ['jibri', 'without an end']]) {
      await (await serve(s, `${name}@${auth}`, password)).close();
    }
    equal((await rejects(serve(s, `jvb@${auth}`, `${PASSWORD}\nnot this line`))).condition, 'not-authorized', 'the whole file');
    ok(!s.log.includes(PASSWORD), 'the log holds no password');
    const check = gavel(['check', '--config', s.file]);
    equal(check.code, 0, check.err);
    ok(!(check.out + check.err).includes(PASSWORD), 'nor does check', check.out);
  });
  const check = (accountList, name = 'gavel.yaml') => {
    const path = join(folder, name);
    writeFileSync(path, configText({ auth: 'none', accounts: accountList }), { mode: 0o600 });
    const r = gavel(['check', '--config', path]);
    lacks(r.out + r.err, /secret of a file/, 'what stands in files');
    return r;
  };
  equal(check([{ jid: 'jvb', password_file: 'jvb' }]).code, 0, 'a path from the configuration\'s folder');
  match(check([{ jid: 'jvb', password_file: file('open', 'secret of a file\n', 0o644) }]).out, /open may be read by others: chmod 600/, 'others may read it');
  for (const [what, why] of [[join(folder, 'none'), /none: cannot be read: No such file/], [file('nil', '\n'), /nil is empty/], [folder, /directory|regular/i],
    [file('bytes', Buffer.from([0xff, 0xfe, 10])), /UTF-8/], [file('much', 'secret of a file'.repeat(10000)), /is larger|too l|more than/]]) {
    const r = check([{ jid: 'jvb', password_file: what }]);
    equal(r.code, 2, `exit code with ${what}`);
    match(r.out + r.err, why, 'the reason');
  }
  match(check([{ jid: 'jvb', password: 'a', password_file: 'jvb' }]).err, /give password or password_file/, 'both');
});

await run();
