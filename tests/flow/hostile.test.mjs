// hostile.test.mjs - bad input of every kind: an error of the protocol or a close, and a log line, while two
// bystanders chat on without losing a word.
import { randomBytes } from 'node:crypto';
import { networkInterfaces } from 'node:os';
import { equal, fail, match, ok, rejects, run, same, sleep, test, until } from '../support/harness.mjs';
import { Client, enter, settleAll } from '../support/client.mjs';
import { Raw, frame, loggedIn, withBystanders } from '../support/hostile.mjs';
import { Server, gavel, serverFor, withServer } from '../support/server.mjs';
import { NS } from '../support/xml.mjs';
import { now } from '../support/token.mjs';

const server = await serverFor({ allow_guests: true, log_lines_per_second: 10000 });
const MOD = { id: 'm', name: 'Alice Example', moderator: true };

/** Runs cases one after the other beside the bystanders; all that are wrong are told together. */
function cases(title, list, play, { on = server, timeout = 60000 } = {}) {
  test(title, async () => {
    const wrong = [];
    await withBystanders(on, async () => {
      for (const c of list) {
        const mark = on.mark();
        try {
          await play(c, mark);
        } catch (e) {
          wrong.push(`${c.name}: ${e.message}`);
        }
      }
    });
    ok(wrong.length === 0, `${wrong.length} of ${list.length} cases:\n${wrong.join('\n')}`);
  }, { timeout });
}

/** The server's own count of what a limit has refused, asked through the control socket. */
function counted(s, name) {
  const r = gavel(['explain', '--config', s.file, '--live', '--counters', '--json']);
  equal(r.code, 0, `exit code of explain --live --counters: ${r.err}`);
  const all = JSON.parse(r.out).result;
  ok(name in all, `there is a counter ${name}`, Object.keys(all).join(' '));
  ok(all[name] > 0, `the counter ${name} has counted`, all);
}

const logs = async (mark, on = server) => until(() => on.log.length > mark && on.lines(mark).length, { timeout: 3000, what: 'a log line about it' });

// ---- HTTP

const line = 'GET /xmpp-websocket HTTP/1.1\r\nHost: x\r\n';
const upgrade = 'Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: xmpp\r\n';
const post = 'POST /conference-request/v1 HTTP/1.1\r\nHost: x\r\n';
cases('HTTP: garbage, wrong heads and wrong upgrades are answered with an error or closed', [
  { name: 'random bytes', bytes: randomBytes(2000) },
  { name: 'zero bytes', bytes: Buffer.alloc(600) },
  { name: 'a TLS hello', bytes: Buffer.from('16030100c8010000c40303', 'hex') , end: true },
  { name: 'no such method', bytes: 'BREW / HTTP/1.1\r\nHost: x\r\n\r\n' },
  { name: 'no such version', bytes: 'GET / HTTP/9.9\r\nHost: x\r\n\r\n' },
  { name: 'half a request line', bytes: 'GET /\r\n\r\n' },
  { name: 'no host', bytes: 'GET / HTTP/1.1\r\n\r\n' },
  { name: 'a header without a colon', bytes: 'GET / HTTP/1.1\r\nHost: x\r\nnonsense\r\n\r\n' },
  { name: 'a space before the colon', bytes: 'GET / HTTP/1.1\r\nHost: x\r\nFoo : bar\r\n\r\n' },
  { name: 'a zero byte in a header', bytes: 'GET / HTTP/1.1\r\nHost: x\r\nFoo: a\0b\r\n\r\n' },
  { name: 'too long a head', bytes: `GET / HTTP/1.1\r\nHost: x\r\nFoo: ${'x'.repeat(100000)}\r\n\r\n` },
  { name: 'too many headers', bytes: `GET / HTTP/1.1\r\nHost: x\r\n${'A: b\r\n'.repeat(20000)}\r\n` },
  { name: 'too long a target', bytes: `GET /${'x'.repeat(200000)} HTTP/1.1\r\nHost: x\r\n\r\n` },
  { name: 'a body where none belongs', bytes: 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n' },
  { name: 'two lengths', bytes: 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx' },
  { name: 'length and chunks', bytes: 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n' },
  ...['Transfer-Encoding: gzip', 'Transfer-Encoding: chunked, chunked', 'Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked', 'Transfer-Encoding : chunked',
    'Transfer-Encoding:\r\n chunked', 'Transfer-Encoding: xchunked', 'Content-Length: 0x5', 'Content-Length: 5, 5', 'Content-Length: +5', 'Content-Length: 5 5',
    'Content-Length: 99999'].map((f) => ({ name: `a body with ${f}`, bytes: `${post}${f}\r\n\r\n5\r\nhello\r\n0\r\n\r\n` })),
  ...['5\nhello\r\n0\r\n\r\n', '-5\r\nhello\r\n', '5;a\nb\r\nhello\r\n0\r\n\r\n', '5\r\nhelloX0\r\n\r\n', 'FFFFFFFFFFFFFFFF\r\nx', `5;${'x'.repeat(400)}`, '5\r\nhello\r\n0\r\n folded\r\n\r\n',
    `0\r\n${'X: y\r\n'.repeat(2000)}`, `${'4000\r\n'}${'x'.repeat(0x4000)}\r\n1\r\ny`].map((b, i) => ({ name: `chunks that are none, ${i}`, bytes: `${post}Transfer-Encoding: chunked\r\n\r\n${b}` })),
  { name: 'a bad escape', bytes: 'GET /%zz HTTP/1.1\r\nHost: x\r\n\r\n' },
  { name: 'an escaped zero byte', bytes: 'GET /a%00b HTTP/1.1\r\nHost: x\r\n\r\n' },
  { name: 'an upgrade without a key', bytes: `${line}${upgrade.replace(/Sec-WebSocket-Key.*\r\n/, '')}\r\n` },
  { name: 'an upgrade with a short key', bytes: `${line}${upgrade.replace('dGhlIHNhbXBsZSBub25jZQ==', 'abc')}\r\n` },
  { name: 'an upgrade of version 8', bytes: `${line}${upgrade.replace('Version: 13', 'Version: 8')}\r\n` },
  { name: 'an upgrade without a subprotocol', bytes: `${line}${upgrade.replace(/Sec-WebSocket-Protocol.*\r\n/, '')}\r\n` },
  { name: 'an upgrade with another subprotocol', bytes: `${line}${upgrade.replace(': xmpp', ': mqtt')}\r\n` },
], async ({ bytes, end }, mark) => {
  const r = await Raw.open(server);
  r.write(bytes);
  if (end) r.socket.end();
  await r.wait(() => r.ended || /^HTTP\/1\.1 \d{3} [^]*\r\n\r\n/.test(r.received.toString('latin1')), 'an answer or a close');
  const answer = r.received.toString('latin1');
  if (answer) match(answer, /^HTTP\/1\.1 [45]\d\d /, 'the status');
  await logs(mark);
  r.destroy();
});

test('HTTP: requests behind one another, and one piece by piece, are answered', async () => {
  const r = await Raw.open(server);
  r.write('GET /about/health HTTP/1.1\r\nHost: x\r\n\r\nGET /about/health HTTP/1.1\r\nHost: x\r\n\r\n');
  await r.wait(() => (r.received.toString().match(/HTTP\/1\.1 200/g) ?? []).length === 2, 'two answers');
  r.destroy();
  const slow = await Raw.open(server);
  for (const c of 'GET /about/health HTTP/1.1\r\nHost: x\r\n\r\n') {
    slow.write(c);
    await sleep(2);
  }
  await slow.wait(() => /HTTP\/1\.1 200/.test(slow.received.toString()), 'an answer');
  slow.destroy();
});

test('HTTP: bytes behind a body that ends early or late are never a request of their own', async () => {
  const hidden = 'GET /about/health HTTP/1.1\r\nHost: x\r\n\r\n';
  const bodies = { // what stands behind the head, and how many answers it may get
    [`Content-Length: ${hidden.length}\r\n\r\n${hidden}`]: 1,
    [`Content-Length: 1\r\n\r\nx${hidden}`]: 2,
    [`Transfer-Encoding: chunked\r\n\r\n${hidden.length.toString(16)}\r\n${hidden}\r\n0\r\n\r\n`]: 1,
    [`Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n${hidden}`]: 2,
    [`Transfer-Encoding: chunked\r\n\r\n0\r\n${hidden}`]: 1,
    [`Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n${hidden}`]: 1,
    [`Content-Length: 5\r\nContent-Length: 0\r\n\r\n${hidden}`]: 1,
    [`Transfer-Encoding: identity\r\n\r\n${hidden}`]: 1,
  };
  for (const [text, count] of Object.entries(bodies)) {
    const r = await Raw.open(server);
    r.write(post + text);
    await r.wait(() => r.ended || (r.received.toString('latin1').match(/HTTP\/1\.1 \d/g) ?? []).length >= count, 'the answers');
    await sleep(50);
    equal(r.received.toString('latin1').match(/HTTP\/1\.1 \d/g)?.length, count, `answers to ${JSON.stringify(text)}`);
    r.destroy();
  }
});

test('HTTP: a body that drips is given up, and who waits for a long one costs little', async () => {
  await withServer({ auth: 'none', body_timeout: 1, http_body_mebibytes_total: 1 }, async (s) => {
    const slow = await Raw.open(s);
    slow.write(`${post}Content-Length: 100\r\n\r\n`);
    for (let i = 0; i < 12 && !slow.ended; i++) {
      slow.write('x');
      await sleep(150);
    }
    await slow.wait(() => slow.ended, 'the end');
    match(slow.received.toString('latin1'), /^HTTP\/1\.1 408 /, 'the status');
    equal((await s.get('/about/health')).status, 200);
  });
});

// ---- WebSocket frames

const open = `<open xmlns='${NS.framing}' to='meet.jitsi' version='1.0'/>`;
cases('frames: what RFC 6455 forbids is closed with its code', [
  { name: 'binary', bytes: frame(2, Buffer.from(open)), codes: [1003] },
  { name: 'unmasked', bytes: frame(1, Buffer.from(open), { mask: false }), codes: [1002] },
  { name: 'a reserved bit', bytes: frame(1, Buffer.from(open), { rsv: 4 }), codes: [1002] },
  { name: 'an unknown opcode', bytes: frame(5, Buffer.from('x')), codes: [1002] },
  { name: 'an unknown control opcode', bytes: frame(11, Buffer.from('x')), codes: [1002] },
  { name: 'a continuation of nothing', bytes: frame(0, Buffer.from(open)), codes: [1002, 1003] },
  { name: 'a new message inside another', bytes: Buffer.concat([frame(1, Buffer.from('<op'), { fin: false }), frame(1, Buffer.from(open))]), codes: [1002, 1003] },
  { name: 'too long a ping', bytes: frame(9, Buffer.alloc(126)), codes: [1002] },
  { name: 'a ping in fragments', bytes: frame(9, Buffer.from('x'), { fin: false }), codes: [1002] },
  { name: 'a close with one byte', bytes: frame(8, Buffer.from('x')), codes: [1002] },
  { name: 'a close with a forbidden code', bytes: frame(8, Buffer.from([0x03, 0xed])), codes: [1002] },
  { name: 'bad UTF-8', bytes: frame(1, Buffer.from([0x3c, 0xff, 0xfe])), codes: [1007] },
  { name: 'a surrogate in UTF-8', bytes: frame(1, Buffer.from([0x3c, 0xed, 0xa0, 0x80])), codes: [1007] },
  { name: 'a message larger than allowed before login', bytes: frame(1, Buffer.alloc(40000, 'x')), codes: [1009, 1008] },
  { name: 'a length of 2^62', bytes: frame(1, Buffer.alloc(0), { length: 2 ** 62 }), codes: [1009, 1008, 1002] },
  { name: 'fragments that sum up to too much', bytes: Buffer.concat([frame(1, Buffer.alloc(6000, 'x'), { fin: false }), frame(0, Buffer.alloc(6000, 'x'), { fin: false }), frame(0, Buffer.alloc(6000, 'x'))]), codes: [1009, 1008, 1003] },
  { name: 'a message of nothing', bytes: frame(1), codes: [1000, 1002, 1003, 1007, 1008] },
], async ({ bytes, codes }, mark) => {
  const r = await Raw.webSocket(server);
  r.write(bytes);
  await r.wait(() => r.ended || r.closeCode !== null, 'a close');
  ok(codes.includes(r.closeCode), `close code: wanted ${codes.join(' or ')}, saw ${r.closeCode}; texts: ${r.texts.join(' | ')}`);
  if (r.closeCode !== 1000) await logs(mark);
  r.write(frame(8, Buffer.from([0x03, 0xe8])));
  await r.waitEnd();
});

test('frames: pings are answered, also between fragments, and fragments make one message', async () => {
  const r = await Raw.webSocket(server);
  const half = Math.floor(open.length / 2);
  r.write(frame(9, Buffer.from('are you there')));
  r.write(frame(1, Buffer.from(open.slice(0, half)), { fin: false }));
  r.write(frame(9, Buffer.from('still')));
  r.write(frame(0, Buffer.from(open.slice(half))));
  await r.wait(() => r.frames.filter((f) => f.opcode === 10).length === 2 && r.texts.length >= 2, 'two pongs and the features');
  same(r.frames.filter((f) => f.opcode === 10).map((f) => f.payload.toString()), ['are you there', 'still'], 'pongs');
  match(r.texts[0], /^<open /, 'the answer to a message in fragments');
  r.destroy();
});

// ---- XML and order, before login

const deep = (n) => '<a>'.repeat(n) + '</a>'.repeat(n);
const STREAM_ERROR = /<(stream:)?error[ >]/;
cases('XML before login: malformed, dangerous and misplaced input ends the stream with an error', [
  { name: 'no XML', text: 'hello' },
  { name: 'not closed', text: '<open' },
  { name: 'wrong nesting', text: '<a><b></a></b>' },
  { name: 'two roots', text: `${open}${open}` },
  { name: 'text behind', text: `${open}x` },
  { name: 'an attribute twice', text: '<open to=\'a\' to=\'b\'/>' },
  { name: 'an undeclared prefix', text: '<x:open/>' },
  { name: 'an unknown entity', text: '<open to=\'&foo;\'/>' },
  { name: 'a document type', text: `<!DOCTYPE open>${open}` },
  { name: 'an entity declaration', text: '<!DOCTYPE a [<!ENTITY lol "lol"><!ENTITY lol2 "&lol;&lol;&lol;">]><open to=\'&lol2;\'/>' },
  { name: 'an external entity', text: '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><open to=\'&x;\'/>' },
  { name: 'a processing instruction', text: `<?php echo 1 ?>${open}` },
  { name: 'a comment inside', text: `<open xmlns='${NS.framing}' to='meet.jitsi' version='1.0'><!-- x --></open>` },
  { name: 'a forbidden character', text: '<open to=\'\u0001\'/>' },
  { name: 'a character reference to nothing', text: '<open to=\'&#0;\'/>' },
  { name: 'a thousand levels', text: deep(1000) },
  { name: 'five hundred attributes', text: `<open ${Array.from({ length: 500 }, (_, i) => `a${i}='x'`).join(' ')}/>` },
  { name: 'a TCP stream head', text: '<?xml version=\'1.0\'?><stream:stream xmlns=\'jabber:client\' xmlns:stream=\'http://etherx.jabber.org/streams\' to=\'meet.jitsi\' version=\'1.0\'>' },
  { name: 'an open in a wrong namespace', text: '<open xmlns=\'urn:example:wrong\' to=\'meet.jitsi\' version=\'1.0\'/>' },
  { name: 'another host', text: `<open xmlns='${NS.framing}' to='example.com' version='1.0'/>` },
  { name: 'login before the stream is open', text: `<auth xmlns='${NS.sasl}' mechanism='ANONYMOUS'/>` },
  { name: 'a stanza before the stream is open', text: '<presence xmlns=\'jabber:client\' to=\'demo@muc.meet.jitsi/x\'/>' },
  { name: 'a stanza before login', before: [open], text: '<presence xmlns=\'jabber:client\' to=\'demo@muc.meet.jitsi/x\'/>' },
  { name: 'bind before login', before: [open], text: `<iq xmlns='jabber:client' type='set' id='b'><bind xmlns='${NS.bind}'/></iq>` },
  { name: 'an unknown element before login', before: [open], text: '<thing xmlns=\'urn:example:x\'/>' },
  { name: 'a stanza before bind', before: [open, `<auth xmlns='${NS.sasl}' mechanism='ANONYMOUS'/>`, open], text: '<presence xmlns=\'jabber:client\' to=\'demo@muc.meet.jitsi/x\'/>' },
  { name: 'login twice', before: [open, `<auth xmlns='${NS.sasl}' mechanism='ANONYMOUS'/>`, open], text: `<auth xmlns='${NS.sasl}' mechanism='ANONYMOUS'/>` },
], async ({ text, before = [] }, mark) => {
  const r = await Raw.webSocket(server);
  for (const t of before) {
    const n = r.texts.length;
    r.text(t);
    await r.wait(() => r.texts.length > n, `an answer to ${t.slice(0, 20)}`);
    await sleep(20);
  }
  const n = r.texts.length;
  r.text(text);
  await r.wait(() => r.ended || r.closeCode !== null || r.texts.slice(n).some((t) => STREAM_ERROR.test(t) || /<failure/.test(t)), 'an error or a close');
  const said = r.texts.slice(n).join('');
  ok(STREAM_ERROR.test(said) || /type=['"]error/.test(said) || r.closeCode !== null, 'an error is said', said, r.closeCode);
  ok(!/root:|lollol/.test(said), 'nothing is expanded', said);
  await logs(mark);
  r.write(frame(8, Buffer.from([0x03, 0xe8])));
  await r.waitEnd();
});

test('an unknown mechanism is refused without ending the stream, twenty-one messages before login end it', async () => {
  const c = await Client.open(server);
  await c.hello(server.domain);
  let mark = c.mark();
  c.send(`<auth xmlns='${NS.sasl}' mechanism='PLAIN'>AGEAYg==</auth>`);
  const f = await c.waitFor((e) => e.local === 'failure', { since: mark, what: 'a SASL failure' });
  equal(f.elements[0].local, 'invalid-mechanism', 'condition');
  c.drop();
  const many = await Client.open(server);
  mark = server.mark();
  await many.hello(server.domain);
  for (let i = 0; i < 40 && !many.closed; i += 1) many.send(`<auth xmlns='${NS.sasl}' mechanism='PLAIN'>AGEAYg==</auth>`);
  await many.waitClosed();
  await logs(mark);
  counted(server, 'limit_login_stanzas');
});

// ---- stanzas after login

const bigBody = 'x'.repeat(300000);
cases('stanzas after login: each gets the error that the protocol has for it', [
  { name: 'malformed XML', text: '<message xmlns=\'jabber:client\'><body></message>', end: true },
  { name: 'an entity declaration', text: '<!DOCTYPE a [<!ENTITY x "y">]><message xmlns=\'jabber:client\'><body>&x;</body></message>', end: true },
  { name: 'too deep', text: `<message xmlns='jabber:client' to='demo@muc.meet.jitsi' type='groupchat' id='e'>${deep(300)}</message>` },
  { name: 'too many attributes', text: `<message xmlns='jabber:client' id='e' ${Array.from({ length: 300 }, (_, i) => `a${i}='x'`).join(' ')}/>` },
  { name: 'too many elements', text: `<message xmlns='jabber:client' to='demo@muc.meet.jitsi' type='groupchat' id='e'>${'<a/>'.repeat(50000)}</message>` },
  { name: 'too large', text: `<message xmlns='jabber:client' to='demo@muc.meet.jitsi' type='groupchat' id='e'><body>${bigBody}</body></message>`, end: true },
  { name: 'an unknown stanza', text: '<thing xmlns=\'jabber:client\' id=\'e\'/>', end: true },
  { name: 'a stanza of another namespace', text: '<message xmlns=\'jabber:server\' id=\'e\'/>', end: true },
  ...['@', 'a@', '@meet.jitsi', '/x', 'a@b@c', 'a@meet.jitsi/', 'a b@muc.meet.jitsi', '"@muc.meet.jitsi', `${'n'.repeat(2000)}@muc.meet.jitsi/x`,
    `demo@${'d'.repeat(2000)}`, `demo@muc.meet.jitsi/${'r'.repeat(2000)}`, '&#xfffe;@muc.meet.jitsi/x', 'demo@.muc..jitsi/x'].map((to) => ({
    name: `JID ${to.slice(0, 30)}`, text: `<iq xmlns='jabber:client' type='get' id='e' to='${to.replace(/"/g, '&quot;')}'><ping xmlns='urn:xmpp:ping'/></iq>`, orEnd: true,
  })),
  { name: 'an address of another server', text: '<iq xmlns=\'jabber:client\' type=\'get\' id=\'e\' to=\'example.com\'><ping xmlns=\'urn:xmpp:ping\'/></iq>' },
  { name: 'an IQ without a child', text: '<iq xmlns=\'jabber:client\' type=\'get\' id=\'e\' to=\'meet.jitsi\'/>' },
  { name: 'an IQ with two children', text: '<iq xmlns=\'jabber:client\' type=\'get\' id=\'e\' to=\'meet.jitsi\'><ping xmlns=\'urn:xmpp:ping\'/><ping xmlns=\'urn:xmpp:ping\'/></iq>' },
  { name: 'an IQ of no type', text: '<iq xmlns=\'jabber:client\' id=\'e\' to=\'meet.jitsi\'><ping xmlns=\'urn:xmpp:ping\'/></iq>' },
  { name: 'an IQ of a strange type', text: '<iq xmlns=\'jabber:client\' type=\'maybe\' id=\'e\' to=\'meet.jitsi\'><ping xmlns=\'urn:xmpp:ping\'/></iq>' },
  { name: 'bind again', text: `<iq xmlns='jabber:client' type='set' id='e'><bind xmlns='${NS.bind}'/></iq>` },
  { name: 'a room that is not there', text: '<iq xmlns=\'jabber:client\' type=\'set\' id=\'e\' to=\'nowhere@muc.meet.jitsi\'><query xmlns=\'http://jabber.org/protocol/muc#admin\'><item nick=\'x\' role=\'none\'/></query></iq>' },
  { name: 'a message to a room from outside', text: '<message xmlns=\'jabber:client\' type=\'groupchat\' id=\'e\' to=\'nowhere@muc.meet.jitsi\'><body>x</body></message>' },
  { name: 'a presence of a strange type', text: '<presence xmlns=\'jabber:client\' type=\'dancing\' id=\'e\' to=\'demo@muc.meet.jitsi/x\'/>', orEnd: true },
  { name: 'a join without an occupant name', text: `<presence xmlns='jabber:client' id='e' to='demo@muc.meet.jitsi'><x xmlns='${NS.muc}'/></presence>` },
], async ({ text, end, orEnd }, mark) => {
  const r = await loggedIn(server);
  const n = r.texts.length;
  const at = server.mark();
  r.text(text);
  const answered = () => r.texts.slice(n).some((t) => /type=['"]error/.test(t) || STREAM_ERROR.test(t));
  await r.wait(() => r.ended || r.closeCode !== null || answered(), 'an error or a close');
  if (end) {
    ok(r.closeCode !== null || STREAM_ERROR.test(r.texts.slice(n).join('')), 'the stream ends', r.texts.slice(n).join('').slice(0, 500));
    await logs(at);
  } else if (!orEnd && !answered()) {
    ok(r.closeCode !== null, 'an error stanza or the end of the stream', r.texts.slice(n).join('').slice(0, 500));
  }
  ok(mark <= server.mark(), 'the log only grows');
  r.destroy();
});

test('a client that makes mistakes one after the other stays connected where only the stanza was wrong', async () => {
  const c = await Client.connect(server, { token: server.token(MOD) });
  await c.enter('mistakes');
  for (const [to, child] of [['demo@muc.meet.jitsi', '<a xmlns=\'x\'/>'], ['mistakes@muc.meet.jitsi/nobody', '<a xmlns=\'x\'/>'],
    ['focus.meet.jitsi', '<conference xmlns=\'http://jitsi.org/protocol/focus\' room=\'not a jid\'/>'],
    ['mistakes@muc.meet.jitsi', `<query xmlns='${NS.admin}'/>`], ['mistakes@muc.meet.jitsi', `<query xmlns='${NS.admin}'><item/></query>`],
    ['mistakes@muc.meet.jitsi', `<query xmlns='${NS.admin}'><item affiliation='emperor' nick='x'/></query>`],
    ['mistakes@muc.meet.jitsi', `<query xmlns='${NS.owner}'><x xmlns='jabber:x:data' type='submit'><field/></x></query>`],
    ['mistakes@muc.meet.jitsi/focus', '<mute xmlns=\'http://jitsi.org/jitmeet/audio\' jid=\'nonsense\'>true</mute>']]) {
    const r = await c.request('set', to, child);
    ok(r.attrs.type === 'error' || child.includes('<field/>'), `${child} is an error`, r.raw);
  }
  await c.settle();
  await c.close();
});

// ---- tokens

const seg = (o) => Buffer.from(typeof o === 'string' ? o : JSON.stringify(o)).toString('base64url');
cases('tokens: rubbish of every kind is refused with a reason, and is never a guest', [
  ...Array.from({ length: 20 }, (_, i) => ({ name: `random bytes ${i}`, token: randomBytes(1 + i * 17).toString('latin1').replace(/[\r\n\0]/g, 'x') })),
  { name: 'dots only', token: '..' }, { name: 'one dot', token: 'a.b' }, { name: 'four parts', token: 'a.b.c.d' },
  { name: 'padding', token: `${seg({ alg: 'HS256' })}=.${seg({})}.AAAA` },
  { name: 'a line feed', token: `${seg({ alg: 'HS256' })}.${seg({})}.AA\nAA` },
  { name: 'a header that is no object', token: `${seg('[1]')}.${seg({})}.AAAA` },
  { name: 'a payload that is no JSON', token: `${seg({ alg: 'HS256' })}.${seg('{')}.AAAA` },
  { name: 'deep JSON', token: `${seg({ alg: 'HS256' })}.${seg('['.repeat(2000) + ']'.repeat(2000))}.AAAA` },
  { name: 'a member twice', token: `${seg({ alg: 'HS256' })}.${seg('{"iss":"my_app","iss":"x"}')}.AAAA`, text: 'duplicate claim in token' },
  { name: 'bad UTF-8 in JSON', token: `${seg({ alg: 'HS256' })}.${Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]).toString('base64url')}.AAAA` },
  { name: 'too large', token: `${seg({ alg: 'HS256' })}.${seg({ x: 'y'.repeat(9000) })}.AAAA`, text: 'token too large' },
  { name: 'a crit header', token: `${seg({ alg: 'HS256', crit: ['b64'] })}.${seg({})}.AAAA`, text: 'Unsupported critical header' },
  { name: 'alg none', token: `${seg({ alg: 'none' })}.${seg({})}.`, text: 'Invalid or incorrect alg' },
  { name: 'alg nOnE', token: `${seg({ alg: 'nOnE' })}.${seg({})}.`, text: 'Invalid or incorrect alg' },
  { name: 'an own key', token: `${seg({ alg: 'HS256', jwk: { kty: 'oct', k: 'AAAA' } })}.${seg({})}.AAAA` },
], async ({ token, text }, mark) => {
  const e = await rejects(Client.connect(server, { token }), 'a login with it');
  same([e.stage, e.condition], ['sasl', 'not-allowed'], `the refusal (${e.message})`);
  if (text) equal(e.text, text, 'its words');
  ok(!/[&<>\n]/.test(e.text ?? ''), 'plain words', e.text);
  await logs(mark);
});

test('a megabyte of token is closed or refused', () => withBystanders(server, async () => {
  const r = await Raw.open(server);
  r.write(`GET /xmpp-websocket?token=${'A'.repeat(1 << 20)} HTTP/1.1\r\nHost: x\r\n${upgrade}\r\n`);
  await r.wait(() => r.ended || /^HTTP\/1\.1 4\d\d/.test(r.received.toString('latin1')), 'a refusal');
}));

test('four hundred wrong signatures at once: all refused, the bystanders chat on', async () => {
  const seen = await withBystanders(server, async () => {
    for (let round = 0; round < 8; round += 1) {
      const results = await Promise.all(Array.from({ length: 50 }, () => rejects(
        Client.connect(server, { token: server.token(MOD, { exp: now() + 60 }, { state: 'invalid' }) }))));
      for (const e of results) same([e.condition, e.text], ['not-allowed', 'Invalid signature'], 'refusal');
    }
  });
  console.log(`# ${seen.words} words, the slowest took ${seen.worst} ms`);
}, { timeout: 60000 });

// ---- too much, too slow

test('a flood of stanzas ends the flooder\'s stream, with a reason', () => withServer({ stanzas_per_second: 20, log_lines_per_second: 1000 }, async (s) => {
  const c = await enter(s, 'flood', MOD);
  await withBystanders(s, async () => {
    const mark = s.mark();
    for (let i = 0; i < 2000; i += 1) if (!c.closed) c.say('flood', `spam ${i}`);
    await c.waitClosed();
    ok(c.stanzas.some((e) => e.local === 'error' && e.get('policy-violation')), 'policy-violation', c.tail(3));
    await logs(mark, s);
    counted(s, 'limit_stanzas_per_second');
  }, { every: 100 });
}));

test('a flood of bytes ends the flooder\'s stream, with a reason', () => withServer({ bytes_per_second: 20000, log_lines_per_second: 1000 }, async (s) => {
  const c = await enter(s, 'flood', MOD);
  await withBystanders(s, async () => {
    for (let i = 0; i < 40; i += 1) if (!c.closed) c.say('flood', 'y'.repeat(50000));
    await c.waitClosed();
    ok(c.stanzas.some((e) => e.local === 'error' && e.get('policy-violation')), 'policy-violation', c.tail(1).slice(0, 600));
    counted(s, 'limit_bytes_per_second');
  }, { every: 100 });
}));

test('a flood of frames and of pings ends the connection or is answered, and nobody else waits', () => withBystanders(server, async () => {
  const r = await loggedIn(server);
  for (let i = 0; i < 3000; i += 1) r.write(frame(9, Buffer.from(`p${i}`)));
  await sleep(300);
  for (let i = 0; i < 3000; i += 1) r.write(frame(1, Buffer.from('<r/>')));
  await r.wait(() => r.ended || r.closeCode !== null, 'the end of it');
  r.destroy();
}), { timeout: 40000 });

test('a client that never reads is closed, its room goes on', () => withServer({
  queued_bytes: 1048576, bytes_per_second: 100000000, stanzas_per_second: 100000, log_lines_per_second: 1000,
}, async (s) => {
  const a = await enter(s, 'stalled', MOD);
  const b = await enter(s, 'stalled', { id: 'b', name: 'Bob Example' });
  const r = await loggedIn(s, { query: `?token=${s.token({ id: 'deaf' })}` });
  r.text(`<presence xmlns='jabber:client' to='stalled@${s.muc}/deaf1234'><x xmlns='${NS.muc}'/></presence>`);
  await a.presenceOf('deaf1234');
  r.socket.pause();
  const mark = a.mark();
  const log = s.mark();
  let sent = 0;
  await withBystanders(s, async () => {
    const end = Date.now() + 20000;
    while (Date.now() < end && !a.presences({ since: mark, id: 'deaf1234' }).length) {
      for (let i = 0; i < 5; i += 1) a.say('stalled', `${sent += 1} ${'z'.repeat(60000)}`);
      await a.settle();
    }
  });
  const gone = await a.presenceOf('deaf1234', { since: mark, where: (p) => p.type === 'unavailable' });
  equal(gone.role, 'none', 'the deaf one is out');
  await settleAll(a, b);
  equal(b.stanzas.filter((e) => e.local === 'message' && /^\d+ z/.test(e.get('body')?.text ?? '')).length, sent, 'what the other heard');
  await logs(log, s);
  counted(s, 'limit_queued_bytes_closed');
  r.destroy();
  await a.close();
  await b.close();
}), { timeout: 60000 });

test('half-open, silent and slow connections are closed in time', () => withServer({
  handshake_timeout: 1, login_timeout: 2, ping_interval: 1, ping_timeout: 1, log_lines_per_second: 1000,
}, async (s) => {
  await withBystanders(s, async () => {
    const mark = s.mark();
    const silent = await Raw.open(s);
    const slow = await Raw.open(s);
    const drip = setInterval(() => slow.write('G'), 100);
    const idle = await Raw.webSocket(s);
    const deaf = await loggedIn(s, { query: `?token=${s.token({ id: 'deaf' })}` });
    const half = await loggedIn(s, { query: `?token=${s.token({ id: 'half' })}` });
    half.write(frame(1, Buffer.from('<message xmlns=\'jabber:client\'/>')).subarray(0, 12));
    for (const [what, r, most] of [['says nothing', silent, 5000], ['sends its request by drops', slow, 5000], ['opens and does not log in', idle, 6000],
      ['never answers a ping', deaf, 6000], ['sends half a frame', half, 6000]]) {
      await r.waitEnd(most).catch((e) => fail(`one who ${what} is not closed: ${e.message}`));
    }
    clearInterval(drip);
    await logs(mark, s);
    for (const name of ['limit_handshake_timeout', 'limit_login_timeout', 'limit_ping_timeout']) counted(s, name);
  });
}), { timeout: 40000 });

/** A server with one small limit, crossed by body while two people chat on it. */
const crossing = (title, limits, body, options) => test(title, () => withServer({ log_lines_per_second: 1000, ...limits },
  (s) => withBystanders(s, () => body(s))), { timeout: 40000, ...options });

crossing('joins_per_second: a rush into one room is slowed with resource-constraint', { joins_per_second: 5 }, async (s) => {
  const clients = await Promise.all(Array.from({ length: 40 }, (_, i) => Client.connect(s, { token: s.token({ id: `j${i}`, moderator: true }) })));
  const results = await Promise.allSettled(clients.map((c) => c.enter('rush', { timeout: 20000 })));
  const refused = results.filter((r) => r.status === 'rejected').map((r) => r.reason.condition);
  ok(refused.length > 0 && refused.length < 40 && refused.every((x) => x === 'resource-constraint'), 'the late ones are told resource-constraint', refused);
  await s.logged(/E_RATE/);
  counted(s, 'limit_joins_per_second');
  for (const c of clients) await c.close();
});

crossing('rooms: one more than allowed', { rooms: 4 }, async (s) => {
  const c = await Client.connect(s, { token: s.token(MOD) });
  for (const n of ['a', 'b', 'c']) await c.enter(n);
  equal((await rejects(c.enter('d'))).condition, 'resource-constraint', 'one room too many');
  await s.logged(/E_RATE/);
  counted(s, 'limit_rooms');
  await c.leave('a');
  await c.enter('d');
  await c.close();
});

crossing('sessions: one more than allowed is turned away, and let in when another has gone', { sessions: 7 }, async (s) => {
  const list = [];
  for (let i = 0; i < 5; i += 1) list.push(await Client.connect(s, { token: s.token(MOD) }));
  const mark = s.mark();
  ok(await rejects(Client.connect(s, { token: s.token(MOD) }), 'one session too many'), 'refused');
  await logs(mark, s);
  counted(s, 'limit_sessions');
  await list[0].close();
  const again = await until(() => Client.connect(s, { token: s.token(MOD) }).catch(() => null), { what: 'a free place' });
  for (const c of [again, ...list]) await c.close();
});

crossing('occupants_per_room: one more than allowed', { occupants_per_room: 2 }, async (s) => {
  const a = await enter(s, 'x', MOD);
  const b = await enter(s, 'x', MOD);
  equal((await rejects(enter(s, 'x', MOD))).condition, 'service-unavailable', 'one occupant too many');
  counted(s, 'limit_occupants_per_room');
  await a.close();
  await b.close();
});

crossing('rooms_per_session: one more than allowed', { rooms_per_session: 2 }, async (s) => {
  const c = await Client.connect(s, { token: s.token(MOD) });
  await c.enter('one');
  await c.enter('two');
  equal((await rejects(c.enter('three'))).condition, 'resource-constraint', 'a third room of one session');
  counted(s, 'limit_rooms_per_session');
  await c.close();
});

crossing('what a room keeps has bounds: presence, subject, bans', {}, async (s) => {
  const a = await enter(s, 'keeps', MOD);
  const b = await enter(s, 'keeps', { id: 'b', name: 'B' });
  let mark = a.mark();
  a.send(`<presence xmlns='jabber:client' id='big' to='${a.room('keeps')}/${a.id}'><note>${'n'.repeat(100000)}</note></presence>`);
  const e = await a.waitFor((x) => x.local === 'presence' && x.attrs.type === 'error' && x.attrs.id === 'big', { since: mark, what: 'an error' });
  ok(e.get('error'), 'a presence too large is refused', e.raw.slice(0, 300));
  counted(s, 'limit_presence_bytes');
  mark = a.mark();
  a.send(`<message xmlns='jabber:client' type='groupchat' id='sub' to='${a.room('keeps')}'><subject>${'s'.repeat(50000)}</subject></message>`);
  await a.waitFor((x) => x.local === 'message' && x.attrs.type === 'error' && x.attrs.id === 'sub', { since: mark, what: 'an error' });
  counted(s, 'limit_subject_bytes');
  await settleAll(a, b);
  equal(b.presences({ id: a.id }).length, 1, 'what the other saw of it');
  const tooBig = await rejects(enter(s, 'keeps', { id: 'c' }, { extra: `<note>${'n'.repeat(100000)}</note>` }), 'a join too large');
  equal(tooBig.stage, 'join', 'stage');
  for (const c of [a, b]) await c.close();
});

crossing('one message for a thousand elements, one deep, one wide: each counted', {}, async (s) => {
  for (const [name, text] of [
    ['limit_stanza_depth', `<message xmlns='jabber:client' id='e'>${deep(100)}</message>`],
    ['limit_stanza_attributes', `<message xmlns='jabber:client' id='e' ${Array.from({ length: 100 }, (_, i) => `a${i}='x'`).join(' ')}/>`],
    ['limit_stanza_elements', `<message xmlns='jabber:client' id='e'>${'<a/>'.repeat(10000)}</message>`],
  ]) {
    const r = await loggedIn(s, { query: `?token=${s.token(MOD)}` });
    const n = r.texts.length;
    r.text(text);
    await r.wait(() => r.closeCode !== null || r.texts.slice(n).some((t) => /error/.test(t)), 'an error or a close');
    counted(s, name);
    r.destroy();
  }
  const big = await loggedIn(s, { query: `?token=${s.token(MOD)}` });
  big.text(`<message xmlns='jabber:client'><body>${'x'.repeat(300000)}</body></message>`);
  await big.waitEnd();
  counted(s, 'limit_ws_message_bytes');
  const head = await Raw.open(s);
  head.write(`GET / HTTP/1.1\r\nHost: x\r\nFoo: ${'x'.repeat(20000)}\r\n\r\n`);
  await head.waitEnd();
  counted(s, 'limit_http_head_bytes');
});

crossing('room_ready_timeout: a room that was only asked for goes', { room_ready_timeout: 1, allow_guests: true }, async (s) => {
  const c = await Client.connect(s, { token: s.token(MOD) });
  await c.conference('asked-for');
  await s.logged(/room="asked-for/);
  const mark = s.mark();
  await s.logged(/room="asked-for.*(room-end|end)/, { since: mark, timeout: 6000 });
  await c.enter('asked-for');
  await c.close();
});

crossing('idle_timeout: a connection that asks for nothing more is closed', { idle_timeout: 1 }, async (s) => {
  const r = await Raw.open(s);
  r.write('GET /about/health HTTP/1.1\r\nHost: x\r\n\r\n');
  await r.wait(() => /HTTP\/1\.1 200/.test(r.received.toString()), 'an answer');
  await r.waitEnd(5000);
});

test('log_lines_per_second: a flood of refusals does not flood the log, and what was left out is counted', () => withServer(
  { log_lines_per_second: 5 }, (s) => withBystanders(s, async () => {
    const mark = s.mark();
    for (let i = 0; i < 4; i += 1) await Promise.all(Array.from({ length: 50 }, () => rejects(Client.connect(s, { token: 'a.b.c' }))));
    await sleep(1500);
    await rejects(Client.connect(s, { token: 'a.b.c' }));
    await sleep(300);
    const lines = s.lines(mark).filter((l) => /E_TOKEN_FORMAT/.test(l));
    ok(lines.length >= 1 && lines.length < 60, 'lines for two hundred refusals', lines.length);
    counted(s, 'log_lines_suppressed');
  })), { timeout: 30000 });

test('shutdown_timeout: one who does not answer does not hold up the end', async () => {
  const s = new Server({ shutdown_timeout: 1 });
  await s.start();
  const r = await loggedIn(s, { query: `?token=${s.token(MOD)}` });
  r.socket.pause();
  const half = await Raw.open(s);
  half.write('GET / HTTP/1.1\r\n');
  const began = Date.now();
  process.kill(s.pid, 'SIGTERM');
  await s.stop();
  ok(Date.now() - began < 6000, `the end took ${Date.now() - began} ms`);
  r.destroy();
  half.destroy();
}, { timeout: 20000 });

test('limits per address hold for other machines, and loopback is exempt', async () => {
  const outside = Object.values(networkInterfaces()).flat().find((i) => i.family === 'IPv4' && !i.internal)?.address;
  ok(outside, 'this machine has an address that is not loopback', networkInterfaces());
  const far = (s, n) => Promise.allSettled(Array.from({ length: n }, () => Client.connect(s, { token: s.token(MOD), host: outside })));
  const good = (list) => list.filter((r) => r.status === 'fulfilled').map((r) => r.value);
  const open = { bind: ['0.0.0.0'], log_lines_per_second: 1000 };
  await withServer({ ...open, connections_per_address: 4 }, (s) => withBystanders(s, async () => {
    const near = await Promise.all(Array.from({ length: 10 }, () => Client.connect(s, { token: s.token(MOD) })));
    const mark = s.mark();
    const came = good(await far(s, 10));
    equal(came.length, 4, 'connections from one address');
    await logs(mark, s);
    counted(s, 'limit_connections_per_address');
    for (const c of [...near, ...came]) await c.close();
  }));
  await withServer({ ...open, connections_per_second: 5 }, (s) => withBystanders(s, async () => {
    const near = await Promise.all(Array.from({ length: 30 }, () => Client.connect(s, { token: s.token(MOD) })));
    const came = good(await far(s, 60));
    ok(came.length >= 5 && came.length < 40, 'new connections from one address', came.length);
    counted(s, 'limit_connections_per_second');
    for (const c of [...near, ...came]) await c.close();
  }));
  await withServer({ ...open, rooms_per_address: 2 }, (s) => withBystanders(s, async () => {
    const [c] = good(await far(s, 1));
    await c.enter('far-1');
    await c.enter('far-2');
    equal((await rejects(c.enter('far-3'))).condition, 'resource-constraint', 'a third room from one address');
    counted(s, 'limit_rooms_per_address');
    const near = await Client.connect(s, { token: s.token(MOD) });
    for (const n of ['near-1', 'near-2', 'near-3', 'far-1']) await near.enter(n);
    await c.leave('far-2');
    await c.enter('far-3');
    for (const x of [c, near]) await x.close();
  }));
}, { timeout: 40000 });

test('connections that come and go by the hundred leave nothing behind', () => withBystanders(server, async () => {
  for (let i = 0; i < 300; i += 1) {
    const r = await Raw.open(server);
    if (i % 3 === 0) r.write('GET /xmpp-websocket HTTP/1.1\r\n');
    if (i % 3 === 1) r.socket.resetAndDestroy();
    else r.destroy();
  }
  for (let i = 0; i < 40; i += 1) {
    const c = await Client.connect(server, { token: server.token(MOD) });
    c.send(c.joinText(`gone-${i % 5}`));
    c.drop();
  }
}), { timeout: 40000 });

await run();
