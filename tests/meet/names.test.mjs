// Names: the token's name stays, on every side and whatever its bearer types; a guest's is his own, and marked.
import { equal, match, ok } from '../support/harness.mjs';
import { until } from './browser.mjs';
import { ada, ben, come, expectPeople, gwen, meet, newRoom, server } from './scene.mjs';
import { PageClient } from './webpage.mjs';

const NOTICE = /Your name is set by your organisation\. Others see: Ada Lovelace/;

meet('names: the page shows a token\'s name and does not let it be typed over, before and in the meeting', async () => {
  const where = await server();
  const room = newRoom('names');
  const page = await PageClient.open(where, ada(where, room));
  equal(await page.part('name-input').inputValue(), 'Ada Lovelace', 'name before the meeting');
  equal(await page.part('name-input').isEditable(), false, 'name can be typed over');
  match(await page.part('name-reason').innerText(), /set by your organisation/, 'the reason');
  await page.tab.shot('prejoin-name-from-token');
  await page.enter();
  await page.panel('settings');
  equal(await page.part('rename-input').inputValue(), 'Ada Lovelace', 'name in the settings');
  equal(await page.part('rename-input').isEditable(), false, 'name can be typed over in the settings');
  equal(await page.part('rename-save').count(), 0, 'buttons that save a name');
  match(await page.part('rename-hint').innerText(), /set by your organisation/, 'the reason in the settings');
});

for (const watcher of ['page', 'library']) {
  meet(`names: a moderator who gets round the read-only field of the page keeps the token's name, seen by a ${watcher}`,
    async () => {
      const where = await server();
      const room = newRoom('names');
      const a = await PageClient.open(where, { ...ada(where, room), unlockName: true });
      ok(await a.part('name-input').isEditable(), 'the field is not unlocked, so this test would prove nothing');
      await a.enter('Somebody Else');
      const b = await come(watcher, where, ben(where, room));
      await expectPeople(a, b);
      await a.rename('Yet Another');
      await until('the name that was typed has left the page', () => a.tab.frames.some((f) =>
        f.startsWith('> <presence') && f.includes('Yet Another')));
      await until('the notice in the chat', async () => (await a.messages()).some((m) => NOTICE.test(m.text)));
      await expectPeople(a, b);
      equal(b.tab.received().some((f) => /Yet Another|Somebody Else/.test(f)), false, 'typed names reach the other side');
    });
}

for (const watcher of ['page', 'library']) {
  meet(`names: a moderator who renames herself with the library keeps the token's name, seen by a ${watcher}`, async () => {
    const where = await server();
    const room = newRoom('names');
    const a = await come('library', where, ada(where, room));
    const b = await come(watcher, where, ben(where, room));
    await expectPeople(a, b);
    const before = a.tab.received().length;
    await a.rename('New Name');
    await until('the notice to the sender', () => a.tab.received().slice(before).some((f) => NOTICE.test(f)));
    await until('her own presence with the token\'s name', () => a.tab.received().slice(before).some((f) =>
      f.startsWith('<presence') && f.includes(`/${a.id}`) && />Ada Lovelace</.test(f)));
    await expectPeople(a, b);
    equal(b.tab.received().some((f) => f.includes('New Name')), false, 'the typed name reaches the other side');
  });
}

for (const [kind, watcher] of [['page', 'page'], ['page', 'library'], ['library', 'page']]) {
  meet(`names: a guest (${kind}) renames, and a ${watcher} and the guest see it, with the mark`, async () => {
    const where = await server();
    const room = newRoom('names');
    const a = await come(watcher, where, ada(where, room));
    const g = await come(kind, where, gwen(where, room));
    await expectPeople(a, g);
    g.shownAs = 'Gwendolyn & <Sons>';
    await g.rename('Gwendolyn & <Sons>');
    await expectPeople(a, g);
    if (kind === 'page') await g.tab.shot(`guest-renamed-${watcher}`);
  });
}

meet('names: a guest who takes a token\'s name is marked for everybody and told so', async () => {
  const where = await server();
  const room = newRoom('names');
  const a = await come('page', where, ada(where, room));
  const g = await come('page', where, { ...gwen(where, room), name: 'Αda Lovelace' });
  g.shownAs = 'Αda Lovelace (guest)';
  await expectPeople(a, g);
  ok((await g.notices()).some((n) => /\(guest\)/.test(n)) || (await g.messages()).some((m) => /\(guest\)/.test(m.text)),
    'nothing tells the guest how others see him', await g.notices(), await g.messages());
  await a.tab.shot('guest-imitates');
});
