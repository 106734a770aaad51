// An installed web application in Gavel's own folder: its index boots from the server's includes and config.js, in a
// tenant's room, with the client library of 2021.
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ending, equal, match, ok, same } from '../support/harness.mjs';
import { Server } from '../support/server.mjs';
import { THEIR_CONFIG, makeWebRoot } from '../support/webroot.mjs';
import { openTab } from './browser.mjs';
import { LibraryClient } from './library.mjs';
import { ada, ben, expectMedia, meet, newRoom } from './scene.mjs';

const require = createRequire(import.meta.url);
const here = fileURLToPath(new URL('.', import.meta.url));

/** The fixture, its body being a page around the client library. */
function makeApplication() {
  const folder = makeWebRoot();
  const scripts = {
    'jquery.js': require.resolve('jquery/dist/jquery.min.js'),
    'lib-jitsi-meet.min.js': process.env.LIB_JITSI_MEET
      ?? join(here, '../node_modules/@lyno/lib-jitsi-meet/lib-jitsi-meet.min.js'),
    'lib.js': join(here, 'lib.js'),
  };
  for (const [name, from] of Object.entries(scripts)) copyFileSync(from, join(folder, 'libs', name));
  writeFileSync(join(folder, 'body.html'), `<div id="media"></div><ul id="people"></ul><ol id="log"></ol>
<script src="libs/jquery.js?v=1"></script><script>window.jquery = window.jQuery;</script>
<script src="libs/lib-jitsi-meet.min.js?v=1"></script><script src="libs/lib.js?v=1"></script>
<script src="libs/app.bundle.min.js?v=1"></script>
`);
  return folder;
}

/** Somebody who opens the application's own address, and does what its config.js says. */
class WebRootClient extends LibraryClient {
  async enter() {
    const { where, who } = this;
    await this.tab.page.goto(`${where.url}/acme/${who.room}${who.token ? `#jwt=${who.token}` : ''}`);
    await this.tab.page.waitForFunction(() => window.driver && window.JitsiMeetJS && window.seen);
    this.config = await this.tab.page.evaluate(() => JSON.parse(JSON.stringify(window.config)));
    this.seen = await this.tab.page.evaluate(() => window.seen);
    const { hosts, websocket } = this.config;
    this.result = await this.call('join', {
      ...hosts, websocket: `${websocket}?room=${who.room}`, room: who.room, token: who.token, name: who.name,
    });
    ok(!this.result.failed, `${this.name} could not join`, this.result);
    this.id = this.result.id;
  }

  static async come(where, who) {
    const client = new WebRootClient(who.name, await openTab(`root-${who.name}`));
    client.where = where;
    client.who = who;
    await client.enter();
    return client;
  }
}

let servers = [];
async function serve(config) {
  const process = await Server.start({ allow_guests: true, ...config }, { name: 'web root' });
  servers.push(process);
  return {
    process, url: `http://localhost:${process.port}`, token: (user, more, how) => process.token(user, more, how),
  };
}

meet('an installed application boots in a tenant\'s room, and two of its users see and hear each other', async () => {
  const where = await serve({ web_root: makeApplication(), http_conference_request: false });
  const room = newRoom('tenant');
  const a = await WebRootClient.come(where, ada(where, room));
  const b = await WebRootClient.come(where, ben(where, room));
  same(a.seen, { config: a.config.hosts, websocket: a.config.websocket, name: 'Fixture', logging: true }, 'what the page saw');
  match(a.config.websocket, /\/acme\/xmpp-websocket$/, 'the address of the tenant');
  equal(a.config.readOnlyName, true, 'a frozen name is told by the end of config.js');
  await a.other(b.name);
  await b.other(a.name);
  await expectMedia(a, b);
  await Promise.all([a.close(), b.close()]);
}, 60);

meet('the same with a config.js that is not ours', async () => {
  const folder = makeApplication();
  const theirs = join(folder, '..', 'their-config.js');
  writeFileSync(theirs, THEIR_CONFIG);
  match(readFileSync(theirs, 'utf8'), /echo var="subdir"/);
  const where = await serve({ web_root: folder, config_js: theirs });
  const a = await WebRootClient.come(where, ada(where, newRoom('theirs')));
  ok(a.config.theirs, 'the file of the administrator');
  match(a.config.websocket, /\/acme\/xmpp-websocket$/);
  equal(a.config.readOnlyName, true);
  await a.close();
});

ending('the servers of the web root end cleanly', async () => {
  await Promise.all(servers.map((s) => s.stop()));
  servers = [];
});
