// A client of 2021 that is told what there is before it is bound: it asks nothing more, uses the servers, and meets as ever.
import { equal, ok, same } from '../support/harness.mjs';
import { freePort, withServer } from '../support/server.mjs';
import { ada, ben, come, expectMedia, expectPeople, meet, newRoom } from './scene.mjs';

const sent = (client) => client.tab.frames.filter((f) => f.startsWith('> '));
const asked = (client) => sent(client).filter((f) => /xmlns=["'](http:\/\/jabber\.org\/protocol\/disco#info|urn:xmpp:extdisco:[12])["']/.test(f)
  && /type=["']get["']/.test(f) && !/ to=["'][^"']*@/.test(f)).map((f) => /disco#info|extdisco/.exec(f)[0]);
const servers = (client) => client.tab.page.evaluate(() => window.peersOfThisPage
  .flatMap((p) => p.getConfiguration().iceServers ?? []).flatMap((s) => s.urls));

async function meetingAt(settings) {
  return withServer({ allow_guests: true, ...settings }, async (process) => {
    const where = { process, url: `http://localhost:${process.port}`, websocket: `ws://localhost:${process.port}/xmpp-websocket`,
      domain: process.domain, muc: process.muc, focus: process.focus, token: (...of) => process.token(...of) };
    const room = newRoom('push');
    const a = await come('library', where, ada(where, room));
    const b = await come('library', where, ben(where, room));
    await expectMedia(a, b);
    await expectPeople(a, b);
    const out = { asked: [asked(a), asked(b)], servers: await servers(b) };
    await Promise.all([a, b].map((c) => c.tab.close()));
    return out;
  });
}

meet('push: a library that is told asks nothing, and has the servers; one that is not told asks', async () => {
  const stun = `stun:127.0.0.1:${await freePort()}`;
  const told = await meetingAt({ services_push: true, ice_servers: [stun] });
  same(told.asked, [[], []], 'questions of those who were told');
  ok(told.servers.includes(stun), 'the server that it was told of', told.servers);
  const untold = await meetingAt({ ice_servers: [stun] });
  equal(untold.asked.every((a) => a.includes('disco#info')), true, `questions of those who were not: ${JSON.stringify(untold.asked)}`);
}, 60);
