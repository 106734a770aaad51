// By HTTPS, from an address that is not localhost to the browser: only there does it give cameras, and media flow as ever.
// TLS ends at the server, and at an nginx in front of another one.
import { equal, match, ok } from '../support/harness.mjs';
import { makeCertificate } from '../support/certificates.mjs';
import { Nginx } from '../support/nginx.mjs';
import { freePort, temporaryFolder, withServer } from '../support/server.mjs';
import { ada, ben, come, expectMedia, expectPeople, meet, newRoom } from './scene.mjs';

// The certificate is the test's own: nobody vouches for it.
const trusting = { context: { ignoreHTTPSErrors: true } };

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

const pair = makeCertificate(temporaryFolder(), 'secure.example', { names: ['127.0.0.1'] });

meet('secure: a meeting of two over WSS, with a certificate of the server', async () => {
  const https = await freePort();
  const settings = { https_port: https, tls_certificate: pair.certificate, tls_key: pair.key, allow_guests: true };
  await withServer(settings, (process) => meetingAt({
    process, url: `https://127.0.0.1:${https}`, token: (...of) => process.token(...of),
  }));
}, 60);

meet('secure: a meeting of two behind nginx, which ends TLS', () => withServer({ allow_guests: true }, async (process) => {
  const nginx = await Nginx.start(pair, process.port);
  try {
    await meetingAt({ process, url: `https://127.0.0.1:${nginx.port}`, token: (...of) => process.token(...of) });
  } finally {
    await nginx.stop();
  }
}), 60);
