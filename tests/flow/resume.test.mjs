// resume.test.mjs - streams cut and resumed (XEP-0198): nothing lost, nothing doubled, and only by whom it belongs to.
import { equal, fail, lacks, match, ok, rejects, run, same, sleep, test, until } from '../support/harness.mjs';
import { Client, Refused, enter, presenceInfo } from '../support/client.mjs';
import { Resumer, SM, enterResumable } from '../support/resume.mjs';
import { gavel, serverFor, withServer } from '../support/server.mjs';
import { now } from '../support/token.mjs';
import { NS } from '../support/xml.mjs';

const BASE = { room_create: 'anyone', log_lines_per_second: 10000 };
const server = await serverFor({ ...BASE, resume_timeout: 60 });
const MOD = { id: 'm', name: 'Alice Example', moderator: true };
const USER = { id: 'u', name: 'Ben Okri' };

let rooms = 0;
const roomName = () => `resume${(rooms += 1)}`;
const gone = (watcher, id, since) => watcher.presences({ since, id }).filter((p) => p.type === 'unavailable');

/** The same client once more, as somebody who knows all that it knows. */
const twinOf = (c) => Object.assign(Object.create(Object.getPrototypeOf(c)), c, { stanzas: [], waiters: new Set(), frames: [], unacked: [...c.unacked] });

/** Cuts c and waits until its room knows. */
async function cutOff(s, c) {
  const mark = s.mark?.() ?? 0;
  c.cut();
  await until(() => new RegExp(`occupant=${c.id} session=\\S+ event=hibernate`).test(s.log.slice(mark)), { what: `${c.id} hibernates` });
}

async function failsToResume(s, c, options, condition = 'item-not-found') {
  const next = await c.reconnect(options);
  const answer = await c.resumeOver(next, options);
  equal(answer.local, 'failed', 'the answer to <resume/>');
  equal(answer.ns, SM, 'its namespace');
  ok(answer.get(condition, 'urn:ietf:params:xml:ns:xmpp-stanzas'), `<${condition}/>`, answer.raw);
  return c;
}

test('stream management is offered after login, and its bytes are those that clients need', async () => {
  const c = await Resumer.open(server, { token: server.token(USER) });
  await c.hello(server.domain);
  equal(c.features.all('sm').length, 0, 'sm before login');
  c.send(`<auth xmlns='${NS.sasl}' mechanism='ANONYMOUS'/>`);
  await c.waitFor((e) => e.local === 'success');
  await c.hello(server.domain);
  ok(c.features.get('sm', SM)?.get('optional'), 'sm is optional');
  await c.iq('set', null, `<bind xmlns='${NS.bind}'/>`);
  await c.enable();
  match(c.enabledText.raw, /^<enabled xmlns='urn:xmpp:sm:3' id='[A-Za-z0-9_-]{34,}' resume='true' max='60'\/>$/, '<enabled/>');
  const since = c.mark();
  c.ws.send(`<r xmlns='${SM}'/>`);
  const a = await c.waitFor((e) => e.ns === SM, { since });
  equal(a.raw, `<a xmlns='${SM}' h='0'/>`, 'nothing was sent since <enable/>');
  for (let i = 0; i < 3; i += 1) await c.iq('get', server.domain, `<ping xmlns='${NS.ping}'/>`);
  c.ws.send(`<r xmlns='${SM}'/>`);
  await c.waitFor((e) => e.raw === `<a xmlns='${SM}' h='3'/>`, { since });
  c.ws.send(`<enable xmlns='${SM}' resume='true'/>`);
  const again = await c.waitFor((e) => e.local === 'failed', { since });
  ok(again.get('unexpected-request'), 'twice is an error', again.raw);
  await c.close();
});

test('resume=1, as stanza writes it; without resume nothing is kept', async () => {
  const one = await Resumer.start(server, { token: server.token(USER), resume: '1' });
  ok(one.smId, 'an id');
  const none = await Resumer.start(server, { token: server.token(USER), resume: '0' });
  equal(none.enabledText.raw, `<enabled xmlns='${SM}'/>`, 'without resumption');
  ok(one.smId !== (await Resumer.start(server, { token: server.token(USER) })).smId, 'ids differ');
});

test('the server asks after five, and a wrong count ends the stream', async () => {
  const node = roomName();
  const mod = await enter(server, node, MOD);
  const c = await enterResumable(server, node, USER);
  c.answers = false;
  c.ack();
  const since = c.mark();
  for (let i = 0; i < 6; i += 1) mod.say(node, `line ${i}`);
  await c.waitFor((e) => e.raw === `<r xmlns='${SM}'/>`, { since, what: '<r/>' });
  await c.heard('line 5');
  c.ack();
  c.ws.send(`<a xmlns='${SM}' h='${c.handled + 1}'/>`);
  const error = await c.waitFor((e) => e.local === 'error' && e.ns === NS.streams, { since, what: 'a stream error' });
  ok(error.get('undefined-condition') && error.get('handled-count-too-high', SM), 'it says why', error.raw);
  await c.waitClosed();
  await mod.presenceOf(c.id, { where: (p) => p.type === 'unavailable' });
  await mod.close();
});

test('a lost connection: nobody sees a leave, what was said arrives in order, once', async () => {
  const node = roomName();
  const mod = await enter(server, node, MOD);
  const c = await enterResumable(server, node, { ...USER, moderator: true });
  const { jid, self } = c;
  await mod.presenceOf(c.id);
  const since = mod.mark();
  await cutOff(server, c);
  c.say(node, 'said while offline'); // stays with the client
  for (let i = 0; i < 12; i += 1) mod.say(node, `missed ${i}`);
  await mod.heard('missed 11', { since });
  const mark = c.mark();
  const answer = await c.resume();
  equal(answer.local, 'resumed', 'the answer');
  equal(answer.attrs.previd, c.smId, 'its previd');
  await c.heard('missed 11', { since: mark });
  const lines = c.stanzas.slice(mark).filter((e) => e.local === 'message' && e.get('body')).map((e) => e.get('body').text);
  same(lines.filter((l) => l.startsWith('missed')), Array.from({ length: 12 }, (_, i) => `missed ${i}`), 'what was missed');
  await mod.heard('said while offline', { since });
  c.say(node, 'back');
  const heard = await mod.heard('back', { since });
  equal(heard.attrs.from, `${c.room(node)}/${c.id}`, 'the same occupant');
  same(mod.presences({ since, id: c.id }), [], 'no presence at all of who was away');
  c.update(node, { extra: '<hand/>' });
  const p = await mod.presenceOf(c.id, { since });
  equal(`${p.role} ${p.affiliation} ${p.jid}`, `moderator owner ${jid}`, 'role and JID survive');
  equal(p.name, self.name, 'and the name');
  await c.close();
  await mod.presenceOf(c.id, { where: (x) => x.type === 'unavailable', since });
  await mod.close();
});

// Every cut of one conversation, after each stanza of either side, must look like the uncut one.
async function conversation(s, cutAt, direction) {
  const node = roomName();
  const mod = await enter(s, node, MOD);
  const token = s.token(USER);
  const c = await Resumer.start(s, { token, room: node });
  let due = cutAt === null ? Infinity : cutAt;
  let cutting = null;
  const cut = () => { due = Infinity; c.cut(); cutting = c.resume({ token, room: node }); };
  if (direction === 'in') c.onCounted = (n) => { if (n >= due) { cut(); } };
  // sent but on a dying socket: the server may or may not have read it
  else c.onSent = (n) => { if (n >= due) setImmediate(() => { if (due !== Infinity) cut(); }); };
  const wait = async (what) => { const r = await what; while (cutting) { const x = cutting; cutting = null; equal((await x).local, 'resumed', 'resumed'); } return r; };
  await wait(c.conference(node));
  await wait(c.join(node));
  c.say(node, 'one');
  await wait(c.heard('one'));
  mod.say(node, 'two');
  await wait(c.heard('two'));
  c.update(node, { extra: '<state>a</state>' });
  await wait(c.presenceOf(c.id, { where: (p) => p.el.get('state') }));
  await wait(c.iq('get', s.domain, `<ping xmlns='${NS.ping}'/>`));
  await mod.grant(node, c.jid);
  await wait(c.presenceOf(c.id, { where: (p) => p.role === 'moderator' }));
  mod.say(node, 'three');
  await wait(c.heard('three'));
  c.say(node, 'four');
  await wait(c.heard('four'));
  c.onCounted = c.onSent = undefined;
  await mod.heard('four');
  await wait(Promise.resolve());
  const total = { in: c.handled, out: c.sent };
  const short = (e) => `${e.local} ${e.attrs.type ?? ''} ${(e.attrs.from ?? '').replace(node, 'ROOM').replaceAll(c.id, 'ME').replaceAll(mod.id, 'MOD').replace(/^[0-9a-f-]{36}/, 'X')} ${e.get('body')?.text ?? ''} ${e.local === 'presence' ? presenceInfo(e).role : ''}`;
  const seen = { client: c.stanzas.filter((e) => /^(message|presence|iq)$/.test(e.local)).map(short), room: mod.stanzas.filter((e) => /^(message|presence)$/.test(e.local)).map(short) };
  await c.close();
  await mod.close();
  return { seen, total };
}

test('cut at every stanza boundary, in both directions: the same as uncut', async () => {
  const uncut = await conversation(server, null, 'in');
  ok(uncut.total.in >= 10 && uncut.total.out >= 6, 'a conversation', uncut.total);
  let cuts = 0;
  for (const direction of ['in', 'out']) {
    for (let at = 1; at < uncut.total[direction]; at += 1) {
      const { seen } = await conversation(server, at, direction).catch((e) => { e.message = `cut after ${at} ${direction}: ${e.message}`; throw e; });
      same(seen.client, uncut.seen.client, `what the client saw, cut after ${at} ${direction}`);
      same(seen.room, uncut.seen.room, `what the room saw, cut after ${at} ${direction}`);
      cuts += 1;
    }
  }
  console.log(`# ${cuts} cuts`);
}, { timeout: 180000 });

test('whose previd it is: other people\'s ids, garbage and half ids resume nothing', async () => {
  const node = roomName();
  const mod = await enter(server, node, MOD);
  const c = await enterResumable(server, node, USER);
  const thief = server.token({ id: 'thief', moderator: true });
  const since = mod.mark();
  const flip = (x) => x.slice(0, -1) + (x.at(-1) === '0' ? '1' : '0');
  await cutOff(server, c);
  for (const [what, options] of [
    ['another user', { token: thief }],
    ['the same user\'s id with another issuer\'s name', { token: server.token({ id: 'U', moderator: true }) }],
    ['another room\'s token', { token: server.token(USER, { room: 'elsewhere' }) }],
    ['an id that ends otherwise', { previd: flip(c.smId), id: flip(c.smId) }],
    ['garbage', { previd: '../../etc', id: '../../etc' }],
    ['half an id', { previd: c.smId.slice(0, 18), id: c.smId.slice(0, 18) }],
    ['only in <resume/>, by another user', { token: thief, previd: null }],
    ['nothing', { previd: null, id: '' }],
  ]) {
    const copy = twinOf(c);
    await failsToResume(server, copy, { token: c.options.token, ...options })
      .catch((e) => { e.message = `${what}: ${e.message}`; throw e; });
    copy.drop();
  }
  // no token: guests are not let in here, so the login itself is refused
  const refused = await rejects(c.reconnect({ token: '' }), 'a login without a token');
  ok(refused instanceof Refused && refused.stage === 'sasl', 'refused at login', refused.message);
  equal(gone(mod, c.id, since).length, 0, 'he is still there');
  equal((await c.resume()).local, 'resumed', 'and comes back');
  lacks(server.log, new RegExp(c.smId), 'the log');
  await c.close();
  await mod.close();
});

test('a live session is taken over too; two attempts at once: one has it in the end', async () => {
  const node = roomName();
  const mod = await enter(server, node, MOD);
  const c = await enterResumable(server, node, USER);
  const since = mod.mark();
  const old = c.ws;
  let ended = false;
  old.on('close', () => { ended = true; });
  equal((await c.resume()).local, 'resumed', 'resumed while alive');
  await until(() => ended, { what: 'the old socket is closed' });
  const [a, b] = await Promise.all([c.reconnect(), c.reconnect()]);
  const twin = twinOf(c);
  const answers = await Promise.all([c.resumeOver(a), twin.resumeOver(b)]);
  ok(answers.some((x) => x.local === 'resumed'), 'one is resumed');
  await until(() => (c.closed ? 1 : 0) + (twin.closed ? 1 : 0) === 1, { what: 'one of two is closed' });
  const winner = c.closed ? twin : c;
  winner.say(node, 'it is me');
  await mod.heard('it is me', { since });
  equal(gone(mod, c.id, since).length, 0, 'nobody left');
  winner.drop();
  await mod.close();
});

test('binding instead of resuming: the same user name, and one occupant less', async () => {
  const node = roomName();
  const mod = await enter(server, node, MOD);
  const c = await enterResumable(server, node, USER);
  await cutOff(server, c);
  const next = await c.reconnect();
  const bound = await next.iq('set', null, `<bind xmlns='${NS.bind}'/>`);
  const jid = bound.path('bind', 'jid').text;
  equal(jid.split('@')[0], c.node, 'the node');
  ok(jid !== c.jid, 'another resource');
  await mod.presenceOf(c.id, { where: (p) => p.type === 'unavailable' });
  next.id = c.id;
  const self = await next.join(node);
  equal(self.role, 'participant', 'joins anew');
  await next.close();
  const stranger = await c.reconnect({ token: server.token({ id: 'other' }) });
  const fresh = await stranger.iq('set', null, `<bind xmlns='${NS.bind}'/>`);
  ok(fresh.path('bind', 'jid').text.split('@')[0] !== c.node, 'a stranger has a name of his own');
  await stranger.close();
  await mod.close();
});

test('kicked, promoted and renamed while away: it is all told on the return', async () => {
  const node = roomName();
  const mod = await enter(server, node, MOD);
  const up = await enterResumable(server, node, { id: 'up' });
  const out = await enterResumable(server, node, { id: 'out' });
  await cutOff(server, up);
  await cutOff(server, out);
  await mod.grant(node, up.jid);
  const seen = await mod.presenceOf(up.id, { where: (p) => p.role === 'moderator' });
  equal(seen.affiliation, 'owner', 'promoted while away');
  await mod.kick(node, out.id);
  await mod.presenceOf(out.id, { where: (p) => p.type === 'unavailable' && p.codes.includes('307') });
  const mark = up.mark();
  equal((await up.resume()).local, 'resumed', 'the promoted one');
  await up.presenceOf(up.id, { since: mark, where: (p) => p.role === 'moderator' && p.codes.includes('110') });
  const mark2 = out.mark();
  equal((await out.resume()).local, 'resumed', 'the kicked one has a stream');
  await out.presenceOf(out.id, { since: mark2, where: (p) => p.type === 'unavailable' && p.codes.includes('307') });
  const again = await out.join(node);
  equal(again.role, 'participant', 'and may join anew');
  for (const c of [up, out, mod]) await c.close();
});

test('a new token: a guest logs in, a refreshed token demotes and promotes, a grant survives', async () => {
  await withServer({ ...BASE, allow_guests: true }, async (s) => {
    const node = roomName();
    const mod = await enter(s, node, MOD);
    const guest = await enterResumable(s, node, null, { name: 'Somebody' });
    equal(guest.self.affiliation, 'none', 'a guest');
    await cutOff(s, guest);
    const since = mod.mark();
    const token = s.token({ id: 'g', name: 'Grace Known', moderator: true });
    equal((await guest.resume({ token })).local, 'resumed', 'the guest who logged in');
    const p = await mod.presenceOf(guest.id, { since });
    equal(`${p.affiliation} ${p.role} ${p.name} ${p.type}`, 'owner moderator Grace Known available', 'as the others see him');
    equal(mod.presences({ since, id: guest.id }).length, 1, 'one presence');
    await until(() => new RegExp(`occupant=${guest.id} .*event=resume because=R_TOKEN_GRANT`).test(s.log), { what: 'the log says why' });
    // another person's token is not a refreshed one any more
    guest.cut();
    await failsToResume(s, guest, { token: s.token({ id: 'other', moderator: true }) });
    const next = s.token({ id: 'g', name: 'Grace Known', moderator: false });
    guest.cut();
    const mark = mod.mark();
    equal((await guest.resume({ token: next })).local, 'resumed', 'with a token that says no');
    const down = await mod.presenceOf(guest.id, { since: mark });
    equal(`${down.affiliation} ${down.role}`, 'member participant', 'demoted');

    const user = await enterResumable(s, node, { id: 'granted' });
    await mod.grant(node, user.jid);
    await user.presenceOf(user.id, { where: (x) => x.role === 'moderator' });
    await cutOff(s, user);
    const m2 = mod.mark();
    equal((await user.resume({ token: s.token({ id: 'granted', name: 'New Name' }) })).local, 'resumed', 'refreshed');
    const kept = await mod.presenceOf(user.id, { since: m2 });
    equal(`${kept.affiliation} ${kept.role} ${kept.name}`, 'owner moderator New Name', 'the grant survives');
    for (const c of [guest, user, mod]) await c.close();
  });
});

test('an expired token: kept, refused, demoted as on_expiry says', async () => {
  for (const [on_expiry, expected] of [['keep', 'owner/moderator'], ['demote', 'member/participant'], ['disconnect', null]]) {
    await withServer({ ...BASE, on_expiry, leeway: 0 }, async (s) => {
      const node = roomName();
      const mod = await enter(s, node, MOD);
      const c = await enterResumable(s, node, { id: 'x', moderator: true }, { claims: { exp: now() + 3 } });
      await cutOff(s, c);
      await sleep(3500);
      if (on_expiry === 'demote') await mod.presenceOf(c.id, { where: (p) => p.role === 'participant' });
      if (expected === null) {
        const e = await rejects(c.resume(), 'a login with the expired token');
        ok(e instanceof Refused && e.stage === 'sasl' && e.condition === 'not-allowed', 'refused at login', e.message);
      } else {
        equal((await c.resume()).local, 'resumed', `${on_expiry}: with the same token`);
        c.update(node, { extra: '<x1/>' });
        const p = await mod.presenceOf(c.id, { where: (x) => x.el.get('x1') });
        equal(`${p.affiliation}/${p.role}`, expected, on_expiry);
        // an expired token that is not the session's own is nothing
        c.cut();
        await rejects(c.reconnect({ token: s.token({ id: 'x', moderator: true }, { exp: now() - 60 }) }), 'another expired token');
      }
      c.drop();
      await mod.close();
    });
  }
}, { timeout: 60000 });

test('the window ends: he leaves as lost, and the id with him', async () => {
  await withServer({ ...BASE, resume_timeout: 2, role_mode: 'first-user', on_last_moderator_left: 'elect' }, async (s) => {
    const node = roomName();
    const first = await enterResumable(s, node, { id: 'a' });
    const second = await enter(s, node, { id: 'b' });
    equal(`${first.self.role} ${second.self.role}`, 'moderator participant', 'roles');
    const since = second.mark();
    await cutOff(s, first);
    const shown = JSON.parse(gavel(['explain', '--live', node, '--state', s.state ?? s.config.state_directory, '--json']).out || '{}');
    if (shown.records) equal(shown.records.find((r) => r.occupant === first.id)?.now?.state, 'hibernating', 'explain --live');
    await sleep(700);
    equal(second.presences({ since }).length, 0, 'nothing happens before');
    const left = await second.presenceOf(first.id, { since, where: (p) => p.type === 'unavailable', timeout: 5000 });
    same(left.codes, [], 'a plain leave');
    await second.presenceOf(second.id, { since, where: (p) => p.role === 'moderator' });
    await failsToResume(s, first, {});
    await second.close();
  });
});

test('orderly ends hibernate nobody: <close/>, a page that goes away, a stream error', async () => {
  const node = roomName();
  const mod = await enter(server, node, MOD);
  for (const [what, end] of [
    ['<close/>', (c) => c.ws.send(`<close xmlns='${NS.framing}'/>`)],
    ['1001', (c) => c.ws.close(1001)],
    ['a stream error', (c) => c.ws.send('<a><b></a>')],
  ]) {
    const c = await enterResumable(server, node, { id: `orderly ${what}` });
    const since = mod.mark();
    end(c);
    await mod.presenceOf(c.id, { since, where: (p) => p.type === 'unavailable', timeout: 3000 }).catch((e) => fail(`${what}: ${e.message}`));
    await c.waitClosed();
    await failsToResume(server, c, {});
    c.drop();
  }
  const c = await enterResumable(server, node, { id: 'closed without a word' });
  const since = mod.mark();
  c.ws.close();
  await until(() => new RegExp(`occupant=${c.id} .*event=hibernate`).test(server.log), { what: 'a closed socket may come back' });
  equal(gone(mod, c.id, since).length, 0, 'still there');
  equal((await c.resume()).local, 'resumed', 'and back');
  await c.close();
  await mod.close();
});

test('on the domain of guests', async () => {
  await withServer({ ...BASE, allow_guests: true, guest_domain: 'guest.meet.jitsi' }, async (s) => {
    const to = 'guest.meet.jitsi';
    const node = roomName();
    const mod = await enter(s, node, MOD);
    const c = await enterResumable(s, node, null, { connect: { to }, name: 'Somebody' });
    match(c.jid, /@guest\.meet\.jitsi\//, 'its address');
    const since = mod.mark();
    await cutOff(s, c);
    mod.say(node, 'meanwhile');
    await mod.heard('meanwhile', { since });
    const mark = c.mark();
    equal((await c.resume({ to })).local, 'resumed', 'a guest resumes');
    await c.heard('meanwhile', { since: mark });
    c.say(node, 'here I am');
    const heard = await mod.heard('here I am', { since });
    equal(heard.attrs.from, `${c.room(node)}/${c.id}`, 'the same occupant');
    await cutOff(s, c);
    // who logs in moves to the domain of those who have logged in, and stays who he was
    const token = s.token({ id: 'g', name: 'Grace Known' });
    equal((await c.resume({ token, to: s.domain })).local, 'resumed', 'he logs in');
    const p = await mod.presenceOf(c.id, { since, where: (x) => x.name === 'Grace Known' });
    equal(`${p.affiliation} ${p.name} ${p.type}`, 'member Grace Known available', 'as the others see him');
    equal(p.jid, c.jid, 'at the address that he had');
    equal(gone(mod, c.id, since).length, 0, 'nobody left');
    await c.close();
    await mod.close();
  });
});

test('what is forgotten cannot be resumed; what was acknowledged can', async () => {
  await withServer({ ...BASE, resume_queue: 10 }, async (s) => {
    const node = roomName();
    const mod = await enter(s, node, MOD);
    const c = await enterResumable(s, node, USER);
    await cutOff(s, c);
    for (let i = 0; i < 9; i += 1) mod.say(node, `kept ${i}`);
    await mod.heard('kept 8');
    const mark = c.mark();
    equal((await c.resume()).local, 'resumed', 'nine of ten');
    await c.heard('kept 8', { since: mark });
    await cutOff(s, c);
    const since = mod.mark();
    for (let i = 0; i < 12; i += 1) mod.say(node, `lost ${i}`);
    await mod.presenceOf(c.id, { since, where: (p) => p.type === 'unavailable' });
    await failsToResume(s, c, {});
    await mod.close();
  });
});

await run();
