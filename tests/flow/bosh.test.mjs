// bosh.test.mjs - XMPP over BOSH: sessions, the window of numbers, lost answers, the end, hostile bodies.
import { equal, lacks, match, ok, rejects, run, sleep, test, until } from '../support/harness.mjs';
import { BareBosh, BoshClient, HTTPBIND, enterByBosh, post } from '../support/bosh.mjs';
import { enter } from '../support/client.mjs';
import { Raw } from '../support/hostile.mjs';
import { serverFor, withServer } from '../support/server.mjs';
import { NS, parse } from '../support/xml.mjs';

const server = await serverFor({ allow_guests: true, room_create: 'anyone', log_lines_per_second: 10000 });
const MOD = { id: 'm', name: 'Alice Example', moderator: true };
const ping = (id) => `<iq xmlns='jabber:client' type='get' id='${id}'><ping xmlns='${NS.ping}'/></iq>`;
const answerTo = (id) => new RegExp(`<iq xmlns='jabber:client' type='result' id='${id}'`);
const terminated = (r, condition, what) => {
  equal(r.status, 200, `${what}: status`);
  const body = parse(r.text);
  equal(body.attrs.type, 'terminate', `${what}: type`);
  equal(body.attrs.condition ?? null, condition, `${what}: condition`);
};

test('a session is opened, and its attributes are what clients expect', async () => {
  const b = new BareBosh(server);
  const r = await b.open({ attributes: "route='xmpp:elsewhere:5222' secure='true'" });
  equal(r.status, 200, 'status');
  equal(r.headers['content-type'], 'text/xml; charset=utf-8', 'type');
  equal(r.headers['access-control-allow-origin'], '*', 'other origins may read it');
  const a = b.opening.attrs;
  for (const [k, v] of Object.entries({
    xmlns: HTTPBIND, wait: '60', requests: '2', hold: '1', inactivity: '60', polling: '5', ver: '1.6', from: server.domain,
    'xmpp:version': '1.0', 'xmpp:restartlogic': 'true',
  })) equal(a[k], v, k);
  match(a.sid, /^[0-9a-f]{42}$/, 'the sid');
  match(r.text, /<mechanism>ANONYMOUS<\/mechanism>/, 'features');
  const other = new BareBosh(server);
  await other.open();
  ok(other.sid.slice(10) !== b.sid.slice(10), 'two sessions have two secrets');
  const auth = await b.post(`<auth xmlns='${NS.sasl}' mechanism='ANONYMOUS'/>`);
  equal(auth.text, `<body xmlns='${HTTPBIND}'><success xmlns='${NS.sasl}'/></body>`, 'the answer to <auth/>');
  match((await b.restart()).text, /<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>/, 'features after the restart');
});

test('wait, hold and ver are kept within bounds', async () => {
  const far = new BareBosh(server);
  await far.open({ wait: 9999, hold: 7 });
  equal(`${far.opening.attrs.wait} ${far.opening.attrs.hold}`, '60 1', 'too much');
  const poll = new BareBosh(server);
  await poll.login({ wait: 0, hold: 1 });
  equal(poll.opening.attrs.hold, '0', 'who does not wait is not held');
  equal((await poll.post(ping('x'))).status, 200, 'a poll');
  const at = Date.now();
  await poll.post();
  ok(Date.now() - at < 2000, 'an empty poll is answered at once');
});

test('a long poll is held, and answered when there is something to say', async () => {
  const b = await new BareBosh(server).login({ wait: 2 });
  const at = Date.now();
  const held = b.post();
  await sleep(100);
  const sent = b.post(`${ping('a')}${ping('b')}`);
  const first = await held;
  ok(Date.now() - at < 1500, 'answered at once');
  for (const id of ['a', 'b']) match(first.text, answerTo(id), `the answer to ${id}`);
  equal((await sent).text, `<body xmlns='${HTTPBIND}'/>`, 'the other one, when its time is over');
  ok(Date.now() - at > 1900, 'not before');
});

test('a meeting by BOSH and WebSocket: roles, names, chat, kick, the end', async () => {
  const m = await enterByBosh(server, 'mixed', { connect: { token: server.token(MOD) } });
  equal(`${m.self.affiliation}/${m.self.role}`, 'owner/moderator', 'the moderator sees herself');
  const w = await enter(server, 'mixed', { name: 'Walter' });
  equal((await w.presenceOf(m.id)).name, 'Alice Example', 'her name');
  equal((await m.presenceOf(w.id)).role, 'participant', 'the guest as she sees him');
  const g = await enterByBosh(server, 'mixed', { name: 'Gil' });
  equal((await rejects(g.kick('mixed', w.id), 'a kick by a guest')).condition, 'forbidden', 'condition');
  for (let i = 0; i < 20; i += 1) m.say('mixed', `line ${i}`);
  await g.heard('line 19');
  const heard = g.stanzas.filter((e) => e.local === 'message' && e.get('body')).map((e) => e.get('body').text);
  equal(heard.join(), Array.from({ length: 20 }, (_, i) => `line ${i}`).join(), 'every line, once, in order');
  await m.kick('mixed', g.id);
  const out = await g.presenceOf(g.id, { where: (p) => p.type === 'unavailable' });
  ok(out.codes.includes('307'), 'kicked', out);
  const since = w.mark();
  await m.close();
  await w.presenceOf(m.id, { since, where: (p) => p.type === 'unavailable' });
  await g.close();
  await w.close();
});

test('a refused login arrives as it does over WebSocket, and then the end', async () => {
  const text = `<failure xmlns='${NS.sasl}'><not-allowed/><text>Invalid token</text></failure>`;
  const b = new BareBosh(server, { query: 'token=no.such.token' });
  await b.open();
  equal((await b.post(`<auth xmlns='${NS.sasl}' mechanism='ANONYMOUS'/>`)).text, `<body xmlns='${HTTPBIND}'>${text}</body>`, 'the refusal');
  terminated(await b.post(), null, 'the poll that follows');
  const c = await BoshClient.open(server, { token: server.token({ id: 'x' }, { room: 'other' }), via: 'header' });
  await c.login();
  equal((await rejects(c.enter('demo'), 'a room of somebody else')).text, 'Room does not match the room from token', 'words');
  await c.close();
});

test('a number again: the same answer, once handled', async () => {
  const b = await new BareBosh(server).login();
  const rid = b.rid;
  const one = await b.post(ping('p1'));
  match(one.text, answerTo('p1'), 'the answer');
  for (let i = 0; i < 2; i += 1) equal((await b.post(ping('p1'), { rid })).text, one.text, 'again');
  equal((await b.post(ping('other'), { rid })).text, one.text, 'again, whatever it brings');
  const second = await b.post(ping('p2'));
  equal((await b.post(ping('p1'), { rid })).text, one.text, 'after another one');
  match(second.text, answerTo('p2'), 'the other one');
  await b.post(ping('p3'));
  await b.post(ping('p4'));
  terminated(await b.post(ping('p1'), { rid }), 'item-not-found', 'too old');
  terminated(await b.post(), 'item-not-found', 'the session is over');
});

test('numbers out of order are put in order; further ahead there is nothing', async () => {
  const b = await new BareBosh(server).login({ wait: 1 });
  const rid = b.rid;
  b.rid += 2;
  const late = b.post(ping('second'), { rid: rid + 1 });
  await sleep(100);
  const first = await b.post(ping('first'), { rid });
  match(first.text, /id='first'.*id='second'/, 'both, in order');
  equal((await late).text, `<body xmlns='${HTTPBIND}'/>`, 'the second, when its time is over');
  terminated(await b.post('', { rid: b.rid + 2 }), 'item-not-found', 'two ahead');
});

test('two requests that race, on connections of their own', async () => {
  const b = await new BareBosh(server).login();
  let text = '';
  for (let i = 0; i < 25; i += 1) {
    const two = [b.text(ping(`a${i}`)), b.text(ping(`b${i}`))];
    if (i % 2) two.reverse();
    for (const t of two) post(server, t).then((r) => { text += r.text; });
    for (const id of [`a${i}`, `b${i}`]) {
      await until(() => text.includes(`id='${id}'`), { what: `the answer to ${id}` });
      equal(text.match(new RegExp(`id='${id}'`, 'g')).length, 1, `answers to ${id}`);
    }
  }
  await b.post('', { attributes: "type='terminate'" });
});

test('an answer that is lost on its way is given again: nothing lost, nothing doubled', async () => {
  const w = await enter(server, 'lossy', { name: 'Walter' });
  const c = await enterByBosh(server, 'lossy', { name: 'Gil' });
  c.closed = { code: 0 }; // its own loop ends; from here on by hand
  await until(() => c.out === 0 || c.out === 1, { what: 'the loop to rest' });
  const b = new BareBosh(server, { rid: c.rid });
  b.sid = c.sid;
  let held = b.rid - 1; // the poll of the loop, whose connection goes now
  c.http.agent.destroy();
  let text = '';
  for (let i = 0; i < 15; i += 1) {
    const cut = new AbortController();
    const lost = post(server, b.text('', { rid: held }), { signal: cut.signal }).catch(() => null);
    if (i % 3 !== 1) await sleep(30);
    w.say('lossy', `line ${i}`);
    if (i % 3 === 0) await sleep(20);
    cut.abort();
    const first = await lost;
    const again = first ?? await post(server, b.text('', { rid: held }));
    text += again.text;
    held = b.rid;
    b.rid += 1;
  }
  w.say('lossy', 'the end');
  for (let i = 0; i < 20 && !/the end/.test(text); i += 1) {
    text += (await post(server, b.text('', { rid: held }))).text;
    held = b.rid;
    b.rid += 1;
  }
  equal([...text.matchAll(/<body>(line \d+)<\/body>/g)].map((m) => m[1]).join(),
    Array.from({ length: 15 }, (_, i) => `line ${i}`).join(), 'every line, once, in order');
  await w.close();
});

test('what brings several stanzas is one body; white space between them is nothing', async () => {
  const b = await new BareBosh(server).login();
  const r = await b.post(`\n ${ping('w1')}\n\t${ping('w2')} \n`);
  for (const id of ['w1', 'w2']) match(r.text, answerTo(id), id);
  const plain = await b.post("<iq type='get' id='w3'><ping xmlns='urn:xmpp:ping'/></iq>");
  match(plain.text, answerTo('w3'), 'a stanza without a namespace');
});

test('the client ends it, by beacon as well', async () => {
  const w = await enter(server, 'leaving', { name: 'Walter' });
  for (const type of ['text/xml; charset=utf-8', 'text/plain;charset=UTF-8']) {
    const c = await enterByBosh(server, 'leaving', { name: 'Gil' });
    const since = w.mark();
    await sleep(50); // its poll is held by now
    const b = new BareBosh(server, { rid: c.rid });
    b.sid = c.sid;
    const gone = `<presence xmlns='jabber:client' type='unavailable' to='${c.room('leaving')}/${c.id}'/>`;
    const cut = new AbortController();
    const end = post(server, b.text(gone, { attributes: "type='terminate'" }), { headers: { 'Content-Type': type }, signal: cut.signal });
    if (/plain/.test(type)) { // nobody awaits the answer of a beacon
      end.catch(() => {});
      await sleep(5);
      setTimeout(() => cut.abort(), 50);
    } else {
      terminated(await end, null, 'the answer');
    }
    await w.presenceOf(c.id, { since, where: (p) => p.type === 'unavailable' });
    await c.waitClosed();
    terminated(await b.post(), null, 'what comes behind');
    c.drop();
  }
  await w.close();
});

test('the server ends it: the poll that is held is told why', async () => {
  await withServer({ allow_guests: true, room_create: 'anyone' }, async (s) => {
    const b = await new BareBosh(s).login();
    const held = b.post();
    await sleep(100);
    s.child.kill('SIGTERM');
    const r = await held;
    terminated(r, 'system-shutdown', 'the poll');
    match(r.text, /<stream:error[^>]*><system-shutdown /, 'the stream error');
    await s.ended;
  });
});

test('other origins may post: OPTIONS is answered, GET is not', async () => {
  const o = await post(server, '', { method: 'OPTIONS', headers: { Origin: 'https://page.example', 'Access-Control-Request-Method': 'POST' } });
  equal(o.status, 200, 'status');
  match(o.headers['access-control-allow-methods'], /POST/, 'methods');
  match(o.headers['access-control-allow-headers'], /Content-Type/i, 'headers');
  equal((await server.get('/http-bind')).status, 405, 'GET');
});

test('who asks for nothing too often is closed', async () => {
  const b = await new BareBosh(server).login({ wait: 0 });
  let r;
  for (let i = 0; i < 30; i += 1) {
    r = await b.post();
    if (/terminate/.test(r.text)) break;
  }
  terminated(r, 'policy-violation', 'the last poll');
  const c = await new BareBosh(server).login();
  const text = [];
  for (let i = 0; i < 30; i += 1) text.push(c.post().then((x) => x.text));
  ok((await Promise.all(text)).some((t) => /policy-violation|item-not-found/.test(t)), 'thirty polls at once');
});

test('behind a held poll on one connection a request waits for it, and both are answered in order', async () => {
  const b = await new BareBosh(server).login({ wait: 2 });
  const r = await Raw.open(server);
  const began = Date.now();
  for (const text of [b.text(), b.text(ping('behind'))]) {
    r.write(`POST /http-bind HTTP/1.1\r\nHost: x\r\nContent-Type: text/xml\r\nContent-Length: ${text.length}\r\n\r\n${text}`);
  }
  await r.wait(() => /id='behind'/.test(r.received.toString()), 'both answers');
  const took = Date.now() - began;
  ok(took > 1500 && took < 4000, 'ms, of which the first waits two seconds', took);
  const bodies = r.received.toString().split('HTTP/1.1 200').slice(1);
  equal(bodies.length, 2, 'answers');
  lacks(bodies[0], /<iq/, 'the answer to the poll');
  match((await b.post(ping('after'))).text, answerTo('after'), 'and it goes on');
});

test('pause answers everything that is held', async () => {
  const b = await new BareBosh(server).login();
  const held = b.post();
  await sleep(50);
  const [one, two] = await Promise.all([held, b.post('', { attributes: "pause='30'" })]);
  for (const r of [one, two]) equal(parse(r.text).attrs.type ?? null, null, 'an empty body');
  match((await b.post(ping('after'))).text, answerTo('after'), 'and it goes on');
});

test('acknowledgements tell what has come', async () => {
  const b = await new BareBosh(server).login({ wait: 1, attributes: "ack='1'" });
  equal(b.opening.attrs.ack, String(b.rid - 4), 'of the first');
  const held = b.post();
  await sleep(50);
  const rest = await b.post(ping('a1'));
  equal(parse((await held).text).attrs.ack, String(b.rid - 1), 'of the poll');
  equal(parse(rest.text).attrs.ack ?? null, null, 'of the last itself');
});

test('keys, for those who have them', async () => {
  const { createHash } = await import('node:crypto');
  const sha1 = (t) => createHash('sha1').update(t).digest('hex');
  const keys = [sha1('seed')];
  while (keys.length < 6) keys.unshift(sha1(keys[0]));
  const b = new BareBosh(server);
  await b.open({ attributes: `newkey='${keys.shift()}'` });
  match((await b.post(`<auth xmlns='${NS.sasl}' mechanism='ANONYMOUS'/>`, { attributes: `key='${keys.shift()}'` })).text, /success/, 'the right key');
  terminated(await b.post('', { attributes: "key='0000000000000000000000000000000000000000'" }), 'item-not-found', 'a wrong one');
});

test('hostile bodies', async () => {
  const fresh = () => new BareBosh(server).login();
  const bad = async (body, condition, what) => terminated(await post(server, body), condition, what);
  await bad('', 'bad-request', 'nothing');
  await bad('hello', 'bad-request', 'no XML');
  await bad(`<body xmlns='${HTTPBIND}' to='${server.domain}'/>`, 'bad-request', 'no rid');
  await bad(`<body xmlns='${HTTPBIND}' rid='-5' to='${server.domain}'/>`, 'bad-request', 'a negative one');
  await bad(`<body xmlns='${HTTPBIND}' rid='9007199254740992' to='${server.domain}'/>`, 'bad-request', 'one too large');
  await bad(`<body xmlns='${HTTPBIND}' rid='99999999999999999999999999' to='${server.domain}'/>`, 'bad-request', 'one that overflows');
  await bad(`<body xmlns='elsewhere' rid='5' to='${server.domain}'/>`, 'bad-request', 'another namespace');
  await bad(`<body xmlns='${HTTPBIND}' rid='5' to='nowhere.example'/>`, 'host-unknown', 'another domain');
  await bad(`<body xmlns='${HTTPBIND}' rid='5' sid='${'0'.repeat(42)}'/>`, 'item-not-found', 'a sid of nobody');
  await bad(`<body xmlns='${HTTPBIND}' rid='5' sid='ff${'0'.repeat(40)}'/>`, 'item-not-found', 'a worker that is not there');
  await bad(`<!DOCTYPE x [<!ENTITY a "b">]><body xmlns='${HTTPBIND}' rid='5'/>`, 'bad-request', 'a DTD');
  const victim = await fresh();
  await bad(victim.text('', { sid: `${victim.sid.slice(0, -1)}${victim.sid.endsWith('0') ? '1' : '0'}`, rid: 5 }), 'item-not-found', 'a guess');
  await bad(`<body xmlns='${HTTPBIND}' rid='5' sid='&#x30;${victim.sid.slice(1)}'/>`, 'item-not-found', 'a sid in references');
  match((await victim.post(ping('alive'))).text, answerTo('alive'), 'the session that was guessed at');
  const deep = await fresh();
  terminated(await deep.post('<a>'.repeat(100) + '</a>'.repeat(100)), 'bad-request', 'deep');
  const text = await fresh();
  terminated(await text.post(`${ping('x')}words`), 'bad-request', 'text between stanzas');
  const none = await fresh();
  terminated(await none.post('', { rid: null }), 'bad-request', 'a session without rid');
  const broken = await fresh();
  const held = broken.post();
  await sleep(50);
  terminated(await post(server, `<body xmlns='${HTTPBIND}' rid='${broken.rid}' sid='${broken.sid}'><iq></body>`), 'bad-request', 'not well-formed');
  match((await held).text, /remote-stream-error.*not-well-formed/, 'and what was held');
  equal((await post(server, 'x'.repeat(400000)).catch(() => ({ status: 413 }))).status, 413, 'huge');
  const large = new BareBosh(server);
  await large.open();
  terminated(await large.post(`<auth xmlns='${NS.sasl}' mechanism='ANONYMOUS'>${'x'.repeat(60000)}</auth>`), 'bad-request', 'large before login');
  const end = new BareBosh(server, { rid: 2 ** 53 - 2 });
  await end.open();
  match((await end.post(`<auth xmlns='${NS.sasl}' mechanism='ANONYMOUS'/>`)).text, /success/, 'the last number there is');
  terminated(await post(server, `<body xmlns='${HTTPBIND}' rid='9007199254740992' sid='${end.sid}'/>`), 'bad-request', 'the one after it');
});

test('a session cannot be opened without room for it', async () => {
  await withServer({ allow_guests: true, room_create: 'anyone', sessions: 2 }, async (s) => {
    const all = [new BareBosh(s), new BareBosh(s), new BareBosh(s)];
    const answers = [];
    for (const b of all) answers.push(await b.open());
    terminated(answers[2], 'internal-server-error', 'the third');
    await all[0].post('', { attributes: "type='terminate'" });
    match((await new BareBosh(s).open()).text, /mechanism/, 'once one has left');
  });
});

test('sessions that have ended stay for their last words, and keep nobody out', async () => {
  await withServer({ allow_guests: true, sessions: 10 }, async (s) => {
    for (let i = 0; i < 60; i += 1) terminated(await new BareBosh(s).open({ to: 'nowhere.example' }), 'host-unknown', `session ${i}`);
    const b = new BareBosh(s);
    match((await b.open()).text, /mechanism/, 'somebody else');
    terminated(await b.post('', { attributes: "type='terminate'" }), null, 'the end');
    terminated(await b.post('', { rid: b.rid - 1 }), null, 'the last words again');
  });
});

test('a client that falls silent leaves, when it said how long it may', async () => {
  const w = await enter(server, 'silent', { name: 'Walter' });
  const c = await enterByBosh(server, 'silent', { name: 'Gil' });
  const since = w.mark();
  await sleep(50); // its poll is held
  const b = new BareBosh(server, { rid: c.rid });
  b.sid = c.sid;
  c.closed = { code: 0 };
  const at = Date.now();
  await b.post('', { attributes: "pause='2'" });
  c.drop();
  await w.presenceOf(c.id, { since, where: (p) => p.type === 'unavailable' });
  const took = Date.now() - at;
  ok(took > 1900 && took < 4000, 'inactivity in milliseconds', took);
  terminated(await b.post(), 'item-not-found', 'what comes later');
  await w.close();
});

test('the connection of a poll breaks: its time runs from then on', async () => {
  const w = await enter(server, 'broken', { name: 'Walter' });
  const c = await enterByBosh(server, 'broken', { name: 'Gil' });
  await sleep(50);
  const since = w.mark();
  c.drop(); // a poll is held for a minute
  await sleep(200);
  w.say('broken', 'while it is away');
  const b = new BareBosh(server, { rid: c.rid });
  b.sid = c.sid;
  match((await b.post('', { rid: c.rid - 1 })).text, /while it is away/, 'the poll again');
  equal(w.presences({ since, id: c.id }).length, 0, 'others saw nothing');
  await b.post('', { rid: c.rid, attributes: "type='terminate'" });
  await w.presenceOf(c.id, { since, where: (p) => p.type === 'unavailable' });
  await w.close();
});

test('without BOSH there is no such path, and config.js does not name it', async () => {
  match((await server.get('/config.js')).body, /config\.bosh = base \+ '\/http-bind'/, 'config.js');
  await withServer({ bosh: false }, async (s) => {
    lacks((await s.get('/config.js')).body, /http-bind/, 'config.js');
    ok((await post(s, 'x')).status >= 400, 'the path');
  });
});

await run();
