// intruder.test.mjs - somebody who is let in and wants more: another's role, name or picture, to be there unseen, or to
// have the server slow down, fall silent or throw the others out.
import { randomBytes } from 'node:crypto';
import { lstatSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { equal, lacks, ok, random, rejects, run, same, sleep, test, until } from '../support/harness.mjs';
import { Client, enter, presenceInfo, settleAll } from '../support/client.mjs';
import { Raw, withBystanders } from '../support/hostile.mjs';
import { GAVEL, Server, serverFor, withServer } from '../support/server.mjs';
import { NS, escape } from '../support/xml.mjs';

const server = await serverFor({ allow_guests: true, log_lines_per_second: 10000, stanzas_per_second: 2000 });
const MOD = { id: 'm', name: 'Alice Example', moderator: true, email: 'alice@example.org', avatar: 'https://example.org/a.png' };
const MEMBER = { id: 'b', name: 'Bob Example', moderator: false };
let serial = 0;
const fresh = () => `intruder-${serial += 1}`;
const iq = (c, type, to, child) => c.send(`<iq xmlns='jabber:client' type='${type}' id='t${serial += 1}' to='${escape(to)}'>${child}</iq>`);

// ---- who am I

test('nothing that a presence holds makes a role, a name, an identity or a second x', async () => {
  const node = fresh();
  const a = await enter(server, node, MOD);
  const b = await enter(server, node, MEMBER);
  const own = `${a.room(node)}/${b.id}`;
  const x = `<x xmlns='${NS.user}'><item affiliation='owner' role='moderator' jid='${a.jid}' nick='${a.id}'/><status code='110'/></x>`;
  const tricks = [
    x, `<u:x xmlns:u='${NS.user}'><u:item affiliation='owner' role='moderator'/></u:x>`, `<k><l>${x}</l></k>`,
    `<nick xmlns='${NS.nick}'>Alice Example</nick><nick xmlns='${NS.nick}'>Alice Example</nick>`,
    `<nick xmlns='${NS.nick}'><![CDATA[Alice Example]]></nick>`, '<nick>Alice Example</nick>',
    `<n:nick xmlns:n='${NS.nick}'>&#65;lice Example</n:nick>`, "<nick xmlns='urn:other'>Alice Example</nick>",
    `<identity><user><id>m</id><name>Alice Example</name></user></identity>`,
    `<i:identity xmlns:i='urn:i'><user><name>Alice Example</name></user></i:identity>`,
    '<email>alice@example.org</email>', '<avatar-url>https://example.org/a.png</avatar-url>',
    `<permissions xmlns='${NS.jitmeet}'><p name='recording' val='true'/></permissions>`,
    `<p:permissions xmlns:p='${NS.jitmeet}'/>`, `<conference-properties xmlns='${NS.focus}'/>`,
  ];
  for (const head of ['', ` from='${a.room(node)}/${a.id}'`, ` from='${a.room(node)}/focus' xmlns:q='urn:q' q:from='${a.jid}'`]) {
    for (const trick of [...tricks, tricks.join('')]) {
      const mark = a.mark();
      b.send(`<presence xmlns='jabber:client' to='${own}'${head}>${trick}<probe>${mark}</probe></presence>`);
      const p = await a.presenceOf(b.id, { since: mark, where: (i) => i.el.get('probe')?.text === String(mark) });
      const what = `${trick.slice(0, 80)}: ${p.el.raw}`;
      same([p.from, p.affiliation, p.role, p.jid, p.name], [own, 'member', 'participant', b.jid, 'Bob Example'], what);
      equal(p.el.raw.match(/<(\w+:)?x[ >]/g).length, 1, `x in ${what}`);
      equal((p.el.raw.match(/<(\w+:)?nick[ >]/g) ?? []).length, 1, `nick in ${what}`);
      equal((p.el.raw.match(/<(\w+:)?identity[ >]/g) ?? []).length, 1, `identity in ${what}`);
      lacks(p.el.raw, /Alice|alice|example\.org|permissions|conference-properties|code=/, what);
    }
  }
  same(a.presences({ id: a.id, since: a.mark() - 1 }).length, 0, 'presences of the one who was imitated');
  await Promise.all([a.close(), b.close()]);
});

test('nothing that a message holds speaks for somebody else, for the room or for another time', async () => {
  const node = fresh();
  const a = await enter(server, node, MOD);
  const g = await enter(server, node, null, { name: 'Gus' });
  const tricks = `<nick xmlns='${NS.nick}'>Alice Example</nick><display-name xmlns='http://jitsi.org/protocol/display-name' source='token'>Alice`
    + ` Example</display-name><delay xmlns='urn:xmpp:delay' stamp='2020-01-01T00:00:00Z' from='${a.room(node)}'/>`
    + "<y xmlns='jabber:x:delay' stamp='20200101T00:00:00'/><subject>Renamed</subject>"
    + `<addresses xmlns='http://jabber.org/protocol/address'><address type='ofrom' jid='${a.room(node)}/${a.id}'/></addresses>`
    + `<x xmlns='${NS.user}'><status code='104'/><invite to='${a.jid}'/></x><error type='cancel'/>`;
  for (const [to, type] of [[a.room(node), 'groupchat'], [`${a.room(node)}/${a.id}`, 'chat']]) {
    const mark = a.mark();
    g.send(`<message xmlns='jabber:client' to='${to}' type='${type}' from='${a.room(node)}/${a.id}'>${tricks}<body>hello</body></message>`);
    const m = await a.heard('hello', { since: mark });
    equal(m.attrs.from, `${a.room(node)}/${g.id}`, 'from');
    lacks(m.raw, /Alice|delay|Renamed|address|invite|code=|<error/, 'what arrives');
  }
  const late = await enter(server, node, MEMBER);
  const line = await late.heard('hello');
  equal(line.get('display-name')?.text, 'Gus', 'the name in the history');
  equal(line.all('delay').length, 1, 'delays in the history');
  const mark = a.mark();
  g.send(`<message xmlns='jabber:client' to='${a.room(node)}' type='groupchat'><subject>Mine</subject></message>`);
  await settleAll(a, g);
  ok(!a.stanzas.slice(mark).some((e) => e.local === 'message'), 'a guest sets no subject');
  await Promise.all([a.close(), g.close(), late.close()]);
});

test('no item, in whatever form, lets one who is no moderator change anything', async () => {
  const node = fresh();
  const a = await enter(server, node, MOD);
  const b = await enter(server, node, MEMBER);
  const g = await enter(server, node, null, { name: 'Gus' });
  const room = a.room(node);
  const bare = (c) => c.jid.split('/')[0];
  await settleAll(a, b, g);
  const mark = a.mark();
  for (const c of [b, g]) {
    for (const target of [c, a, b]) {
      for (const item of [`nick='${target.id}' affiliation='owner'`, `jid='${bare(target)}' affiliation='owner'`, `jid='${target.jid}' role='moderator'`,
        `nick='${target.id}' role='none'`, `nick='${target.id}' jid='${bare(c)}' affiliation='outcast'`, `jid='${room}/${target.id}' affiliation='none'`,
        `nick='${target.id}' affiliation='owner' role='none'`, `nick='${target.id}' affiliation='OWNER'`, `nick='${target.id}' affiliation='admin'`,
        `nick='focus' role='none'`, `nick='${target.id}' xmlns:q='urn:q' q:affiliation='owner' role='participant'`]) {
        iq(c, 'set', room, `<query xmlns='${NS.admin}'><item ${item}/></query>`);
        iq(c, 'set', `${room}/focus`, `<query xmlns='${NS.admin}'><item ${item}/></query>`);
        iq(c, 'set', server.muc, `<query xmlns='${NS.admin}'><item ${item}/></query>`);
        iq(c, 'get', room, `<query xmlns='${NS.admin}'><item ${item}/></query>`);
      }
    }
    for (const form of ['<destroy/>', `<x xmlns='jabber:x:data' type='submit'><field var='muc#roomconfig_roomsecret'><value>x</value></field></x>`,
      `<x xmlns='jabber:x:data' type='submit'><field var='muc#roomconfig_roomowners'><value>${bare(c)}</value></field></x>`]) {
      iq(c, 'set', room, `<query xmlns='${NS.owner}'>${form}</query>`);
    }
    for (const kind of ['audio', 'video', 'desktop']) {
      iq(c, 'set', `${room}/focus`, `<mute xmlns='http://jitsi.org/jitmeet/${kind}' jid='${room}/${a.id}'>true</mute>`);
    }
  }
  await settleAll(a, b, g);
  const changed = a.stanzas.slice(mark).filter((e) => e.local === 'presence' || e.local === 'message' || (e.local === 'iq' && e.attrs.type === 'set'));
  same(changed.map((e) => e.raw), [], 'what the moderator was told');
  for (const c of [b, g]) {
    const results = c.stanzas.filter((e) => e.local === 'iq' && /^t/.test(e.attrs.id) && e.attrs.type === 'result');
    same(results.map((e) => e.raw), [], 'requests that were granted');
  }
  await Promise.all([a.close(), b.close(), g.close()]);
});

test('no spelling of an address is another\'s place, the focus, or a second room beside the first', async () => {
  const node = fresh();
  const a = await enter(server, node, MOD);
  const b = await Client.connect(server, { token: server.token(MEMBER) });
  const refused = async (text) => {
    const mark = b.mark();
    b.send(text);
    await b.settle();
    const answers = b.stanzas.slice(mark).filter((e) => e.local !== 'iq');
    ok(answers.length > 0 && answers.every((e) => e.local === 'presence' && e.attrs.type === 'error'), `an error for ${text}`, answers.map((e) => e.raw));
  };
  const at = (room, nick) => `<presence xmlns='jabber:client' to='${escape(`${room}@${server.muc}/${nick}`)}'><x xmlns='${NS.muc}'/></presence>`;
  for (const nick of [a.id, 'focus', 'focus ', '\uff46ocus', 'focus\u200b', '', 'a/b', '../x', 'a b', 'я', 'x'.repeat(65)]) await refused(at(node, nick));
  const escaped = `%${node.charCodeAt(0).toString(16)}${node.slice(1)}`;
  for (const room of [escaped, `${node}%zz\u200b`, `[x${node}`, `[]${node}`, `[x]`, `${node}\u200b`, `${node}\u0301`, `${node}\\20`, `%2f..%2f${node}%`]) await refused(at(room, b.id));
  // these are the same room, by the rules of addresses
  for (const room of [node.toUpperCase(), node.replace('i', '\uff49')]) {
    const mark = b.mark();
    b.send(at(room, b.id));
    const p = await b.presenceOf(b.id, { since: mark, where: (i) => i.codes.includes('110') });
    equal(p.room, a.room(node), `the room of ${room}`);
    ok(b.presences({ since: mark }).some((i) => i.id === a.id), 'the moderator is there');
    await b.leave(node);
  }
  await Promise.all([a.close(), b.close()]);
});

test('a guest who looks like a token\'s name is marked, however it is written', async () => {
  const node = fresh();
  const a = await enter(server, node, MOD);
  const g = await enter(server, node, null, { name: 'Gus' });
  const forms = ['Alice Example', 'ALICE EXAMPLE', ' alice  example ', 'Al\u200bice Ex\u2060ample', '\u202eAlice Example\u202c', 'Аliсе Ехаmрlе',
    'A\u0301lice Example', '\u{1d400}lice Example', 'Al1ce Examp1e', 'A|ice Example', 'AliceExample', 'Alice_Example.', '★ Alice Example ★',
    'Alice\u00adExample', 'ᴀʟɪᴄᴇ ᴇxᴀᴍᴘʟᴇ', '\u{1f150}\u{1f15b}\u{1f158}\u{1f152}\u{1f154} Example', 'ꓮlice Example', 'Alice\u3164Example', 'Alice Example\u{e0041}',
    `Alice Example${' '.repeat(60)}`, 'Alice Exarnple'];
  const wrong = [];
  for (const name of forms) {
    const mark = a.mark();
    g.update(node, { name, extra: `<probe>${mark}</probe>` });
    const p = await a.presenceOf(g.id, { since: mark, where: (i) => i.el.get('probe')?.text === String(mark) });
    if (!/ \(guest\)$/.test(p.name ?? '')) wrong.push([name, p.name]);
    ok((p.name ?? '').length <= 50, 'the limit holds', p.name);
  }
  same(wrong, [], 'names that passed unmarked');
  // typed twice in one presence, or with the same name again after the mark
  g.update(node, { name: 'Alice Example' });
  g.update(node, { name: 'Alice Example' });
  await settleAll(a, g);
  equal(a.presences({ id: g.id }).at(-1).name, 'Alice Example (guest)', 'typed again');
  await Promise.all([a.close(), g.close()]);
});

test('a token user\'s e-mail address is not borrowed, however it is written', async () => {
  const node = fresh();
  const a = await enter(server, node, MOD);
  const g = await enter(server, node, null, { name: 'Gus' });
  for (const email of ['alice@example.org', 'ALICE@Example.ORG', ' alice@example.org\n', '\u00a0alice@example.org\ufeff']) {
    const mark = a.mark();
    g.update(node, { name: 'Gus', extra: `<email>${email}</email><probe>${mark}</probe>` });
    const p = await a.presenceOf(g.id, { since: mark, where: (i) => i.el.get('probe')?.text === String(mark) });
    equal(p.el.get('email'), null, `the address ${JSON.stringify(email)}`);
  }
  await Promise.all([a.close(), g.close()]);
});

// ---- unseen, unanswered

test('nobody sits in a room with a presence that browsers cannot read', async () => {
  const node = fresh();
  const a = await enter(server, node, MOD);
  for (const trick of ['<xml:foo/>', '<k><xml:x/></k>', '<parsererror/>', "<k><parsererror xmlns='http://www.w3.org/1999/xhtml'/></k>",
    '<!--x-->', '<?x y?>', '<k>&#0;</k>', '<k>\u0001</k>', '<k>&#xfffe;</k>', "<k xmlns:a='http://www.w3.org/2000/xmlns/'/>"]) {
    const g = await Client.connect(server);
    const mark = a.mark();
    g.send(g.joinText(node, { name: 'Ghost', extra: trick }));
    await g.waitClosed();
    ok(g.stanzas.some((e) => e.local === 'error' && e.ns === NS.streams), `a stream error for ${JSON.stringify(trick)}`, g.tail());
    await a.settle();
    same(a.presences({ since: mark }).map((p) => p.el.raw), [], 'what the moderator saw');
  }
  await a.close();
});

test('results, errors and presences that ask for nothing are answered with nothing', async () => {
  const node = fresh();
  const a = await enter(server, node, MOD);
  const s = await Client.connect(server); // in no room
  for (const c of [a, s]) {
    const mark = c.mark();
    for (const to of ['', server.domain, server.muc, server.focus, a.room(node), `${a.room(node)}/focus`, `${a.room(node)}/nobody`, 'example.com', `x@${server.domain}`, c.jid]) {
      const address = to && ` to='${to}'`;
      for (const type of ['result', 'error']) {
        c.send(`<iq xmlns='jabber:client' type='${type}' id='r${serial += 1}'${address}><ping xmlns='${NS.ping}'/></iq>`);
      }
      c.send(`<message xmlns='jabber:client' type='error'${address}><body>x</body></message>`);
      c.send(`<presence xmlns='jabber:client' type='error'${address}/>`);
      if (c === s || !to.startsWith(a.room(node))) c.send(`<presence xmlns='jabber:client' type='unavailable'${address}/>`);
    }
    await c.settle();
    same(c.stanzas.slice(mark).slice(0, -1).map((e) => e.raw), [], 'what came back');
  }
  ok(!a.closed && !s.closed, 'both are still connected');
  await Promise.all([a.close(), s.close()]);
});

// ---- many things at once

test('kicks, leaves, joins and the end of a room in one write leave nothing half done', async () => {
  for (const last of ['destroy', 'kick', 'leave', 'broken', 'cut']) {
    const node = fresh();
    const room = `${node}@${server.muc}`;
    const a = await enter(server, node, MOD);
    const b = await enter(server, node, MEMBER);
    const g = await enter(server, node, null, { name: 'Gus' });
    const q = (items) => `<iq xmlns='jabber:client' type='set' id='i${serial += 1}' to='${room}'><query xmlns='${NS.admin}'>${items}</query></iq>`;
    const endings = {
      destroy: `<iq xmlns='jabber:client' type='set' id='d' to='${room}'><query xmlns='${NS.owner}'><destroy/></query></iq>`,
      kick: q(`<item nick='${a.id}' role='none'/><item nick='${g.id}' role='none'/>`),
      leave: `<presence xmlns='jabber:client' to='${room}/${a.id}' type='unavailable'/>`,
      broken: '<broken',
    };
    for (const c of [a, b, g]) c.ws._socket.cork();
    a.send(q(`<item nick='${b.id}' affiliation='owner'/>`));
    a.send(q(`<item nick='${b.id}' role='none'/><item nick='${b.id}' affiliation='owner'/><item nick='${b.id}' role='none'/>`));
    b.send(`<presence xmlns='jabber:client' to='${room}/${b.id}' type='unavailable'/>`);
    b.send(b.joinText(node));
    g.send(`<message xmlns='jabber:client' to='${room}' type='groupchat'><body>still here</body></message>`);
    g.send(`<presence xmlns='jabber:client' to='${room}/${g.id}' type='unavailable'/>`);
    g.send(g.joinText(node, { name: 'Gus' }));
    if (last in endings) a.send(endings[last]);
    a.say(node, 'after the end');
    a.send(a.joinText(node));
    a.send(q(`<item nick='${a.id}' role='none'/>`));
    for (const c of [a, b, g]) c.ws._socket.uncork();
    if (last === 'cut') a.ws._socket.destroy();
    await settleAll(b, g);
    if (last !== 'broken' && last !== 'cut') await a.settle();
    for (const c of [a, b, g]) await c.close();
    await server.logged(new RegExp(`room="${node}" event=room-end|room="${node}" event=room-destroy`));
  }
});

const KINDS = { token: { role_mode: 'token' }, elect: { role_mode: 'first-user', on_last_moderator_left: 'elect' }, open: { auth: 'none' } };
for (const [kind, config] of Object.entries(KINDS)) {
  test(`a crowd that does everything at random sees one and the same room afterwards (${kind})`, () => withServer(
    { allow_guests: true, room_create: 'anyone', log_lines_per_second: 10000, stanzas_per_second: 10000, ...config },
    (s) => crowd(s, config.auth !== 'none', random(kind.length * 7919)),
  ), { timeout: 60000 });
}

async function crowd(s, tokens, rng) {
  const node = 'crowd';
  const room = `${node}@${s.muc}`;
  const users = [MOD, MEMBER, { id: 'c', name: 'Carl' }, MOD, null, null, { id: 'e', name: 'Eve', affiliation: 'owner' }];
  const login = async (user) => Object.assign(await Client.connect(s, { token: user && tokens ? s.token(user) : undefined }), { user });
  const clients = await Promise.all(users.map(login));
  const act = (c) => {
    const o = rng.pick(clients);
    const q = (items) => `<iq xmlns='jabber:client' type='set' id='i' to='${room}'><query xmlns='${NS.admin}'>${items}</query></iq>`;
    const nick = `<nick xmlns='${NS.nick}'>${rng.pick(['Alice Example', 'Al\u200bice Example', 'Zoe', '', 'x'.repeat(80)])}</nick>`;
    const presence = (more) => `<presence xmlns='jabber:client' to='${room}/${c.id}'${more}</presence>`;
    return rng.pick([
      () => presence(`><x xmlns='${NS.muc}'/>${nick}`), () => presence(`><x xmlns='${NS.muc}'/>${nick}`), () => presence(`><x xmlns='${NS.muc}'/>`),
      () => presence(`>${nick}`), () => presence(" type='unavailable'>"),
      () => q(`<item nick='${o.id}' role='none'/>`), () => q(`<item jid='${o.jid.split('/')[0]}' affiliation='owner'/>`),
      () => q(`<item nick='${o.id}' affiliation='none'/>`), () => q(`<item nick='${o.id}' role='moderator'/>`),
      () => q(`<item nick='${c.id}' role='none'/><item nick='${o.id}' affiliation='owner'/>`),
      () => `<message xmlns='jabber:client' to='${room}' type='groupchat'><body>hi</body></message>`,
      () => `<message xmlns='jabber:client' to='${room}/${o.id}' type='chat'><body>psst</body></message>`,
      () => `<iq xmlns='jabber:client' type='get' id='p' to='${room}/${o.id}'><ping xmlns='${NS.ping}'/></iq>`,
      () => (rng.chance(0.1) ? `<iq xmlns='jabber:client' type='set' id='d' to='${room}'><query xmlns='${NS.owner}'><destroy/></query></iq>` : presence('>')),
    ])();
  };
  for (let round = 0; round < 40; round += 1) {
    for (const c of clients) {
      c.ws._socket?.cork();
      for (let i = 1 + rng.int(5); i > 0; i -= 1) c.send(act(c));
      const end = rng.int(40);
      if (end === 0) c.send(rng.pick([`<close xmlns='${NS.framing}'/>`, '<broken']));
      c.ws._socket?.uncork();
      if (end === 1) c.ws._socket?.destroy();
    }
    await sleep(10);
    for (let i = 0; i < clients.length; i += 1) {
      if (clients[i].closed || clients[i].ws.readyState !== 1) { clients[i].drop(); clients[i] = await login(clients[i].user); }
    }
  }
  await sleep(100);
  await settleAll(clients);
  const views = clients.map((c) => viewOf(c, room)).filter(Boolean);
  for (const v of views) same(v.seen, views[0].seen, `what ${v.id} sees, beside what ${views[0].id} sees`);
  same(Object.keys(views[0]?.seen ?? {}).filter((id) => id !== 'focus').sort(), views.map((v) => v.id).sort(), 'who is inside');
  for (const c of clients) await c.close();
}

/** What a client knows of a room by its presences; null when it is not inside. */
function viewOf(c, room) {
  let seen = new Map();
  for (const e of c.stanzas) {
    if (e.local !== 'presence' || e.attrs.type === 'error') continue;
    const p = presenceInfo(e);
    if (p.room !== room) continue;
    if (p.type !== 'unavailable') seen.set(p.id, [p.affiliation, p.role, p.name, p.jid].join());
    else if (p.id === c.id) seen = new Map();
    else seen.delete(p.id);
  }
  return seen.has(c.id) ? { id: c.id, seen: Object.fromEntries(seen) } : null;
}

// ---- slower, silent, without the others

test('a name of thousands of marks costs the others nothing', () => withBystanders(server, async () => {
  const g = await enter(server, fresh(), { id: 'nameless' }, { name: 'Gus' });
  const began = Date.now();
  for (let i = 0; i < 10; i += 1) g.update(g.self.room.split('@')[0], { name: `${i}${'\u0301\u0316'.repeat(8000)}` });
  await g.settle();
  ok(Date.now() - began < 1500, `ten such names took ${Date.now() - began} ms`);
  await g.close();
}, { limit: 1000 }));

test('a long namespace behind many short prefixes is not written out to everybody', async () => {
  const node = fresh();
  const a = await enter(server, node, MOD);
  const g = await enter(server, node, null, { name: 'Gus' });
  const attributes = Array.from({ length: 30 }, (_, i) => ` a:x${i}=''`).join('');
  g.send(`<message xmlns='jabber:client' xmlns:a='urn:${'n'.repeat(240)}' to='${a.room(node)}' type='groupchat'>${`<z${attributes}/>`.repeat(25)}</message>`);
  await g.waitClosed();
  await a.settle();
  ok(!a.stanzas.some((e) => e.local === 'message' && e.get('z')), 'it is not relayed');
  await a.close();
});

test('what a client makes others receive stays within ten times of what it sent', async () => {
  const node = fresh();
  const a = await enter(server, node, MOD);
  const g = await enter(server, node, null, { name: 'Gus' });
  for (const inner of [`<z a="${"'".repeat(9000)}"/>`, `<z>${'>'.repeat(9000)}</z>`, "<z xmlns='u:a'/>".repeat(900), '<z/>'.repeat(900),
    `<z xmlns:a='urn:xmpp:jingle:apps:rtp:1'>${'<a:z/>'.repeat(100)}</z>`, `<z xml:lang='de'>${"<y xml:lang='en'/>".repeat(500)}</z>`]) {
    const text = `<message xmlns='jabber:client' to='${a.room(node)}' type='groupchat'>${inner}<end/></message>`;
    const mark = a.mark();
    g.send(text);
    const m = await a.waitFor((e) => e.local === 'message' && e.get('end'), { since: mark });
    ok(m.raw.length < 10 * text.length, `${text.length} bytes became ${m.raw.length}`, text.slice(0, 100));
  }
  await Promise.all([a.close(), g.close()]);
});

test('a log that nobody reads stops nobody', () => withServer({ allow_guests: true, log_lines_per_second: 100000, stanzas_per_second: 100000 }, async (s) => {
  const a = await enter(s, 'room', MOD);
  s.child.stderr.pause();
  for (let i = 0; i < 3000; i += 1) a.send(`<presence xmlns='jabber:client' to='x%zz@${s.muc}/a'><x xmlns='${NS.muc}'/></presence>`);
  await a.settle();
  const b = await enter(s, 'room', MEMBER);
  await b.settle();
  s.child.stderr.resume();
  await Promise.all([a.close(), b.close()]);
}));

test('with sixty-four descriptors it refuses, serves those inside, and recovers', async () => {
  const dir = new Server().folder;
  const bin = join(dir, 'few');
  writeFileSync(bin, `#!/bin/sh\nulimit -n 64\nexec ${GAVEL} "$@"\n`, { mode: 0o755 });
  await withServer({ allow_guests: true }, async (s) => {
    const a = await enter(s, 'room', MOD);
    const raws = await Promise.all(Array.from({ length: 150 }, () => Raw.open(s)));
    await s.logged(/refuse-connection because=(no-descriptors|sessions)/);
    a.say('room', 'hello?');
    await a.heard('hello?');
    for (const r of raws) r.destroy();
    await until(async () => (await s.get('/about/health').catch(() => null))?.status === 200, { what: 'a descriptor' });
    const b = await enter(s, 'room', MEMBER);
    await Promise.all([a.close(), b.close()]);
  }, { bin });
});

test('bytes behind a request that has a body are never a second request', async () => {
  const hidden = 'GET /about/health HTTP/1.1\r\nHost: x\r\n\r\n';
  for (const method of ['OPTIONS', 'POST', 'PUT', 'GET', 'HEAD', 'DELETE']) {
    for (const path of ['/xmpp-websocket', '/', '/config.js']) {
      for (const body of [`Content-Length: ${hidden.length}`, 'Transfer-Encoding: chunked', `Content-Length: 0\r\nTransfer-Encoding: chunked`, `Content-Length : 3`]) {
        const r = await Raw.open(server);
        r.write(`${method} ${path} HTTP/1.1\r\nHost: x\r\n${body}\r\n\r\n${hidden}`);
        await r.waitEnd();
        const answers = r.received.toString('latin1').match(/HTTP\/1\.1 \d\d\d/g);
        equal(answers?.length, 1, `answers to ${method} ${path} ${body}`);
        lacks(r.received.toString('latin1'), /"status"/, 'the hidden answer');
      }
    }
  }
});

test('the page\'s paths lead nowhere else', async () => {
  for (const path of ['/../../etc/passwd', '/..%2f..%2fetc/passwd', '/%2e%2e/%2e%2e/etc/passwd', '//etc/passwd', '/page.js/../../x', '/page.js%00.css',
    '/.env', '/.git/config', '/\\..\\..\\x.json', '/%c0%ae%c0%ae/x.txt', '/control.sock', '/gavel.yaml/', '/page.js/']) {
    const r = await Raw.open(server);
    r.write(`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
    await r.waitEnd();
    const text = r.received.toString('latin1');
    ok(/^HTTP\/1\.1 (404|400|200)/.test(text), path, text.slice(0, 100));
    if (text.includes(' 200 ')) ok(text.includes('<html'), `${path} is at most a room's page`, text.slice(0, 300));
    lacks(text, /root:|app_secret/, path);
  }
});

// ---- the control socket

test('the control socket is for its owner, replaces no file behind a link, and answers rubbish with an error', async () => {
  const s = new Server({ allow_guests: true });
  const treasure = join(s.folder, 'treasure');
  writeFileSync(treasure, 'gold');
  mkdirSync(join(s.folder, 'state'), { mode: 0o700 });
  symlinkSync(treasure, join(s.folder, 'state', 'control.sock'));
  await s.start();
  const path = join(s.state, 'control.sock');
  equal(readFileSync(treasure, 'utf8'), 'gold', 'the file that a link in its place pointed to');
  equal(lstatSync(path).mode & 0o777, 0o600, 'its mode');
  ok(lstatSync(path).isSocket(), 'a socket');
  const ask = (bytes) => new Promise((done) => {
    const c = connect(path);
    let text = '';
    c.on('data', (d) => { text += d; });
    c.on('error', () => done(text));
    c.on('close', () => done(text));
    c.write(bytes);
  });
  for (const bytes of ['\n', 'x\n', '{}\n', '[1]\n', `${'['.repeat(2000)}\n`, '{"ask":"record"}\n', '{"ask":"record","room":5}\n', '{"ask":"record","room":"\\u0000"}\n',
    '{"ask":"record","room":"%ff%00@@"}\n', '{"ask":"kick","room":"x"}\n', randomBytes(1000).toString('hex').concat('\n')]) {
    const answer = await ask(bytes);
    equal(JSON.parse(answer).ok, false, `the answer to ${bytes.slice(0, 40)}`);
  }
  equal(await ask('x'.repeat(100000)), '', 'a question without an end is dropped');
  const idle = Array.from({ length: 20 }, () => connect(path).on('error', () => {}));
  const c = await enter(s, 'room', MOD);
  await c.settle();
  for (const i of idle) i.destroy();
  await until(async () => JSON.parse((await ask('{"ask":"rooms"}\n')) || '{"ok":false}').ok, { what: 'an answer after the crowd has gone' });
  await c.close();
  await s.stop();
});

// ---- tokens against each other

test('a token for one room, a banned one and an expired one open nothing, in whatever order', async () => {
  const node = fresh();
  const a = await enter(server, node, MOD);
  const only = server.token({ id: 'o', name: 'Olga', moderator: true }, { room: 'elsewhere' });
  const o = await Client.connect(server, { token: only });
  await o.conference(node); // told that it is ready; refused at the door
  for (let i = 0; i < 3; i += 1) equal((await rejects(o.join(node), 'joining')).condition, 'not-allowed', 'the refusal');
  iq(o, 'set', a.room(node), `<query xmlns='${NS.admin}'><item nick='${o.id}' affiliation='owner'/></query>`);
  iq(o, 'set', `${a.room(node)}/${a.id}`, "<jingle xmlns='urn:xmpp:jingle:1' action='session-initiate' sid='s'/>");
  o.send(`<message xmlns='jabber:client' to='${a.room(node)}/${a.id}' type='chat'><body>psst</body></message>`);
  await settleAll(a, o);
  ok(!a.stanzas.some((e) => e.local === 'message' && e.get('body')) && !a.stanzas.some((e) => e.local === 'iq' && e.attrs.type === 'set'), 'nothing reaches those inside');
  const token = server.token({ id: 'ban', name: 'Ben' });
  const b = await Client.connect(server, { token });
  await b.enter(node);
  await a.ban(node, b.jid);
  for (const again of [b, await Client.connect(server, { token }), await Client.connect(server, { token: server.token({ id: 'ban', name: 'Other', moderator: true }) })]) {
    equal((await rejects(again.join(node), 'joining')).condition, 'forbidden', 'the ban holds for the identity');
    if (again !== b) await again.close();
  }
  await Promise.all([a.close(), b.close(), o.close()]);
});

await run();
