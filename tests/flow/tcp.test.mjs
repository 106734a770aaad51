// tcp.test.mjs - XMPP over TCP: streams, STARTTLS, direct TLS, rooms shared with browsers, and what must not be sent.
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { equal, lacks, match, ok, rejects, run, sleep, test, until } from '../support/harness.mjs';
import { Client, enter } from '../support/client.mjs';
import { withBystanders } from '../support/hostile.mjs';
import { Server, configText, freePort, gavel, serverFor, temporaryFolder, withServer } from '../support/server.mjs';
import { AUTH, BIND, Bare, STARTTLS, TcpClient, enterByTcp, header } from '../support/tcp.mjs';
import { NS } from '../support/xml.mjs';

const ports = async () => ({ xmpp_port: await freePort(), xmpp_tls_port: await freePort() });
const server = await serverFor({ allow_guests: true, room_create: 'anyone', log_lines_per_second: 10000, ...await ports() });
const MOD = { id: 'm', name: 'Alice Example', moderator: true };
const hello = header(server.domain);
const open = (options) => Bare.open(server.config.xmpp_port, options);
const ERROR = (condition) => new RegExp(`<stream:error xmlns:stream='http://etherx.jabber.org/streams'><${condition} xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>`);

test('a stream begins with a header and features, and TLS comes before login', async () => {
  const b = await open();
  const first = await b.step(hello, '</stream:features>');
  match(first, /^<\?xml version='1\.0'\?><stream:stream xmlns='jabber:client' xmlns:stream='http:\/\/etherx\.jabber\.org\/streams' from='meet\.jitsi' id='[0-9a-f]{16}' version='1\.0' xml:lang='en'>/, 'the header');
  match(first, /<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required\/><\/starttls>/, 'TLS is required');
  lacks(first, /<mechanism/, 'the features before TLS');
  match(await b.step(AUTH, '</failure>'), /<encryption-required\/>/, 'a login in the clear');
  match(await b.step(STARTTLS, 'xmpp-tls'), /^<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'\/>$/, 'the answer to STARTTLS');
  await b.secure({ servername: server.domain });
  match(b.certificate.subjectaltname, /meet\.jitsi/, 'the names of the certificate made in the state folder');
  const second = await b.step(hello, '</stream:features>');
  match(second, /<mechanism>ANONYMOUS<\/mechanism>/, 'the features inside TLS');
  lacks(second, /starttls/, 'the features inside TLS');
  equal(await b.step(AUTH, '/>'), `<success xmlns='${NS.sasl}'/>`, 'the answer to <auth/>');
  const third = await b.step(hello, '</stream:features>');
  match(third, /<bind xmlns='[^']*'><required\/><\/bind>/, 'the features after login');
  const ids = [first, second, third].map((t) => / id='([0-9a-f]+)'/.exec(t)[1]);
  equal(new Set(ids).size, 3, 'different streams have different ids');
  match(await b.step(BIND, '</iq>'), /<jid>[0-9a-f-]{36}@meet\.jitsi\/[0-9a-f]{12}<\/jid>/, 'the JID');
  equal(await b.step(`<iq type='get' id='p1'><ping xmlns='${NS.ping}'/></iq></stream:stream>`, '</stream:stream>')
    .then((t) => t.replace(/ to='[^']*'/, '')), `<iq xmlns='jabber:client' type='result' id='p1'/></stream:stream>`, 'ping, and the end');
  await b.waitEnd();
});

test('direct TLS', async () => {
  const b = await Bare.open(server.config.xmpp_tls_port, { tls: true });
  equal(b.socket.alpnProtocol, 'xmpp-client', 'the protocol inside');
  lacks(await b.step(hello, '</stream:features>'), /starttls/, 'the features');
  const again = await b.step(STARTTLS, '</stream:stream>');
  match(again, /<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'\/>/, 'STARTTLS inside TLS');
  await b.waitEnd();
  const c = await TcpClient.connect(server, { direct: true });
  await c.close();
});

test('every byte on its own, and all at once', async () => {
  const slow = await open();
  await slow.startTls(server);
  const whole = hello + AUTH + hello + BIND;
  for (const ch of whole.slice(0, whole.length - 1)) slow.write(ch);
  await sleep(50);
  lacks(slow.text, /<jid>/, 'before the last byte');
  await slow.step('>', '</iq>');
  slow.destroy();
  const fast = await open();
  await fast.startTls(server);
  match(await fast.step(whole, '</iq>'), /<success[^]*<bind[^]*<jid>/, 'login in one piece');
  fast.destroy();
});

test('what stands behind a request for TLS is thrown away', async () => {
  const b = await open();
  await b.step(hello, '</stream:features>');
  await b.step(`${STARTTLS}${hello}${AUTH}${hello}${BIND}`, '<proceed');
  await b.secure();
  await sleep(100);
  equal(b.text, '', 'nothing of it is answered');
  await b.login(server);
  b.destroy();
});

test('a guest by TCP and people in browsers share a room', async () => {
  const m = await enter(server, 'shared', MOD);
  const t = await enterByTcp(server, 'shared', { name: 'Tcp Example' });
  equal(`${t.self.affiliation}/${t.self.role}`, 'none/participant', 'the guest');
  const seen = await m.presenceOf(t.id);
  equal(seen.name, 'Tcp Example', 'its name');
  equal((await t.presenceOf(m.id)).role, 'moderator', 'the moderator as the guest sees her');
  // namespaces by prefix, text with everything in it, and a large element: as over WebSocket
  const text = `<&>'"]]> \u20ac \u{1f600} ${'x'.repeat(50000)}`;
  let since = m.mark();
  t.say('shared', text);
  ok((await m.heard(text, { since })).attrs.from.endsWith(`/${t.id}`), 'heard by the moderator');
  since = m.mark();
  t.send(`<message to='${t.room('shared')}' type='groupchat' id='pre'><body>prefix</body><z:a xmlns:z='urn:z' z:b='1'><z:c/></z:a></message>`);
  const el = await m.heard('prefix', { since });
  equal(el.get('a', 'urn:z')?.get('c', 'urn:z')?.local, 'c', 'what had a prefix has its namespace');
  // what is longer when it is written anew
  const quoted = (n) => t.send(`<message to='${t.room('shared')}' type='groupchat' id='q${n}'><body>quotes</body><q xmlns='urn:q' v='${'"'.repeat(n)}'/></message>`);
  since = m.mark();
  quoted(40000);
  equal((await m.heard('quotes', { since })).get('q', 'urn:q').attrs.v, '"'.repeat(40000), 'forty thousand quotes');
  quoted(150000);
  await t.waitFor((e) => e.attrs.type === 'error' && e.path('error', 'text')?.text === 'Message too large', { what: 'the room\'s refusal' });
  since = t.mark();
  m.say('shared', 'to all');
  await t.heard('to all', { since });
  since = t.mark();
  equal((await rejects(t.kick('shared', m.id), 'a kick by a guest')).condition, 'forbidden', 'a kick by a guest');
  await m.kick('shared', t.id);
  ok((await t.presenceOf(t.id, { since, where: (p) => p.type === 'unavailable' })).codes.includes('307'), 'kicked');
  await t.close();
  await m.close();
});

test('a prefix that only the header declares', async () => {
  const m = await enter(server, 'header', MOD);
  const b = await open();
  await b.startTls(server);
  const declared = header(server.domain, "version='1.0' xmlns:z='urn:z'");
  await b.step(declared, '</stream:features>');
  await b.step(AUTH, '<success');
  await b.step(declared, '</stream:features>');
  await b.step(BIND, '</iq>');
  const room = `header@${server.muc}`;
  await b.step(`<presence to='${room}/tcp'><x xmlns='${NS.muc}'/></presence>`, "code='110'");
  const since = m.mark();
  b.write(`<message to='${room}' type='groupchat'><body>outer</body><z:a/></message>`);
  ok((await m.heard('outer', { since })).get('a', 'urn:z'), 'the element has its namespace');
  b.destroy();
  await m.presenceOf('tcp', { where: (p) => p.type === 'unavailable' });
  await m.close();
});

// ---- what must not be sent

const secret = 'what follows is not read';
const before = [
  ['no XML', 'GET / HTTP/1.1\r\nHost: x\r\n\r\n', 'not-well-formed'],
  ['random bytes', Buffer.concat([Buffer.from([0x80]), randomBytes(500), Buffer.from('<>')]), 'not-well-formed'],
  ['zero bytes', Buffer.concat([Buffer.alloc(100), Buffer.from('>')]), 'not-well-formed'],
  ['a TLS hello in the clear', Buffer.from('16030100c8010000c403033e', 'hex'), 'not-well-formed'],
  ['a document type', '<!DOCTYPE stream><stream>', 'restricted-xml'],
  ['a document type with entities', '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "b">]>', 'restricted-xml'],
  ['an instruction', '<?php echo ?><a>', 'restricted-xml'],
  ['another root', "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='meet.jitsi' version='1.0'/>", 'invalid-namespace'],
  ['a server', header('meet.jitsi').replace('jabber:client', 'jabber:server'), 'invalid-namespace'],
  ['no version', header('meet.jitsi', ''), 'unsupported-version'],
  ['another host', header('other.example'), 'host-unknown'],
  ['a header without end', `${hello.slice(0, -1)} a='${'x'.repeat(20000)}`, 'policy-violation'],
  ['a header with many attributes', `${hello.slice(0, -1)} ${Array.from({ length: 100 }, (_, i) => `a${i}=''`).join(' ')}>`, 'policy-violation'],
].map(([name, bytes, condition]) => ({ name, bytes, condition }));
const early = [
  ['a stanza before login', '<presence/>', 'not-authorized'],
  ['a second header', hello, 'not-well-formed'],
  ['text', 'hello<', 'not-well-formed'],
  ['a comment', '<!-- x -->', 'restricted-xml'],
  ['an entity', '<a>&x;</a>', 'restricted-xml'],
  ['a wrong end', '<a></b>', 'not-well-formed'],
  ['too large', `<auth xmlns='${NS.sasl}' mechanism='ANONYMOUS'>${'x'.repeat(20000)}`, 'policy-violation'],
  ['too deep', '<a>'.repeat(50), 'policy-violation'],
  ['too many elements', `<a>${'<b/>'.repeat(500)}`, 'policy-violation'],
  ['too many attributes', `<a ${Array.from({ length: 100 }, (_, i) => `a${i}=''`).join(' ')}/>`, 'policy-violation'],
  ['too many tries', `<auth xmlns='${NS.sasl}' mechanism='X'/>`.repeat(50), 'policy-violation'],
].map(([name, bytes, condition]) => ({ name, bytes, condition, inside: true }));
const late = [
  ['a header where none belongs', hello, 'not-well-formed'],
  ['something else than a stanza', "<a xmlns='urn:a'/>", 'unsupported-stanza-type'],
  ['a stanza of nobody', "<iq xmlns='' type='get' id='1'><a/></iq>garbage<", 'not-well-formed'],
  ['too large a stanza', `<message><body>${'x'.repeat(400000)}`, 'policy-violation'],
  ['too large a tag', `<message a='${'x'.repeat(400000)}`, 'policy-violation'],
  ['too deep a stanza', '<message>'.repeat(100), 'policy-violation'],
  ["an attribute of '>' only", `<message a='${'>'.repeat(200000)}'/>`, 'policy-violation'],
  ['too many stanzas', "<message to='a@b.c'><body>x</body></message>".repeat(3000), 'policy-violation'],
  ['xml in an element', '<xml:a/>', 'restricted-xml'],
  ['parsererror', '<message><parsererror/></message>', 'restricted-xml'],
  ['a broken escape', '<message>&#0;</message>', 'not-well-formed'],
  ['bad UTF-8', Buffer.from('<message>\xff</message>', 'latin1'), 'not-well-formed'],
].map(([name, bytes, condition]) => ({ name, bytes, condition, bound: true }));

test('what XMPP forbids is answered with its stream error and the end, and a log line', async () => {
  const wrong = [];
  await withBystanders(server, async () => {
    for (const c of [...before, ...early, ...late]) {
      const mark = server.mark();
      const b = await open();
      try {
        if (c.inside || c.bound) await b.startTls(server);
        if (c.inside) await b.step(hello, '</stream:features>');
        if (c.bound) await b.login(server);
        const at = b.text.length;
        b.write(c.bytes);
        b.write(secret);
        await b.waitEnd();
        const said = b.text.slice(at);
        match(said, ERROR(c.condition), 'the stream error');
        match(said, /<\/stream:stream>$/, 'the end of the stream');
        if (!c.inside && !c.bound) match(b.text, /^<\?xml version='1\.0'\?><stream:stream /, 'a header before the error');
        equal(b.text.split('<stream:error').length, 2, 'one error');
        await until(() => /event=close .*condition=/.test(server.log.slice(mark)), { what: 'a log line' });
      } catch (e) {
        wrong.push(`${c.name}: ${e.message}`);
      } finally {
        b.destroy();
      }
    }
  });
  ok(wrong.length === 0, `${wrong.length} wrong:\n${wrong.join('\n')}`);
}, { timeout: 60000 });

test('ends that are no ends: half an element, a reset, silence inside TLS', async () => {
  await withBystanders(server, async () => {
    for (let i = 0; i < 10; i += 1) {
      const b = await open();
      if (i % 2) await b.startTls(server);
      await b.step(hello, '</stream:features>');
      b.write('<iq type="get"');
      if (i % 3) b.socket.end(); else if (i % 2) b.destroy(); else b.socket.resetAndDestroy();
    }
    const b = await open();
    await b.startTls(server);
    await b.login(server);
    b.write('</stream:stream><presence/>garbage');
    await b.waitEnd();
    match(b.text, /<\/stream:stream>$/, 'the end is answered');
    lacks(b.text, /stream:error/, 'nothing behind the end is read');
  });
});


test('whoever does not finish is shown out: no bytes, no handshake, half a header, drops of one', async () => {
  await withServer({ allow_guests: true, login_timeout: 1, ...await ports() }, async (s) => {
    const at = Date.now();
    const silent = await Bare.open(s.config.xmpp_port);
    const half = await Bare.open(s.config.xmpp_port);
    half.write('<stream:stream ');
    const shy = await Bare.open(s.config.xmpp_port);
    await shy.step(header(s.domain), '</stream:features>');
    await shy.step(STARTTLS, '<proceed');
    const direct = await Bare.open(s.config.xmpp_tls_port);
    const drops = await Bare.open(s.config.xmpp_port);
    const drip = setInterval(() => drops.write(' '), 50);
    for (const b of [silent, half, direct, drops]) await b.waitEnd();
    // last words go into a handshake that never comes: the linger ends it
    await shy.waitEnd(8000);
    clearInterval(drip);
    ok(Date.now() - at < 8000, 'in time');
    match(silent.text, ERROR('connection-timeout'), 'why');
    match(half.text, ERROR('connection-timeout'), 'why');
  });
});

test('the silent are asked, and end when they do not answer; white space is a sign of life', async () => {
  await withServer({ allow_guests: true, ping_interval: 1, ping_timeout: 1, ...await ports() }, async (s) => {
    const mute = await Bare.open(s.config.xmpp_port);
    await mute.startTls(s);
    await mute.login(s);
    const busy = await Bare.open(s.config.xmpp_port);
    await busy.startTls(s);
    await busy.login(s);
    const kind = await Bare.open(s.config.xmpp_port);
    await kind.startTls(s);
    await kind.login(s);
    let answered = 0;
    kind.received = (d) => {
      const id = /<iq [^>]*type='get' id='([^']+)'[^>]*><ping/.exec(d)?.[1];
      if (id) { answered += 1; kind.write(`<iq type='result' id='${id}'/>`); }
    };
    const white = setInterval(() => busy.write('\n'), 300);
    await mute.waitEnd();
    match(mute.text, new RegExp(`<iq xmlns='jabber:client' type='get' id='[0-9a-f]{16}' from='${s.domain}' to='${mute.jid}'><ping xmlns='urn:xmpp:ping'/></iq>`), 'the question');
    await sleep(1500);
    clearInterval(white);
    ok(!busy.ended && !kind.ended, 'who gives a sign stays');
    ok(answered >= 1, 'the question was answered');
    lacks(busy.text, /urn:xmpp:ping/, 'who speaks is not asked');
    await s.logged(/event=close .*because=lost tcp=silent/);
    busy.destroy();
    kind.destroy();
  });
}, { timeout: 30000 });

test('a client that does not read is closed, others go on', async () => {
  await withServer({ allow_guests: true, room_create: 'anyone', queued_bytes: 262144, stanzas_per_second: 10000, bytes_per_second: 100000000, ...await ports() }, async (s) => {
    const m = await enter(s, 'jam', MOD);
    const t = await enterByTcp(s, 'jam', {});
    await m.presenceOf(t.id);
    t.bare.socket.pause();
    const since = m.mark();
    for (let i = 0; i < 400 && !m.presences({ since, id: t.id }).length; i += 1) {
      m.say('jam', 'x'.repeat(30000));
      if (i % 4 === 0) await m.settle();
    }
    const gone = await m.presenceOf(t.id, { since, where: (p) => p.type === 'unavailable' });
    equal(gone.type, 'unavailable', 'it has left the room');
    await s.logged(/event=close .*because=slow condition=policy-violation/);
    t.drop();
    await m.close();
  });
}, { timeout: 40000 });

test('without guests a stream over TCP has no token, and says so', async () => {
  await withServer({ ...await ports() }, async (s) => {
    const e = await rejects(TcpClient.connect(s, {}), 'a login without a token');
    equal(`${e.stage} ${e.condition} ${e.text}`, 'sasl not-allowed token required', 'the refusal');
  });
});

test('xmpp_require_tls: false lets clients in without TLS; TLS is still there', async () => {
  await withServer({ auth: 'none', xmpp_require_tls: false, ...await ports() }, async (s) => {
    const b = await Bare.open(s.config.xmpp_port);
    const features = await b.step(header(s.domain), '</stream:features>');
    match(features, /<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'\/><mechanisms/, 'the features');
    await b.step(AUTH, '<success');
    await b.step(header(s.domain), '</stream:features>');
    await b.step(BIND, '<jid>');
    b.destroy();
    const c = await TcpClient.connect(s, { plain: true });
    await c.enter('plain');
    await c.close();
    await (await TcpClient.connect(s, {})).close();
  });
});

test('too many sessions, and the end of the server, are told as XMPP tells them', async () => {
  const s = await Server.start({ allow_guests: true, sessions: 2, ...await ports() });
  try {
    const a = await TcpClient.connect(s, {});
    const w = await Client.connect(s, {});
    const more = await Bare.open(s.config.xmpp_port);
    await more.waitEnd();
    match(more.text, /^<\?xml[^]*<stream:error[^]*<resource-constraint [^]*<\/stream:stream>$/, 'one more');
    await w.close();
    s.clients.clear();
    s.child.kill('SIGTERM');
    await a.waitClosed();
    ok(a.over, 'the stream was closed');
    match(a.bare.text, ERROR('system-shutdown'), 'why');
  } finally {
    await s.stop();
  }
});

test('the counters tell of it', async () => {
  const r = gavel(['explain', '--config', server.file, '--live', '--counters', '--json']);
  const all = JSON.parse(r.out).result;
  for (const name of ['streams_tls_started', 'xml_not_well_formed', 'xml_restricted', 'limit_stanza_bytes', 'limit_stanza_depth',
    'limit_stanza_attributes', 'limit_stanza_elements', 'limit_login_stanzas']) ok(all[name] > 0, `${name} has counted`, all);
});

test('ports that are the same are refused at the start', () => {
  const file = join(temporaryFolder(), 'gavel.yaml');
  writeFileSync(file, configText({ auth: 'none', xmpp_port: 5222, xmpp_tls_port: 5222 }), { mode: 0o600 });
  const r = gavel(['check', '--config', file]);
  equal(r.code, 2, 'exit code of check');
  match(r.out + r.err, /xmpp_tls_port: must be another one than xmpp_port/, 'the words');
});

test('@xmpp/client over TCP, which starts TLS by itself', async () => {
  const { XmppClient } = await import('../support/libraries.mjs');
  const c = await new XmppClient(server, 'tcp').connect();
  const m = await enter(server, 'library', MOD);
  const own = await c.join(`library@${server.muc}`, 'aaaa1111', 'Library');
  equal(`${own.affiliation}/${own.role}`, 'none/participant', 'the guest');
  equal((await m.presenceOf('aaaa1111')).name, 'Library', 'as others see it');
  await c.leave();
  await m.close();
});

await run();
