// By HTTPS, from an address that is not localhost to the browser: only there does it give cameras, and media flow as ever.
// TLS ends at the server, and at an nginx in front of another one. The page comes by WebSocket, the library by it and by BOSH.
import { equal, match, ok } from '../support/harness.mjs';
import { makeCertificate } from '../support/certificates.mjs';
import { Nginx } from '../support/nginx.mjs';
import { freePort, temporaryFolder, withServer } from '../support/server.mjs';
import { until } from './browser.mjs';
import { ada, ben, come, expectMedia, expectPeople, gwen, meet, newRoom, server } from './scene.mjs';

// The certificate is the test's own: nobody vouches for it.
const trusting = { context: { ignoreHTTPSErrors: true } };

/** The addresses of a server: url is where the browser finds it. */
const at = (process, url) => ({
  process, url, domain: process.domain, muc: process.muc, focus: process.focus, token: (...of) => process.token(...of),
  websocket: `${url.replace(/^http/, 'ws')}/xmpp-websocket`,
});
const byBosh = (where) => ({ ...where, websocket: `${where.url}/http-bind` });

async function meetingAt(where) {
  const room = newRoom('secure');
  const a = await come('page', where, { ...ada(where, room), ...trusting });
  const b = await come('page', where, { ...ben(where, room), ...trusting });
  await expectPeople(a, b);
  await expectMedia(a, b);
  equal(await a.page.evaluate(() => window.isSecureContext), true, 'the page is secure');
  match(await a.page.evaluate(() => window.socketsOfThisPage[0].url), /^wss:/, 'the WebSocket');
  ok(a.tab.received().length > 0, 'stanzas came by it');
  await Promise.all([a, b].map((c) => c.tab.close()));
}

/** A page that moderates and a library by another door: picture, sound, roles, names, and what a moderator does. */
async function mixedAt(where, door) {
  const room = newRoom('mixed');
  const a = await come('page', where, { ...ada(where, room), ...trusting });
  const b = await come('library', door, { ...ben(where, room), ...trusting });
  // what a library by BOSH was told stands in no frame: the page says what he is called
  b.ownNick = () => 'Ben Okri';
  await expectMedia(a, b);
  await expectPeople(a, b);
  await b.rename('Somebody Else');
  await expectPeople(a, b);
  const sockets = await b.tab.page.evaluate(() => window.socketsOfThisPage.length);
  equal(sockets > 0, door.websocket.startsWith('ws'), 'the library has a WebSocket');
  await a.grant(b.name);
  b.who.moderator = true;
  await expectPeople(a, b);
  await a.kick(b.name, 'Enough');
  await until('KICKED', async () => (await b.events('KICKED')).length > 0);
  b.who.moderator = false;
  await expectPeople(a);
  await Promise.all([a, b].map((c) => c.tab.close()));
}

meet('bosh: a page by WebSocket and a library by BOSH', async () => {
  const where = await server();
  await mixedAt(where, byBosh(where));
}, 60);

// By plain HTTP this library sends its beacon nowhere ('https:' stands before whatever it was given): nobody reloads here.
meet('bosh: two libraries by BOSH, a guest among them, who leaves and comes again', async () => {
  const where = byBosh(await server());
  const room = newRoom('bosh');
  const a = await come('library', where, ada(where, room));
  const g = await come('library', where, gwen(where, room));
  a.ownNick = () => 'Ada Lovelace';
  g.ownNick = () => 'Gwen';
  await expectMedia(a, g);
  await expectPeople(a, g);
  await g.leave();
  await expectPeople(a);
  await g.enter();
  await expectMedia(a, g);
  await expectPeople(a, g);
}, 60);

const pair = makeCertificate(temporaryFolder(), 'secure.example', { names: ['127.0.0.1'] });

meet('secure: meetings over WSS, with a certificate of the server: pages, and a page with a library', async () => {
  const https = await freePort();
  const settings = { https_port: https, tls_certificate: pair.certificate, tls_key: pair.key, allow_guests: true };
  await withServer(settings, async (process) => {
    const where = at(process, `https://127.0.0.1:${https}`);
    await meetingAt(where);
    await mixedAt(where, where);
  });
}, 90);

meet('secure: meetings behind nginx, which ends TLS: pages, and a page with a library by WebSocket and by BOSH', () => withServer({ allow_guests: true }, async (process) => {
  const nginx = await Nginx.start(pair, process.port);
  try {
    const where = at(process, `https://127.0.0.1:${nginx.port}`);
    await meetingAt(where);
    await mixedAt(where, where);
    await mixedAt(where, byBosh(where));
  } finally {
    await nginx.stop();
  }
}), 120);
