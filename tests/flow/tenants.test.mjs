// tenants.test.mjs - /tenant/room: rooms of a tenant's own, by one address outwards, and never mixed with others.
import { equal, lacks, match, ok, rejects, run, same, test, until } from '../support/harness.mjs';
import { Client, enter, settleAll } from '../support/client.mjs';
import { gavel, serverFor, withServer } from '../support/server.mjs';
import { NS } from '../support/xml.mjs';

const server = await serverFor({ allow_guests: true, domain_verification: true, http_conference_request: true, log_lines_per_second: 10000 });
const MOD = { id: 'm', name: 'Mia Moderator', moderator: true };
const join = (tenant, node, user, sub = tenant ?? server.domain) => enter(server, node, user,
  { claims: { sub }, connect: { tenant, room: node } });

test('two rooms of one name, and one of nobody\'s, never meet', async () => {
  const people = [];
  for (const tenant of ['acme', 'globex', undefined]) {
    people.push([tenant, await join(tenant, 'standup', { ...MOD, id: `m-${tenant}` }), await join(tenant, 'standup', { id: `b-${tenant}`, name: `Ben ${tenant}` })]);
  }
  for (const [tenant, a, b] of people) a.say('standup', `for ${tenant}`);
  await settleAll(people.flatMap(([, a, b]) => [a, b]));
  for (const [tenant, a, b] of people) {
    const bodies = b.stanzas.filter((e) => e.local === 'message' && e.get('body')).map((e) => e.get('body').text);
    same(bodies, [`for ${tenant}`]);
    for (const c of [a, b]) {
      const seen = new Set(c.presences({ node: 'standup' }).map((p) => p.id).filter((id) => id !== 'focus'));
      same([...seen].sort(), [a.id, b.id].sort(), 'who is here');
      const rooms = new Set(c.stanzas.map((e) => e.attrs.from ?? '').filter((f) => f.includes('standup@')).map((f) => f.split('/')[0]));
      same([...rooms], [`standup@${tenant ? `muc.${tenant}.${server.domain}` : server.muc}`]);
      ok(!c.frames.some((f) => !f.out && f.text.includes('[')), 'no inward form anywhere');
    }
  }
  for (const [, a, b] of people) { await a.close(); await b.close(); }
});

test('a tenant is written as the client writes it: small, with _ for a dot', async () => {
  const a = await join('Big.Corp', 'plan', MOD, 'big.corp');
  match(a.self?.from ?? a.room('plan'), /@muc\.big_corp\./);
  const b = await join('big_corp', 'plan', { id: 'b', name: 'Ben' }, 'Big_Corp');
  ok(b.presences({ node: 'plan' }).some((p) => p.id === a.id), 'the same room');
  await a.close();
  await b.close();
});

test('[tenant]room is the same room', async () => {
  const a = await join('acme', 'inward', MOD);
  const c = await Client.connect(server, { token: server.token({ id: 'c', name: 'Cleo' }, { sub: 'acme' }) });
  c.send(`<presence xmlns='jabber:client' to='[acme]inward@${server.muc}/${c.id}'><x xmlns='${NS.muc}'/></presence>`);
  const self = await c.waitFor((e) => e.local === 'presence' && e.attrs.from?.endsWith(`/${c.id}`), { what: 'its own presence' });
  equal(self.attrs.from, `inward@muc.acme.${server.domain}/${c.id}`);
  await settleAll(a, c);
  ok(a.presences({ node: 'inward' }).some((p) => p.id === c.id), 'seen by the other');
  await a.close();
  await c.close();
});

test('the focus answers with the outward address, whichever was asked for', async () => {
  const c = await Client.connect(server, { tenant: 'acme', token: server.token(MOD, { sub: 'acme' }) });
  for (const asked of [`asked@muc.acme.${server.domain}`, `[acme]asked@${server.muc}`]) {
    const r = await c.iq('set', server.focus, `<conference xmlns='${NS.focus}' room='${asked}' machine-uid='aa'/>`);
    equal(r.get('conference').attrs.room, `asked@muc.acme.${server.domain}`);
    equal(r.get('conference').attrs.ready, 'true');
  }
  await c.close();
});

test('asked for by HTTP, by either name and through the tenant\'s path: the room that is joined by XMPP', async () => {
  const ask = async (room, { path = '/acme', user = MOD, sub = 'acme' } = {}) => {
    const token = user && server.token(user, { sub });
    const r = await fetch(`http://127.0.0.1:${server.port}${path}/conference-request/v1?room=posted`, { method: 'POST',
      headers: { 'content-type': 'application/json', ...(token ? { authorization: `Bearer ${token}` } : {}) },
      body: JSON.stringify({ room, machineUid: 'u', properties: {} }) });
    return [r.status, (await r.json()).ready ?? null];
  };
  const [outward, inward] = [`posted@muc.acme.${server.domain}`, `[acme]posted@${server.muc}`];
  same(await ask(outward, { user: null }), [403, null], 'a guest before the host');
  for (const room of [outward, inward]) for (const path of ['/acme', '']) same(await ask(room, { path }), [200, true], `${room} by "${path}"`);
  const a = await join('acme', 'posted', MOD);
  same(await ask(inward, { user: null }), [200, true], 'a guest behind him');
  // the room of that name that is nobody's, and another tenant's, are as closed as before
  same(await ask(`posted@${server.muc}`, { user: null }), [403, null], 'nobody\'s');
  same(await ask(`[globex]posted@${server.muc}`, { user: null, path: '/acme' }), [403, null], 'whatever the path says');
  equal((await ask(`posted@muc.a.b.${server.domain}`))[0], 400, 'no tenant\'s name');
  same(await ask(outward, { sub: 'globex' }), [200, true], 'another tenant\'s token: the join says no');
  await rejects(join('acme', 'posted', MOD, 'globex'), 'that join');
  await a.close();
});

test('a moderator promotes, mutes and removes there as anywhere', async () => {
  const a = await join('acme', 'rights', MOD);
  const b = await join('acme', 'rights', { id: 'b', name: 'Ben' });
  await a.grant('rights', b.jid);
  await until(() => a.presences({ id: b.id, node: 'rights' }).at(-1)?.role === 'moderator', { what: 'the promotion' });
  const since = b.mark();
  await a.iq('set', `${a.room('rights')}/focus`, `<mute xmlns='http://jitsi.org/jitmeet/audio' jid='${a.room('rights')}/${b.id}'>true</mute>`);
  const order = await b.waitFor((e) => e.local === 'iq' && e.get('mute'), { since, what: 'the order to mute' });
  equal(order.attrs.from, `${a.room('rights')}/focus`);
  equal(order.get('mute').attrs.actor, `${a.room('rights')}/${a.id}`);
  await a.close();
  await b.close();
});

test('sub is the tenant\'s: another one does not get in, and the log says where', async () => {
  const mark = server.mark();
  const e = await rejects(join('acme', 'closed', MOD, 'globex'), 'a token of another tenant');
  equal(e.condition, 'not-allowed');
  const line = await until(() => server.lines(mark).find((l) => /E_TENANT_MISMATCH/.test(l)), { what: 'a line in the log' });
  match(line, /room="\[acme\]closed"/);
  await rejects(join('acme', 'closed', MOD, server.domain), 'a token of no tenant');
  await rejects(join(undefined, 'closed', MOD, 'acme'), 'a tenant\'s token elsewhere');
});

test('without domain verification it is let in, and opens nothing', async () => {
  await withServer({ allow_guests: true, log_lines_per_second: 10000 }, async (s) => {
    const c = await enter(s, 'other', MOD, { claims: { sub: 'globex' }, connect: { tenant: 'acme' } });
    equal(c.presences({ id: c.id, node: 'other' }).at(-1).role, 'moderator');
    const r = gavel(['explain', '--live', '[acme]other', '--config', s.file, '--state', s.state, '--json']);
    match(r.out, /W_TENANT_UNCHECKED/);
    await c.close();
  });
});

test('explain --live finds a tenant\'s room, by either name', async () => {
  const a = await join('acme', 'shown', MOD);
  for (const name of ['[acme]shown', '[Acme]Shown', `shown@muc.acme.${server.domain}`]) {
    const r = gavel(['explain', '--live', name, '--state', server.state, '--json']);
    equal(r.code, 0, r.out + r.err);
    equal(JSON.parse(r.out).result.room, `shown@muc.acme.${server.domain}`);
  }
  equal(gavel(['explain', '--live', 'shown', '--state', server.state]).code, 1);
  await a.close();
});

test('with tenants: false there are none', async () => {
  await withServer({ allow_guests: true, tenants: false }, async (s) => {
    const c = await Client.connect(s, {});
    c.send(`<presence xmlns='jabber:client' to='demo@muc.acme.${s.domain}/${c.id}' id='p1'><x xmlns='${NS.muc}'/></presence>`);
    const r = await rejects(c.iq('get', `demo@muc.acme.${s.domain}`, `<query xmlns='${NS.info}'/>`), 'a room of a tenant');
    equal(r.condition, 'service-unavailable');
    await c.close();
  });
});

test('what is no tenant\'s name is none', async () => {
  const c = await Client.connect(server, { token: server.token(MOD, { sub: '*' }) });
  for (const domain of [`muc.a.b.${server.domain}`, `muc..${server.domain}`, `muc.${server.domain}.${server.domain}`, `xmuc.acme.${server.domain}`, `muc.acme.x${server.domain}`]) {
    const r = await c.iq('get', `demo@${domain}`, `<query xmlns='${NS.info}'/>`).then(() => null, (e) => e.condition);
    ok(/service-unavailable|remote-server-not-found|jid-malformed/.test(r), `${domain}: ${r}`);
  }
  const since = c.mark();
  c.send(`<presence xmlns='jabber:client' to='[a]demo@muc.acme.${server.domain}/${c.id}' id='p2'><x xmlns='${NS.muc}'/></presence>`);
  const refused = await c.waitFor((e) => e.local === 'presence' && e.attrs.type === 'error', { since, what: 'a refusal' });
  ok(refused, 'brackets in a tenant\'s own domain are a name that no room has');
  lacks(refused.raw, /\[\[/);
  await c.close();
});

await run();
