// region.test.mjs - x-proxy-region: where a trusted proxy says a client is stands in his presence.
import { equal, run, test } from '../support/harness.mjs';
import { enter, settleAll } from '../support/client.mjs';
import { serverFor, withServer } from '../support/server.mjs';

const server = await serverFor({ allow_guests: true });
const REGION = 'jitsi_participant_region';
const user = (id) => ({ id, name: `User ${id}`, moderator: true });
const come = (s, node, id, headers = {}, more = {}) => enter(s, node, user(id), { connect: { headers, room: node }, ...more });

/** What `c` was told last about the region of `of`. */
async function seen(c, of, node) {
  await settleAll(c, of);
  return c.presences({ id: of.id, node }).at(-1).el.all(REGION).map((e) => e.text).join('|') || null;
}

test('others and he himself are told, and it stays', async () => {
  const a = await come(server, 'there', 'a', { 'x-proxy-region': 'eu-central-1' });
  const b = await come(server, 'there', 'b');
  equal(await seen(b, a, 'there'), 'eu-central-1');
  equal(await seen(a, a, 'there'), 'eu-central-1');
  equal(await seen(a, b, 'there'), null);
  a.update('there', { name: 'Another' });
  equal(await seen(b, a, 'there'), 'eu-central-1');
  a.update('there', { name: 'Another', extra: `<${REGION}>us-west-2</${REGION}>` });
  equal(await seen(b, a, 'there'), 'us-west-2', 'his own word goes first');
  await a.close();
  await b.close();
});

test('what is no word, and what is said twice, is not said', async () => {
  const watcher = await come(server, 'odd', 'w');
  for (const value of ["x'/><evil/>", 'a b', 'x'.repeat(65), ['one', 'two'], '']) {
    const c = await come(server, 'odd', 'c', { 'x-proxy-region': value });
    equal(await seen(watcher, c, 'odd'), null, String(value));
    await c.close();
  }
  await watcher.close();
});

test('from nobody else than a trusted proxy', async () => {
  await withServer({ allow_guests: true, trusted_proxies: ['192.0.2.1'] }, async (s) => {
    const a = await come(s, 'none', 'a', { 'x-proxy-region': 'eu' });
    equal(await seen(a, a, 'none'), null);
    await a.close();
  });
});

await run();
