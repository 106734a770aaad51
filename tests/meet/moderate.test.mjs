// What a moderator does with the page's buttons takes effect at the other side, and the other way round.
import { equal, match, ok, sleep } from '../support/harness.mjs';
import { AUDIBLE, mediaFlows, until } from './browser.mjs';
import { ada, ben, come, expectMedia, expectPeople, gwen, meet, newRoom, server, startedBy } from './scene.mjs';

async function silent(client) {
  await until(`silence at ${client.name}`, async () => {
    const { first, last } = await mediaFlows(client, 1);
    return last.audioEnergy < first.audioEnergy + AUDIBLE && last.connections > 0;
  });
}

const buttons = ['person-mute', 'person-camera-off', 'person-grant', 'person-revoke', 'person-kick', 'mute-all'];

async function buttonsOf(page) {
  await page.panel('people');
  const seen = [];
  for (const b of buttons) {
    for (const one of await page.part(b).all()) if (await one.isVisible()) seen.push(b);
  }
  return seen;
}

// A library of 2021 that started the session tells nobody that it was muted (its sources are not in its presence).
for (const [kind, starter] of [['page', 'either'], ['library', 'the page'], ['library', 'the library']]) {
  const told = starter !== 'the library';
  meet(`moderate: a moderator's page mutes and stops the camera of a ${kind}, ${starter} having started`, async () => {
    const where = await server();
    const room = newRoom('moderate');
    const a = await come('page', where, ada(where, room));
    const b = await come(kind, where, ben(where, room));
    if (starter === 'the page') await startedBy(a, b);
    if (starter === 'the library') await startedBy(b, a);
    await expectMedia(a, b);
    await a.mute(b.name, 'audio');
    await until('the microphone is off there', () => b.isMuted('audio'));
    await silent(a);
    if (told) await until('the mark of it on the moderator\'s page', async () => (await a.other(b.name)).micOff);
    await a.mute(b.name, 'video');
    await until('the camera is off there', () => b.isMuted('video'));
    if (told) await until('the mark of it on the moderator\'s page', async () => (await a.other(b.name)).cameraOff);
    await a.tab.shot(`muted-${kind}-seen-by-moderator`);
    await b.tab.shot(`muted-${kind}-own-view`);
    // Only its owner switches a microphone on again.
    await b.setMuted('audio', false);
    await b.setMuted('video', false);
    await expectMedia(a);
    equal((await a.other(b.name)).micOff, false, 'the mark after the microphone is on again');
  });
}

for (const kind of ['page', 'library']) {
  meet(`moderate: a moderator's page makes a ${kind} moderator and takes it back`, async () => {
    const where = await server();
    const room = newRoom('moderate');
    const a = await come('page', where, ada(where, room));
    const b = await come(kind, where, ben(where, room));
    await expectPeople(a, b);
    await a.grant(b.name);
    b.who.moderator = true;
    await expectPeople(a, b);
    if (kind === 'page') {
      ok((await buttonsOf(b)).includes('mute-all'), 'the new moderator has no buttons', await buttonsOf(b));
      await b.tab.shot('granted-own-view');
    }
    await a.revoke(b.name);
    b.who.moderator = false;
    await expectPeople(a, b);
    if (kind === 'page') equal((await buttonsOf(b)).join(), '', 'moderator\'s buttons of somebody who is none');
  });

  meet(`moderate: a guest (${kind}) who is made moderator stays marked as a guest, on every page`, async () => {
    const where = await server();
    const room = newRoom('moderate');
    const a = await come('page', where, ada(where, room));
    const g = await come(kind, where, gwen(where, room));
    await expectPeople(a, g);
    await a.grant(g.name);
    g.who.moderator = true;
    await expectPeople(a, g);
    await g.rename('Gwendolyn');
    g.shownAs = 'Gwendolyn';
    await expectPeople(a, g);
  });

  meet(`moderate: a moderator's page removes a ${kind}, with the reason`, async () => {
    const where = await server();
    const room = newRoom('moderate');
    const a = await come('page', where, ada(where, room));
    const b = await come(kind, where, gwen(where, room));
    await expectPeople(a, b);
    // One press alone removes nobody.
    await (await a.person(b.name)).locator('[data-testid="person-kick"]').click();
    match(await a.part('kick-dialog').innerText(), new RegExp(`Remove ${b.name}\\?`), 'the question');
    await a.part('kick-cancel').click();
    await a.part('kick-dialog').waitFor({ state: 'detached' });
    await sleep(300);
    await expectPeople(a, b);
    await a.kick(b.name, 'Too <loud> & long');
    if (kind === 'page') {
      const seen = await b.refusal();
      match(seen.title, /removed from the meeting/i, 'title');
      match(seen.text, /Ada Lovelace removed you.*Too <loud> & long/, 'text');
      await b.tab.shot('kicked');
      // Being removed is no ban.
      await b.part('rejoin-button').click();
      await b.part('meeting').waitFor();
      await expectPeople(a, b);
    } else {
      const [kicked] = await until('KICKED', async () => {
        const list = await b.events('KICKED');
        return list.length > 0 && list;
      });
      equal(kicked.reason, 'Too <loud> & long', 'reason');
      await expectPeople(a);
    }
  });
}

meet('moderate: with the library a moderator mutes, promotes, demotes and removes somebody on the page', async () => {
  const where = await server();
  const room = newRoom('moderate');
  const a = await come('library', where, ada(where, room));
  const b = await come('page', where, ben(where, room));
  await expectMedia(a, b);
  await a.mute(b.name, 'audio');
  await until('the microphone is off on the page', () => b.isMuted('audio'));
  ok((await b.notices()).some((n) => /Ada Lovelace muted you/.test(n)), 'the page does not say who muted', await b.notices());
  await silent(a);
  await a.grant(b.name);
  b.who.moderator = true;
  await expectPeople(a, b);
  await a.revoke(b.name);
  b.who.moderator = false;
  await expectPeople(a, b);
  await a.kick(b.name);
  match((await b.refusal()).text, /Ada Lovelace removed you.*Noise/, 'text');
  await expectPeople(a);
});

meet('moderate: a participant has no such buttons, and what his library asks for is refused', async () => {
  const where = await server();
  const room = newRoom('moderate');
  const a = await come('page', where, ada(where, room));
  const b = await come('page', where, ben(where, room));
  equal((await buttonsOf(b)).join(), '', 'moderator\'s buttons of a participant');
  await b.close();
  await expectPeople(a);
  const lib = await come('library', where, ben(where, room));
  await expectPeople(a, lib);
  await lib.mute(a.name, 'audio').catch(() => {});
  await lib.kick(a.name).catch(() => {});
  await lib.revoke(a.name).catch(() => {});
  await sleep(500);
  equal(await a.isMuted('audio'), false, 'a participant muted a moderator');
  await expectPeople(a, lib);
  await expectMedia(a, lib);
});

meet('moderate: three in a room see each other, all are muted at once; when one leaves the two hear and see each other again', async () => {
  const where = await server();
  const room = newRoom('moderate');
  const a = await come('page', where, ada(where, room));
  const b = await come('page', where, ben(where, room));
  await expectMedia(a, b);
  const g = await come('library', where, gwen(where, room));
  await expectPeople(a, b, g);
  await a.tab.shot('three');
  await a.panel('people');
  await a.part('mute-all').click();
  for (const c of [b, g]) await until(`${c.name} is muted with everybody else`, () => c.isMuted('audio'));
  equal(await a.isMuted('audio'), false, 'the moderator muted herself');
  await b.setMuted('audio', false);
  await g.leave();
  await expectPeople(a, b);
  await expectMedia(a, b);
});
