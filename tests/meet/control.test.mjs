// What is broken must look broken: the checks of media fail when media are missing, in part or altogether.
import { ok } from '../support/harness.mjs';
import { AUDIBLE, mediaFlows, until } from './browser.mjs';
import { ada, ben, come, expectMedia, meet, newRoom, server } from './scene.mjs';

async function expectNoMedia(seconds, ...clients) {
  await Promise.all(clients.map(async (client) => {
    const { ok: flows, first, last } = await mediaFlows(client, seconds);
    ok(!flows, `${client.name} gets picture and sound although nothing may arrive:`, first, last);
  }));
}

meet('control: with peer to peer switched off in the library no media are seen', async () => {
  const where = await server();
  const room = newRoom('control');
  const a = await come('library', where, { ...ada(where, room), p2p: false });
  const b = await come('library', where, { ...ben(where, room), p2p: false });
  await expectNoMedia(4, a, b);
});

meet('control: with the Jingle relay cut no media are seen, although both are in the room', async () => {
  const where = await server();
  const room = newRoom('control');
  const cut = { cutJingle: true };
  const a = await come('page', where, { ...ada(where, room), ...cut });
  const b = await come('page', where, { ...ben(where, room), ...cut });
  await a.other(b.name);
  await b.other(a.name);
  await expectNoMedia(4, a, b);
});

meet('control: sound alone and picture alone are not taken for both', async () => {
  const where = await server();
  const room = newRoom('control');
  const a = await come('page', where, ada(where, room));
  const b = await come('page', where, ben(where, room));
  await expectMedia(a, b);
  await a.setMuted('audio', true);
  await until('silence', async () => {
    const { first, last } = await mediaFlows(b, 1);
    return last.audioEnergy < first.audioEnergy + AUDIBLE && last.framesDecoded > first.framesDecoded;
  });
  await expectNoMedia(2, b);
  await a.setMuted('audio', false);
  await expectMedia(b);
  await a.setMuted('video', true);
  await until('no picture', async () => {
    const { first, last } = await mediaFlows(b, 1);
    return last.framesDecoded === first.framesDecoded && last.audioEnergy > first.audioEnergy + AUDIBLE;
  });
  await expectNoMedia(2, b);
  await a.setMuted('video', false);
  await expectMedia(a, b);
}, 60);
