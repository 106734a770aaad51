// thread.test.mjs - the thread this project comes from: group A's tokens say moderator true, group B's "false", and
// there are guests. B and the guests never moderate: in no order of joining, after no reload, when A has left.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { equal, match, ok, rejects, run, same, test } from '../support/harness.mjs';
import { Client, enter, settleAll } from '../support/client.mjs';
import { Server, gavel, serverFor, temporaryFolder } from '../support/server.mjs';
import { claimsFor } from '../support/token.mjs';

const SECRET = 'f3b1c2d4e5a697887960514233241506f3b1c2d4e5a69788';
// As docker does it: authentication on, and nothing said about who moderates.
const DEFAULT_ENV = {
  ENABLE_AUTH: '1', ENABLE_GUESTS: '1', AUTH_TYPE: 'jwt', JWT_APP_ID: 'my_app', JWT_APP_SECRET: SECRET,
  JWT_ACCEPTED_ISSUERS: 'my_app', JWT_ACCEPTED_AUDIENCES: 'jitsi', JWT_ALLOW_EMPTY: '1', XMPP_DOMAIN: 'meet.jitsi',
};
// Half of the advice followed: the module is there, but the conference focus still makes owners.
const HALF_ENV = { ...DEFAULT_ENV, XMPP_MUC_MODULES: 'token_affiliation', XMPP_MODULES: 'frozen_nick', ENABLE_AUTO_OWNER: '1', JICOFO_ENABLE_AUTH: '1' };

const A = { id: 'a', name: 'Alice Example', moderator: true };
const B = { id: 'b', name: 'User Name', moderator: 'false' };
const EXPECTED = { A: 'owner/moderator', B: 'member/participant', G: 'none/participant' };
const NAMES = { A: 'Alice Example', B: 'User Name', G: 'Anna' };
const roleOf = (p) => `${p?.affiliation}/${p?.role}`;

const fromFile = await serverFor({ allow_guests: true }, { name: 'configuration file' });

async function startEnv(variables) {
  const s = new Server({}, { docker: variables });
  s.secret = SECRET;
  await s.start();
  return s;
}

const come = (s, node, who) => enter(s, node, { A, B, G: null }[who], { name: who === 'G' ? 'Anna' : 'Typed by hand' });

/** Every presence that anybody ever saw of anybody has the role of his group. */
async function nobodyElseModerates(people) {
  await settleAll(Object.values(people));
  for (const x of Object.values(people)) {
    for (const [who, y] of Object.entries(people)) {
      const seen = x.presences({ id: y.id }).filter((p) => p.type === 'available');
      for (const p of seen) {
        equal(roleOf(p), EXPECTED[who], `role of ${who}`);
        equal(p.name, NAMES[who], `name of ${who}`);
      }
    }
  }
}

const orders = ['ABG', 'AGB', 'BAG', 'BGA', 'GAB', 'GBA'];

async function play(s, order, suffix) {
  const node = `thread-${order.toLowerCase()}-${suffix}`;
  const people = {};
  const waiting = [];
  for (const who of order) {
    if (who === 'G' && !Object.keys(people).length) {
      // A guest who is first waits for somebody with a token; being first gives him nothing.
      const g = await Client.connect(s);
      equal((await rejects(g.conference(node))).condition, 'not-authorized', 'the guest who is first');
      waiting.push(g);
      continue;
    }
    people[who] = await come(s, node, who);
    for (const g of waiting.splice(0)) {
      people.G = g;
      g.self = await g.enter(node, { name: 'Anna' });
    }
  }
  await nobodyElseModerates(people);

  for (const who of ['B', 'G', 'A']) { // reload, each in turn
    await people[who].leave(node);
    people[who].drop();
    people[who] = await come(s, node, who);
    equal(roleOf(people[who].self), EXPECTED[who], `${who} after a reload`);
  }
  await nobodyElseModerates(people);

  const marks = { B: people.B.mark(), G: people.G.mark() };
  await people.A.leave(node);
  people.A.drop();
  await settleAll(people.B, people.G);
  for (const who of ['B', 'G']) {
    same(people[who].presences({ since: marks[who] }).map((p) => p.type), ['unavailable'], `all that ${who} saw when A left`);
    equal((await rejects(people[who].grant(node, people[who].jid))).condition, 'forbidden', `${who} has no power`);
  }
  await people.B.leave(node);
  people.B.drop();
  people.B = await come(s, node, 'B');
  equal(roleOf(people.B.self), EXPECTED.B, 'B after a reload without A');
  people.A = await come(s, node, 'A');
  await nobodyElseModerates({ A: people.A, B: people.B });
  for (const c of Object.values(people)) await c.close();
}

for (const order of orders) {
  test(`joining in the order ${order}: only A moderates`, () => play(fromFile, order, 'file'));
}

test('B alone, first, and again after everybody left: never a moderator', async () => {
  for (let i = 0; i < 3; i += 1) {
    const b = await come(fromFile, 'alone', 'B');
    equal(roleOf(b.self), EXPECTED.B, 'B alone in the room');
    await b.close();
  }
});

for (const [what, variables] of [['as docker does by default', DEFAULT_ENV], ['half of the advice followed', HALF_ENV]]) {
  test(`the .env file ${what}, served: only A moderates`, async () => {
    const s = await startEnv(variables);
    try {
      for (const order of ['BGA', 'ABG']) await play(s, order, 'env');
    } finally {
      await s.stop();
    }
  }, { timeout: 40000 });

  test(`the .env file ${what}: check shows what is in force, and hides the secret`, () => {
    const file = envFile(variables);
    const r = gavel(['check', '--env', file]);
    equal(r.code, 0, `exit code of check; output:\n${r.out}${r.err}`);
    const text = r.out + r.err;
    match(text, /role_mode\b.*\btoken\b/, 'role_mode');
    match(text, /allow_guests\b.*\btrue\b/, 'allow_guests');
    match(text, /name_mode\b.*\bfrozen\b/, 'name_mode');
    match(text, /ENABLE_AUTH=1 -> auth=jwt/, 'the line of a variable');
    ok(!text.includes(SECRET), 'the secret is not shown');
    match(text, variables === HALF_ENV ? /W_ENV_CONFLICT/ : /W_ENV_CHANGED/, 'the warning');
    match(text, /#10\b/, 'what stock Jitsi would have done');
  });

  test(`the .env file ${what}: explain --compare-jitsi tells B's story`, () => {
    const file = envFile(variables);
    const claims = JSON.stringify(claimsFor(B, { room: '*' }));
    const r = gavel(['explain', '--env', file, '--room', 'demo', '--claims', claims, '--compare-jitsi']);
    equal(r.code, 0, `exit code; output:\n${r.out}${r.err}`);
    match(r.out, /^ACCEPTED\s+member \/ participant\s+R_TOKEN_DENY/, 'the verdict');
    match(r.out, /jitsi.*#10 .*OWNER/is, 'Jicofo would have made B owner');
    if (variables === DEFAULT_ENV) match(r.out, /#6 .*not installed/, 'the module is missing');
    ok(!(r.out + r.err).includes(SECRET), 'the secret is not shown');
    const guest = gavel(['explain', '--env', file, '--room', 'demo', '--guest', '--nick', 'Anna', '--occupants', occupants()]);
    equal(guest.code, 0, `exit code for the guest; output:\n${guest.out}${guest.err}`);
    match(guest.out, /^ACCEPTED\s+none \/ participant\s+R_GUEST/, 'the guest');
  });
}

function envFile(variables) {
  const file = join(temporaryFolder(), '.env');
  writeFileSync(file, `# docker-jitsi-meet\n${Object.entries(variables).map(([k, v]) => `${k}=${v}\n`).join('')}`, { mode: 0o600 });
  return file;
}

function occupants() {
  const file = join(temporaryFolder(), 'occupants.json');
  writeFileSync(file, JSON.stringify([{ who: 'a', source: 'token', affiliation: 'owner', role: 'moderator', name: 'Alice Example', name_from: 'token', joined: 1 }]));
  return file;
}

await run();
