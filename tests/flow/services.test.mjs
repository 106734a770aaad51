// services.test.mjs - services log in with passwords, meet in their breweries, and are nobody's moderators; nobody else is one.
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { equal, fail, lacks, match, ok, rejects, run, sleep, test } from '../support/harness.mjs';
import { Client, enter } from '../support/client.mjs';
import { ROOT, Server, cleanEnvironment, configText, freePort, gavel, serverFor } from '../support/server.mjs';
import { openTcp, prove, serve } from '../support/service.mjs';
import { Bare, header } from '../support/tcp.mjs';
import { NS } from '../support/xml.mjs';

const PASSWORDS = { focus: 'focus-secret', jvb: 'jvb-secret', jibri: 'jibri-secret', jigasi: 'jigasi-secret' };
const HIDDEN = { recorder: 'recorder-secret', transcriber: 'transcriber-secret' };
const accounts = Object.entries({ ...PASSWORDS, ...HIDDEN }).map(([jid, password]) => ({ jid, password }));
const server = await serverFor({
  allow_guests: true, room_create: 'anyone', log_lines_per_second: 10000, resume_service_timeout: 0,
  service_passwords_per_minute: 1000, xmpp_port: await freePort(), accounts,
});
const auth = `auth.${server.domain}`;
const hidden = `hidden.${server.domain}`;
const internal = `internal-muc.${server.domain}`;
const MOD = { id: 'm', name: 'Alice Example', moderator: true };
const log = server;

const mechanisms = (c) => [...c.features.raw.matchAll(/<mechanism>([^<]+)/g)].map((m) => m[1]);
const condition = (e) => /<([a-z-]+) xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/.exec(e.raw)?.[1];

async function ask(c, type, to, payload) {
  const id = `q${Math.random().toString(36).slice(2)}`;
  const since = c.mark();
  c.send(`<iq xmlns='jabber:client' type='${type}' to='${to}' id='${id}'>${payload}</iq>`);
  return c.waitFor((e) => e.local === 'iq' && e.attrs.id === id && ['result', 'error'].includes(e.attrs.type), { since, what: `an answer from ${to}` });
}

/** Answers the next IQ with this child. */
async function answerNext(c, local) {
  const q = await c.waitFor((e) => e.local === 'iq' && e.raw.includes(`<${local}`) && ['get', 'set'].includes(e.attrs.type), { what: `<${local}/>` });
  c.send(`<iq xmlns='jabber:client' type='result' to='${q.attrs.from}' id='${q.attrs.id}'/>`);
  return q;
}

const appear = (c, room, nick, more = '') => c.send(`<presence xmlns='jabber:client' to='${room}@${internal}/${nick}'><x xmlns='${NS.muc}'/>${more}</presence>`);
const present = (c, room, nick, since = 0) => c.waitFor((e) => e.local === 'presence' && e.attrs.from === `${room}@${internal}/${nick}`, { since, what: `${nick} in ${room}` });

test('which mechanisms there are depends on the domain', async () => {
  const c = await openTcp(server);
  await c.hello(auth);
  equal(mechanisms(c).join(' '), 'SCRAM-SHA-256 SCRAM-SHA-1 PLAIN', 'services, inside TLS');
  await c.close();
  const w = await Client.open(server);
  await w.hello(hidden);
  equal(mechanisms(w).join(' '), 'SCRAM-SHA-256 SCRAM-SHA-1', 'the same over a WebSocket in the clear');
  const since = w.mark();
  w.send(`<auth xmlns='${NS.sasl}' mechanism='PLAIN'>AGEAYg==</auth>`);
  match((await w.waitFor((e) => e.ns === NS.sasl, { since })).raw, /<failure xmlns='[^']*'><encryption-required\/><\/failure>/, 'PLAIN there');
  w.send(`<auth xmlns='${NS.sasl}' mechanism='ANONYMOUS'/>`);
  match((await w.waitFor((e) => e.ns === NS.sasl, { since: w.mark() })).raw, /<invalid-mechanism\/>/, 'nobody is a guest there');
  w.drop();
  const p = await Client.open(server);
  await p.hello(server.domain);
  equal(mechanisms(p).join(' '), 'ANONYMOUS', 'people');
  p.send(`<auth xmlns='${NS.sasl}' mechanism='SCRAM-SHA-1'>${Buffer.from('n,,n=focus,r=abc').toString('base64')}</auth>`);
  match((await p.waitFor((e) => e.ns === NS.sasl, { since: p.mark() })).raw, /<invalid-mechanism\/>/, 'no passwords among people');
  p.drop();
});

test('each mechanism, over TCP and over a WebSocket', async () => {
  for (const [how, mechanism] of [['tcp', 'SCRAM-SHA-256'], ['tcp', 'SCRAM-SHA-1'], ['tcp', 'PLAIN'], ['ws', 'SCRAM-SHA-256'], ['ws', 'SCRAM-SHA-1']]) {
    for (const lazy of [false, true]) {
      const since = log.mark();
      const c = await serve(server, `jvb@${auth}`, PASSWORDS.jvb, { by: how, mechanism, lazy });
      match(c.jid, /^jvb@auth\.meet\.jitsi\/[0-9a-f]{12}$/, 'its address');
      await log.logged(new RegExp(`event=service-login account=jvb@auth.meet.jitsi kind=bridge mechanism=${mechanism}`), { since });
      await c.close();
    }
  }
  const own = await serve(server, `recorder@${hidden}`, HIDDEN.recorder, { resource: 'r1', actsAs: `recorder@${hidden}` });
  equal(own.jid, `recorder@${hidden}/r1`, 'a resource of its own');
  await own.close();
});

test('wrong passwords, wrong names, other people\'s names', async () => {
  const salts = new Set();
  for (const [jid, password, more] of [[`jvb@${auth}`, 'wrong'], [`jvb@${auth}`, ''], [`nobody@${auth}`, 'jvb-secret'], [`recorder@${auth}`, HIDDEN.recorder],
    [`jvb@${auth}`, 'jvb-secret', { actsAs: `focus@${auth}` }]]) {
    for (const mechanism of ['SCRAM-SHA-256', 'SCRAM-SHA-1', 'PLAIN']) {
      if (mechanism === 'PLAIN' && (more || !password)) continue;
      const since = log.mark();
      const e = await rejects(serve(server, jid, password, { mechanism, ...more }), `${jid} with ${password}`);
      match(e.element?.raw ?? String(e.message), /not-authorized/, 'the failure');
      match(await log.logged(/event=refuse stage=sasl because=password/, { since }), new RegExp(`user="${jid.split('@')[0]}"`), 'the log');
    }
  }
  // an unknown name keeps its salt, as a known one does
  for (const user of ['nobody', 'nobody', 'jvb', 'jvb']) {
    const c = await openTcp(server);
    await c.hello(auth);
    await prove(c, { user, password: 'wrong' }).catch(() => {});
    salts.add(`${user} ${c.challenge.s.length} ${c.challenge.s}`);
    c.drop();
  }
  equal(salts.size, 2, 'salts', [...salts]);
  const c = await openTcp(server);
  await c.hello(auth);
  for (let i = 0; i < 3; i += 1) await prove(c, { user: 'jvb', password: `wrong${i}` }).catch(() => {});
  match(c.stanzas.map((s) => s.raw).join(''), /<policy-violation xmlns/, 'the third one ends the stream');
  await c.waitClosed();
});

test('hostile messages of a login', async () => {
  const b64 = (t) => Buffer.from(t).toString('base64');
  for (const [data, want] of [['!!!', 'incorrect-encoding'], [b64('p=tls-unique,,n=jvb,r=abc'), 'malformed-request'], [b64('n,,r=abc'), 'malformed-request'],
    [b64('n,,n=,r=abc'), 'malformed-request'], [b64('n,,n=a=b,r=abc'), 'malformed-request'], [b64('n,,m=1,n=jvb,r=abc'), 'malformed-request'],
    [b64('n,,n=jvb,r='), 'malformed-request'], [b64(`n,,n=jvb,r=${'x'.repeat(300)}`), 'malformed-request'], ['=', 'malformed-request'], [b64('n'), 'malformed-request']]) {
    const c = await openTcp(server);
    await c.hello(auth);
    const since = c.mark();
    c.send(`<auth xmlns='${NS.sasl}' mechanism='SCRAM-SHA-256'>${data}</auth>`);
    match((await c.waitFor((e) => e.ns === NS.sasl, { since })).raw, new RegExp(`<failure xmlns='[^']*'><${want}/></failure>`), data);
    await prove(c, { user: 'jvb', password: PASSWORDS.jvb }); // it may still do better
    c.drop();
  }
  const c = await openTcp(server);
  await c.hello(auth);
  c.send(`<response xmlns='${NS.sasl}'>AAAA</response>`);
  match((await c.waitFor((e) => e.local === 'error')).raw, /not-authorized/, 'a response to nothing');
  c.drop();
  const d = await openTcp(server);
  await d.hello(server.domain);
  d.send(`<auth xmlns='${NS.sasl}' mechanism='ANONYMOUS'/>`);
  await d.waitFor((e) => e.local === 'success');
  d.send(header(auth));
  match((await d.waitFor((e) => e.local === 'error')).raw, /host-unknown/, 'a guest does not become a service by naming its domain');
  d.drop();
});

test('nothing in the clear over TCP', async () => {
  const b = await Bare.open(server.config.xmpp_port);
  lacks(await b.step(header(auth), '</stream:features>'), /<mechanism/, 'the features before TLS');
  match(await b.step(`<auth xmlns='${NS.sasl}' mechanism='PLAIN'>AGEAYg==</auth>`, '</failure>'), /<encryption-required\/>/, 'a password before TLS');
  b.destroy();
});

test('a bridge, a recorder and a focus made of slixmpp, in their breweries', async () => {
  const child = spawn('/usr/bin/python3', [join(ROOT, 'tests/support/brewery.py'), String(server.config.xmpp_port), server.domain],
    { env: cleanEnvironment(), stdio: ['ignore', 'pipe', 'pipe'] });
  let out = '';
  let err = '';
  child.stdout.on('data', (d) => { out += d; });
  child.stderr.on('data', (d) => { err += d; });
  const timer = setTimeout(() => child.kill('SIGKILL'), 40000);
  const code = await new Promise((r) => child.on('close', r));
  clearTimeout(timer);
  if (code !== 0) fail(`brewery.py ended with ${code}:`, err.slice(-2000) + log.log.slice(-2000));
  const seen = JSON.parse(out);
  match(seen.jids.join(' '), /^focus@auth\.\S+ jvb@auth\.\S+ jibri@auth\.\S+ recorder@hidden\.\S+$/, 'who they are');
  equal(seen.bridge_codes.join(), '100,110,201', 'the first one made the room');
  equal(seen.bridge_item.slice(0, 2).join(), 'owner,moderator', 'and owns it');
  equal(seen.bridge_item[2], seen.jids[1], 'its real address');
  equal(JSON.stringify(seen.modified), JSON.stringify(['result', `jvbbrewery@${internal}/jvb-1.example`, 1]), 'an answer through the room');
  equal(seen.healthy, 'result', 'health');
  equal(seen.direct.join(), `result,${seen.jids[1]}`, 'an answer from the real address');
  equal(seen.recording.join(), 'pending', 'a recording begins');
  equal(`${seen.ping} ${seen.info}`, 'result server', 'the domain of services answers');
  equal(seen.rooms.length, 0, 'rooms are hidden, as those of people are');
  equal(seen.gone, 'item-not-found', 'a bridge that has gone');
  equal(seen.asked.map((a) => a.slice(0, 2).join(' ')).join(), 'jvb conference-modify,jvb healthcheck,jvb healthcheck,jibri jibri', 'who was asked what');
  equal(seen.asked[2][2], seen.jids[0], 'asked from the real address of the focus');
});

test('people see nothing of breweries and services', async () => {
  const bridge = await serve(server, `jvb@${auth}`, PASSWORDS.jvb);
  appear(bridge, 'jvbbrewery', 'secretive');
  await present(bridge, 'jvbbrewery', 'secretive');
  const m = await enter(server, 'curious', MOD);
  const since = bridge.mark();
  for (const [type, to, payload] of [['get', internal, `<query xmlns='${NS.info}'/>`], ['get', internal, `<query xmlns='http://jabber.org/protocol/disco#items'/>`],
    ['get', `jvbbrewery@${internal}`, `<query xmlns='${NS.info}'/>`], ['get', `jvbbrewery@${internal}/secretive`, `<query xmlns='${NS.info}'/>`],
    ['set', `jvbbrewery@${internal}/secretive`, "<conference-modify xmlns='jitsi:colibri2'/>"], ['get', bridge.jid, `<query xmlns='${NS.info}'/>`],
    ['get', `jvb@${auth}`, `<ping xmlns='${NS.ping}'/>`], ['get', auth, `<query xmlns='${NS.info}'/>`], ['get', `nothing@${internal}`, `<query xmlns='${NS.info}'/>`]]) {
    equal(condition(await ask(m, type, to, payload)), 'service-unavailable', `${type} to ${to}`);
  }
  for (const room of ['jvbbrewery', 'newbrewery']) {
    const at = m.mark();
    m.send(`<presence xmlns='jabber:client' to='${room}@${internal}/jvb'><x xmlns='${NS.muc}'/></presence>`);
    const e = await m.waitFor((s) => s.local === 'presence' && s.attrs.type === 'error', { since: at, what: 'a refusal' });
    equal(condition(e), 'service-unavailable', `entering ${room}`);
  }
  m.send(`<message xmlns='jabber:client' type='groupchat' to='jvbbrewery@${internal}'><body>hello</body></message>`);
  m.send(`<message xmlns='jabber:client' to='${bridge.jid}'><body>hello</body></message>`);
  await ask(m, 'get', server.domain, `<ping xmlns='${NS.ping}'/>`);
  await ask(bridge, 'get', auth, `<ping xmlns='${NS.ping}'/>`);
  equal(bridge.stanzas.slice(since).filter((s) => s.local !== 'iq').length, 0, 'nothing reached the bridge');
  lacks(bridge.stanzas.slice(since).map((s) => s.raw).join(''), /curious|hello|conference-modify/, 'nothing reached the bridge');
  await m.close();
  await bridge.close();
});

test('ordinary rooms inside: presence, messages, conflicts, updates, leaving', async () => {
  const a = await serve(server, `jvb@${auth}`, PASSWORDS.jvb, { resource: 'a' });
  const b = await serve(server, `jigasi@${auth}`, PASSWORDS.jigasi, { by: 'ws', resource: 'b' });
  appear(a, 'workshop', 'one', "<stats xmlns='http://jitsi.org/protocol/colibri'><stat name='x' value='1'/></stats>");
  match((await present(a, 'workshop', 'one')).raw, /<status code='100'\/><status code='110'\/><status code='201'\/><\/x><\/presence>$/, 'the first one');
  appear(b, 'workshop', 'one');
  equal(condition(await b.waitFor((e) => e.attrs.type === 'error')), 'conflict', 'its name is taken');
  appear(b, 'workshop', 'two');
  match((await b.waitFor((e) => e.attrs.from === `workshop@${internal}/one` && !e.attrs.type)).raw, /<stats xmlns='http:\/\/jitsi\.org\/protocol\/colibri'><stat name='x' value='1'\/><\/stats><x xmlns='[^']*#user'><item affiliation='owner' role='moderator' jid='jvb@auth\.meet\.jitsi\/a'\/><\/x>/, 'who is there');
  match((await present(b, 'workshop', 'two')).raw, /affiliation='none' role='participant'[^]*<status code='110'\/><\/x>/, 'itself');
  await present(a, 'workshop', 'two');
  b.send(`<message xmlns='jabber:client' type='groupchat' to='workshop@${internal}' id='g1'><body>all</body></message>`);
  for (const c of [a, b]) match((await c.waitFor((e) => e.attrs.id === 'g1')).raw, /from='workshop@internal-muc\.meet\.jitsi\/two'[^]*<body>all<\/body>/, 'to all');
  a.send(`<message xmlns='jabber:client' type='chat' to='workshop@${internal}/two' id='p1'><body>one</body></message>`);
  equal((await b.waitFor((e) => e.attrs.id === 'p1')).attrs.from, `workshop@${internal}/one`, 'to one');
  a.send(`<message xmlns='jabber:client' to='jigasi@${auth}' id='d1' from='focus@${auth}/x'><body>direct</body></message>`);
  equal((await b.waitFor((e) => e.attrs.id === 'd1')).attrs.from, `jvb@${auth}/a`, 'by account; the sender cannot choose its address');
  const [answer, question] = await Promise.all([ask(a, 'set', `jigasi@${auth}/b`, "<dial xmlns='urn:xmpp:rayo:1'/>"), answerNext(b, 'dial')]);
  equal(`${answer.attrs.type} ${question.attrs.from}`, `result jvb@${auth}/a`, 'an IQ to a real address');
  equal(condition(await ask(a, 'get', `jigasi@${auth}/nobody`, `<ping xmlns='${NS.ping}'/>`)), 'service-unavailable', 'a resource that is not there');
  a.send(`<presence xmlns='jabber:client' to='workshop@${internal}/three'/>`);
  equal(condition(await a.waitFor((e) => e.attrs.type === 'error' && e.local === 'presence')), 'not-allowed', 'another name');
  a.send(`<presence xmlns='jabber:client' type='unavailable' to='workshop@${internal}/one'/>`);
  for (const c of [a, b]) await c.waitFor((e) => e.attrs.type === 'unavailable' && e.attrs.from === `workshop@${internal}/one`, { what: 'its leaving' });
  equal(condition(await ask(a, 'get', `workshop@${internal}/two`, `<ping xmlns='${NS.ping}'/>`)), 'not-acceptable', 'from outside');
  const since = b.mark();
  const again = await serve(server, `jigasi@${auth}`, PASSWORDS.jigasi, { resource: 'b' });
  await b.waitClosed();
  match(b.stanzas.slice(since).map((s) => s.raw).join(''), /<conflict xmlns/, 'the newer session of one address stays');
  await again.close();
  await a.close();
});

test('a recorder, a transcriber and telephony in a meeting moderate nothing', async () => {
  const m = await enter(server, 'recorded', MOD);
  for (const [jid, password] of [[`recorder@${hidden}`, HIDDEN.recorder], [`transcriber@${hidden}`, HIDDEN.transcriber], [`jigasi@${auth}`, PASSWORDS.jigasi], [`jvb@${auth}`, PASSWORDS.jvb]]) {
    const since = m.mark();
    const nick = jid.split('@')[0];
    const r = await serve(server, jid, password, { by: 'ws' });
    r.send(`<presence xmlns='jabber:client' to='recorded@${server.muc}/${nick}'><x xmlns='${NS.muc}'/></presence>`);
    const p = await m.waitFor((e) => e.local === 'presence' && e.attrs.from === `recorded@${server.muc}/${nick}`, { since, what: nick });
    match(p.raw, new RegExp(`<item affiliation='none' role='participant' jid='${jid}/`), 'how people see it');
    const id = m.jid;
    const answer = await ask(r, 'set', `recorded@${server.muc}`, `<query xmlns='${NS.admin ?? 'http://jabber.org/protocol/muc#admin'}'><item jid='${id}' affiliation='none'/></query>`);
    equal(answer.attrs.type, 'result', 'what it writes about a moderator is answered');
    await m.barrier(`recorded@${server.muc}`, 3000);
    lacks(m.stanzas.slice(since).filter((e) => e.attrs.from?.endsWith(`/${m.id}`)).map((e) => e.raw).join(''), /participant/, 'and changes nothing');
    await r.close();
  }
  const live = gavel(['explain', '--live', 'recorded', '--config', server.file]);
  match(live.out + live.err, /R_SERVICE/, 'it stands in her record');
  await m.close();
});

test('where the focus is built in the account of one has no say in meetings', async () => {
  const m = await enter(server, 'own', { connect: { token: server.token({ id: 'm', name: 'Alice Example', moderator: true }) } });
  const f = await serve(server, `focus@${auth}`, PASSWORDS.focus);
  const admin = 'http://jabber.org/protocol/muc#admin', owner = 'http://jabber.org/protocol/muc#owner';
  for (const [type, query] of [['set', `<query xmlns='${admin}'><item nick='${m.id}' role='none'/></query>`],
    ['get', `<query xmlns='${admin}'><item role='moderator'/></query>`], ['get', `<query xmlns='${owner}'/>`], ['set', `<query xmlns='${owner}'><destroy/></query>`]]) {
    const since = f.mark();
    f.send(`<iq xmlns='jabber:client' type='${type}' id='i1' to='own@${server.muc}'>${query}</iq>`);
    match((await f.waitFor((e) => e.local === 'iq', { since, what: 'an answer' })).raw, /type='error'.*<forbidden /, `${type} ${query}`);
  }
  await m.close();
  await f.close();
});

test('a token or a guest that names a service is nobody', async () => {
  const room = 'claimed';
  const m = await enter(server, room, MOD);
  const t = await enter(server, room, { id: `focus@${auth}`, name: 'focus' });
  equal(`${t.self.affiliation}/${t.self.role}`, 'member/participant', 'a token with the name of the focus');
  const g = await Client.connect(server, { resource: 'focus' });
  equal(/^[0-9a-f-]{36}@meet\.jitsi\/focus$/.test(g.jid), true, 'a resource is a resource', g.jid);
  equal(condition(await ask(g, 'get', internal, `<query xmlns='${NS.info}'/>`)), 'service-unavailable', 'and opens no door');
  for (const c of [g, t, m]) await c.close();
});

test('too many wrong passwords from one address', async () => {
  const s = await Server.start({ xmpp_port: await freePort(), accounts, service_passwords_per_minute: 1, log_lines_per_second: 10000 });
  try {
    let limited = 0;
    for (let i = 0; i < 14; i += 1) {
      const e = await rejects(serve(s, `jvb@${auth}`, 'wrong'), 'a wrong password');
      limited += /temporary-auth-failure/.test(e.element?.raw ?? e.message);
    }
    ok(limited >= 2 && limited <= 5, 'ten wrong ones from this machine, then no more', limited);
    await rejects(serve(s, `jvb@${auth}`, PASSWORDS.jvb), 'not even the right one');
    match(gavel(['explain', '--live', '--counters', '--config', s.file]).out, /limit_service_passwords_per_minute\s+[1-9]/, 'counted');
    const js = (await s.get('/config.js')).body;
    match(js, /hiddenDomain: "hidden\.meet\.jitsi"/, 'config.js names the hidden domain');
    const check = gavel(['check', '--config', s.file]);
    lacks(check.out + check.err + s.log, /-secret/, 'passwords are shown nowhere');
  } finally { await s.stop(); }
});

test('docker-jitsi-meet\'s names', async () => {
  const port = await freePort();
  const s = new Server({}, { docker: { ENABLE_AUTH: '0', XMPP_DOMAIN: 'meet.jitsi', XMPP_PORT: String(port), JICOFO_AUTH_PASSWORD: 'f0cus', JVB_AUTH_USER: 'bridge7', JVB_AUTH_PASSWORD: 'br1dge',
    JIBRI_RECORDER_PASSWORD: 'rec0rder', XMPP_RECORDER_DOMAIN: 'recorder.meet.jitsi', XMPP_INTERNAL_MUC_DOMAIN: 'internal.auth.meet.jitsi' } });
  await s.start();
  s.config.xmpp_port = port;
  try {
    const b = await serve(s, 'bridge7@auth.meet.jitsi', 'br1dge');
    const r = await serve(s, 'recorder@recorder.meet.jitsi', 'rec0rder');
    b.send(`<presence xmlns='jabber:client' to='jvbbrewery@internal.auth.meet.jitsi/x'><x xmlns='${NS.muc}'/></presence>`);
    await b.waitFor((e) => e.local === 'presence' && e.attrs.from === 'jvbbrewery@internal.auth.meet.jitsi/x', { what: 'its brewery' });
    await b.close();
    await r.close();
    lacks(s.log, /f0cus|br1dge|rec0rder'/, 'passwords are shown nowhere');
  } finally { await s.stop(); }
});

test('accounts that cannot be', () => {
  const refuse = (list, more, why) => {
    const file = join(server.folder, `wrong-${Math.random().toString(36).slice(2)}.yaml`);
    writeFileSync(file, configText({ auth: 'none', accounts: list, ...more }), { mode: 0o600 });
    const r = gavel(['check', '--config', file]);
    equal(r.code, 2, 'the exit code of check');
    match(r.out + r.err, why, 'why');
    lacks(r.out + r.err, /hush/, 'no password is shown');
  };
  refuse([{ jid: 'focus@meet.jitsi', password: 'hush' }], {}, /must be on auth_domain or hidden_domain/);
  refuse([{ jid: 'focus', password: 'hush' }], { auth_domain: 'meet.jitsi' }, /a domain of people/);
  refuse([{ jid: 'focus', password: 'hush' }, { jid: 'focus@auth.meet.jitsi', password: 'hush' }], {}, /there twice/);
  refuse([{ jid: 'focus' }], {}, /password or password_file/);
  refuse([{ jid: 'focus', password: 'hush', kind: 'king' }], {}, /kind must be/);
  refuse([{ jid: 'a b', password: 'hush' }], {}, /jid must be an account/);
  refuse([{ jid: 'focus', password: 'hush', pasword: 'hush' }], {}, /unknown member/);
});

test('the server outlives all of this', async () => {
  await sleep(50);
  equal((await server.get('/about/health')).status, 200, 'health');
});

await run();
