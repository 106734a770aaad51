// What the browser tests share: running servers, people with tokens, and a test that leaves pictures when it fails.
import vm from 'node:vm';
import { test, ending, equal, ok, same } from '../support/harness.mjs';
import { Server } from '../support/server.mjs';
import { closeTabs, mediaFlows, stopBrowser, uncaughtErrors, until } from './browser.mjs';
import { LibraryClient, stopLibraryServer } from './library.mjs';
import { PageClient } from './webpage.mjs';

const KINDS = {
  meeting: { allow_guests: true, room_create: 'authenticated' },
  closed: { allow_guests: false },
  pair: { allow_guests: true, max_occupants: 2 },
  hasty: { allow_guests: true, resume_timeout: 4 },
};
const running = new Map();

/** The server of a kind, started when first asked for, with the addresses that its /config.js tells. */
export async function server(kind = 'meeting') {
  if (!running.has(kind)) running.set(kind, start(kind));
  return running.get(kind);
}

async function start(kind) {
  const process = await Server.start({ auth: 'jwt', ...KINDS[kind] }, { name: kind });
  const script = (await process.get('/config.js')).body;
  const page = { location: { protocol: 'http:', host: `localhost:${process.port}`, hash: '', search: '' } };
  page.window = page;
  vm.runInNewContext(script, page);
  const { hosts } = page.config;
  return {
    process, url: `http://localhost:${process.port}`, websocket: `ws://localhost:${process.port}/xmpp-websocket`,
    domain: hosts.domain, muc: hosts.muc, focus: hosts.focus,
    token: (user, more, how) => process.token(user, more, how),
  };
}

let rooms = 0;
/** A room nobody was in before. */
export const newRoom = (name = 'room') => `${name}-${++rooms}`;

// The people of the tests. Ada moderates; Ben's token says no in the way that many issuers write it.
export const ada = (where, room) => ({
  name: 'Ada Lovelace', room, moderator: true, guest: false,
  token: where.token({ id: 'u-ada', name: 'Ada Lovelace', moderator: true }, { room }),
});
export const ben = (where, room) => ({
  name: 'Ben Okri', room, moderator: false, guest: false,
  token: where.token({ id: 'u-ben', name: 'Ben Okri', moderator: 'false' }, { room }),
});
export const gwen = (where, room) => ({ name: 'Gwen', room, moderator: false, guest: true });

const CLIENTS = { page: PageClient, library: LibraryClient };

/** Somebody comes in with one of the two clients. */
export const come = (kind, where, who) => CLIENTS[kind].join(where, who);

/** Between two, the smaller id starts the session, and ids are drawn at random: `other` comes in anew until `starter` does. */
export async function startedBy(starter, other) {
  const id = async (client) => (await until('somebody in the meeting', () => client.people())).find((p) => p.me).id;
  const first = await id(starter);
  for (let i = 0; i < 20 && (await id(other)) < first; i++) await other.reload();
  ok(first < (await id(other)), 'the ids never came out in that order');
}

/** A test in fresh tabs. When it fails: what each tab last saw and said, and a picture of each. */
export function meet(name, body, seconds = 45) {
  test(name, async () => {
    let failed = null;
    let timer;
    try {
      const late = new Promise((_, no) => {
        timer = setTimeout(() => no(new Error(`not finished after ${seconds} s`)), seconds * 1000);
      });
      const work = Promise.resolve().then(body);
      work.catch(() => {});
      await Promise.race([work, late]);
      same(uncaughtErrors(), [], 'errors that the page did not catch');
    } catch (e) {
      failed = name.replace(/[^a-z0-9]+/gi, '-').toLowerCase().slice(0, 60);
      throw e;
    } finally {
      clearTimeout(timer);
      const lines = await closeTabs(failed);
      for (const line of lines) console.log(`#     ${line.replace(/\s+/g, ' ')}`);
    }
  }, { timeout: (seconds + 20) * 1000 });
}

ending('the servers end cleanly and give no token away, the browser closes', async () => {
  await stopBrowser();
  stopLibraryServer();
  for (const started of running.values()) await (await started).process.stop();
}, { timeout: 40_000 });

/** Picture and sound arrive at everybody named, and the other's picture is on the screen beside the own one. */
export async function expectMedia(...clients) {
  await Promise.all(clients.map(async (client) => {
    const { ok: flows, first, last } = await mediaFlows(client);
    ok(flows, `${client.name} (${client.kind}) gets no picture and sound; at first, then at last:`, first, last);
    await until(`own and other picture on the screen of ${client.name}`,
      async () => (await client.media()).videosShown >= 2, 5);
  }));
}

const ordered = (people) => [...people].sort((a, b) => (a.name < b.name ? -1 : 1));
// The library knows no guests; a page marks them.
const facts = (kind, { name, moderator, guest, me }) =>
  (kind === 'page' ? { name, moderator, guest, me } : { name, moderator, me });

/** Everybody named sees everybody named, with the names, roles and marks that these say, and nobody else. */
export async function expectPeople(...clients) {
  for (const client of clients) {
    const want = JSON.stringify(ordered(clients.map((c) => facts(client.kind, {
      name: c.shownAs ?? c.who.name, moderator: c.who.moderator, guest: c.who.guest, me: c === client,
    }))), null, 1);
    let seen = '';
    await until('people', async () => {
      seen = JSON.stringify(ordered((await client.people()).map((p) => facts(client.kind, p))), null, 1);
      return seen === want;
    }, 8).catch(() => {});
    equal(seen, want, `people as ${client.name} (${client.kind}) sees them`);
    if (client.kind !== 'page') continue;
    for (const p of await client.people()) {
      equal(p.listedName, p.name, `name in the list of people, on the page of ${client.name}`);
      equal(p.listedRole, p.moderator ? 'Moderator' : 'Participant', `role of ${p.name} in the list of people`);
    }
  }
}
