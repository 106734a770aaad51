// The page as it looks and as it is used without a mouse: keys, a phone's width, light and dark.
import { equal, ok, same } from '../support/harness.mjs';
import { openTab, until } from './browser.mjs';
import { ada, ben, come, expectMedia, expectPeople, gwen, meet, newRoom, server } from './scene.mjs';
import { PageClient } from './webpage.mjs';

const focused = (page) => page.evaluate(() => {
  const e = document.activeElement;
  const style = getComputedStyle(e);
  const box = e.getBoundingClientRect();
  return {
    id: e.dataset?.testid ?? e.tagName, label: e.getAttribute('aria-label') ?? e.textContent?.trim() ?? '',
    outlined: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0,
    inView: box.width > 0 && box.left >= 0 && box.right <= innerWidth && box.top >= 0 && box.bottom <= innerHeight,
  };
});

meet('looks: in and out of a meeting with nothing but keys', async () => {
  const where = await server();
  const room = newRoom('keys');
  const a = await PageClient.open(where, gwen(where, room));
  const host = await come('page', where, ada(where, room));
  // The name field has the focus: type, and Enter goes in.
  await a.page.keyboard.type('Gwen');
  equal(await a.part('name-input').inputValue(), 'Gwen', 'what was typed landed in the name field');
  await a.page.keyboard.press('Enter');
  await a.part('meeting').waitFor();
  await expectPeople(host, a);
  const seen = new Map();
  for (let i = 0; i < 14; i++) {
    await a.page.keyboard.press('Tab');
    const f = await focused(a.page);
    if (f.id === 'BODY') continue;
    ok(f.outlined && f.inView, 'focus is not visible:', f);
    ok(f.label !== '', 'a control without a name:', f);
    seen.set(f.id, f);
  }
  for (const id of ['mic-button', 'camera-button', 'chat-button', 'people-button', 'settings-button', 'leave-button']) {
    ok(seen.has(id), `Tab never reaches ${id}:`, [...seen.keys()]);
  }
  for (const [key, kind] of [['m', 'audio'], ['v', 'video']]) {
    const before = await a.isMuted(kind);
    await a.page.keyboard.press(key);
    await until(`${key} switches ${kind}`, async () => await a.isMuted(kind) !== before);
    const mark = kind === 'audio' ? 'micOff' : 'cameraOff';
    await until(`the other side sees it`, async () => (await host.other('Gwen'))[mark] === !before);
    await a.page.keyboard.press(key);
    await until(`${key} switches ${kind} back`, async () => await a.isMuted(kind) === before);
  }
  await a.page.keyboard.press('c');
  await a.part('chat-panel').waitFor();
  await a.page.keyboard.type('mv from the keyboard');
  await a.page.keyboard.press('Enter');
  await until('the line', async () => (await host.messages()).some((m) => m.text === 'mv from the keyboard'));
  equal(await a.isMuted('audio'), false, 'an M typed into the chat muted');
  await a.page.keyboard.press('Escape');
  await until('Esc closes the panel', async () => !await a.part('chat-panel').isVisible());
  await a.page.keyboard.press('p');
  await a.part('people-panel').waitFor();
  await a.page.keyboard.press('Escape');
  await a.part('leave-button').focus();
  await a.page.keyboard.press('Enter');
  await a.part('left').waitFor();
  await expectPeople(host);
});

/** Nothing may be wider than the screen, and no control may lie outside it. */
async function fits(client, what) {
  const seen = await client.page.evaluate(() => {
    const root = document.scrollingElement;
    const out = [...document.querySelectorAll('button, input, select, textarea, h1, h2, p')].filter((e) => {
      const box = e.getBoundingClientRect();
      return box.width > 0 && (box.left < -1 || box.right > innerWidth + 1);
    }).map((e) => e.dataset.testid ?? `${e.tagName} ${e.textContent.slice(0, 30)}`);
    const scrolling = [...document.querySelectorAll('*')].filter((e) => e.scrollWidth > e.clientWidth + 1
      && /auto|scroll/.test(getComputedStyle(e).overflowX)).map((e) => `${e.tagName}.${e.className}`);
    return { scroll: root.scrollWidth, width: innerWidth, out, scrolling };
  });
  ok(seen.scroll <= seen.width && seen.out.length === 0 && seen.scrolling.length === 0, `${what} does not fit:`, seen);
}

/** No tile may be a strip or lie over another, and each row stands in the middle of the stage. */
async function tilesInShape(client, what) {
  const { stage, tiles } = await client.page.evaluate(() => {
    const box = (e) => (({ left, right, top, bottom, width, height }) => ({ left, right, top, bottom, width, height }))(
      e.getBoundingClientRect());
    return {
      stage: box(document.querySelector('[data-testid="stage"]')),
      tiles: [...document.querySelectorAll('[data-testid="tile"]')].map(box),
    };
  });
  const tops = [...new Set(tiles.map((t) => Math.round(t.top)))].sort((x, y) => x - y);
  const rows = tops.map((top) => tiles.filter((t) => Math.round(t.top) === top));
  const gap = (row) => Math.min(...row.map((t) => t.left)) - stage.left - (stage.right - Math.max(...row.map((t) => t.right)));
  ok(tiles.every((t) => t.width / t.height > 1.3 && t.width / t.height < 1.81), `${what}: tiles out of shape:`, tiles);
  ok(tiles.every((t) => t.left >= stage.left - 1 && t.right <= stage.right + 1 && t.top >= stage.top - 1
    && t.bottom <= stage.bottom + 1), `${what}: tiles outside the stage:`, stage, tiles);
  ok(rows.every((row) => Math.abs(gap(row)) <= 3), `${what}: a row is not in the middle:`, stage, tiles);
  return rows.map((row) => row.length);
}

/** Notices that lie over an open panel. */
const covering = (client) => client.page.evaluate(() => {
  const panel = document.querySelector('.panel:not([hidden])').getBoundingClientRect();
  return [...document.querySelectorAll('[data-testid="notice"]')].filter((n) => {
    const box = n.getBoundingClientRect();
    return box.width > 0 && box.left < panel.right && box.right > panel.left && box.top < panel.bottom - 1
      && box.bottom > panel.top;
  }).map((n) => n.textContent);
});

const PHONE = { viewport: { width: 390, height: 780 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true };

for (const colorScheme of ['light', 'dark']) {
  meet(`looks: on a phone, ${colorScheme}, every screen fits`, async () => {
    const where = await server();
    const room = newRoom(`a-rather-long-room-name-for-a-phone-${colorScheme}`);
    const context = { ...PHONE, colorScheme };
    const shot = (name) => a.tab.shot(`phone-${colorScheme}-${name}`);
    const a = await PageClient.open(where, { ...ada(where, room), context });
    await a.page.waitForTimeout(500);
    await fits(a, 'prejoin');
    await shot('prejoin');
    await a.enter();
    await fits(a, 'alone');
    await shot('alone');
    const b = await come('page', where, ben(where, room));
    await expectPeople(a, b);
    await until('two pictures', async () => (await a.media()).videosShown >= 2);
    await fits(a, 'meeting');
    await tilesInShape(a, 'meeting');
    await shot('meeting');
    await b.say('A line that is long enough to need a second row on the small screen of a telephone.');
    for (const panel of ['chat', 'people', 'settings']) {
      await a.panel(panel);
      await fits(a, `${panel} panel`);
      await shot(panel);
      await a.part(`${panel}-close`).click();
    }
    await a.leave();
    await a.part('left').waitFor();
    await fits(a, 'left');
    await shot('left');
    const late = await PageClient.open(where, { name: 'Late', room, context, token: where.token({ name: 'Late' }, { exp: 1 }) });
    await late.press();
    await late.refusal();
    await fits(late, 'refusal');
    await late.tab.shot(`phone-${colorScheme}-refusal`);
  });

  meet(`looks: on a wide screen, ${colorScheme}`, async () => {
    const where = await server();
    const room = newRoom('design-review');
    const context = { viewport: { width: 1280, height: 760 }, colorScheme };
    const shot = (name) => a.tab.shot(`wide-${colorScheme}-${name}`);
    const a = await PageClient.open(where, { ...ada(where, room), context });
    await a.page.waitForTimeout(500);
    await fits(a, 'prejoin');
    await shot('prejoin');
    await a.enter();
    await shot('alone');
    const b = await come('library', where, ben(where, room));
    const g = await come('page', where, gwen(where, room));
    await expectPeople(a, b, g);
    equal((await tilesInShape(a, 'three')).join(), '2,1', 'tiles in each row');
    await shot('three');
    await g.close();
    await expectPeople(a, b);
    await until('two pictures', async () => (await a.media()).videosShown >= 2);
    await shot('meeting');
    await b.say('Shall we start?');
    await a.say('In a minute.');
    for (const panel of ['chat', 'people', 'settings']) {
      await a.panel(panel);
      await fits(a, `${panel} panel`);
      await tilesInShape(a, `${panel} panel`);
      same(await covering(a), [], 'notices over a panel');
      await shot(panel);
    }
  });
}

meet('looks: on a phone no notice lies over a panel, and none outlives its screen', async () => {
  const where = await server();
  const room = newRoom('notices');
  const a = await PageClient.open(where, { ...ada(where, room), context: PHONE });
  await a.enter();
  await a.panel('people');
  const others = await Promise.all(['Ben', 'Gus', 'Gwen'].map((name) => PageClient.open(where, { ...gwen(where, room), name })));
  for (const o of others) await o.enter();
  await until('one line for all who came', async () => (await a.notices()).includes('3 people joined'));
  equal((await a.notices()).length, 1, 'lines of notices');
  await others[0].say('Can you read this?');
  await until('the notice of the line', async () => (await a.notices()).some((n) => /Can you read/.test(n)));
  equal(await a.part('notice').filter({ visible: true }).count(), 0, 'news shown beside a panel that covers everything');
  await a.mute('Gus');
  await a.part('notice').filter({ hasText: 'You muted Gus' }).waitFor();
  same(await covering(a), [], 'notices over a panel');
  await fits(a, 'people panel with a notice');
  await a.tab.shot('phone-people-notice');
  await a.part('people-close').click();
  await a.leave();
  await a.part('left').waitFor();
  await a.page.waitForTimeout(500);
  same(await a.notices(), [], 'notices after the end');
});

meet('looks: fingers hit what they mean', async () => {
  const where = await server();
  const room = newRoom('fingers');
  const a = await PageClient.open(where, { ...ada(where, room), context: PHONE });
  await a.enter();
  const b = await come('page', where, ben(where, room));
  await expectPeople(a, b);
  await a.panel('people');
  const boxes = await a.page.evaluate(() => [...document.querySelectorAll('.panel:not([hidden]) button')].map((b) => {
    const { left, right, top, width, height } = b.getBoundingClientRect();
    return { id: b.dataset.testid, left, right, top, width, height, colour: getComputedStyle(b).color };
  }).filter((b) => b.width > 0));
  ok(boxes.length >= 8 && boxes.every((b) => b.width >= 44 && b.height >= 44), 'buttons too small for a finger:', boxes);
  const remove = boxes.find((b) => b.id === 'person-kick');
  const next = boxes.find((b) => b.id === 'person-grant');
  ok(remove.top === next.top && remove.left - next.right >= 12 && remove.colour !== next.colour,
    'the button that removes somebody is not set apart:', remove, next);
  await (await a.person(b.name)).locator('[data-testid="person-kick"]').tap();
  await a.part('kick-dialog').waitFor();
  await fits(a, 'the question');
  await a.tab.shot('phone-remove');
  // The question goes with the meeting.
  await a.tab.cutOff();
  await a.part('kick-dialog').waitFor({ state: 'detached' });
});

meet('looks: the first page leads to a room, whatever script its name is in, and all clients mean the same one', async () => {
  const where = await server();
  const name = 'Тест Straße ①';
  const node = encodeURIComponent(name.normalize('NFKC').toLowerCase()).toLowerCase();
  const a = new PageClient('Ada Lovelace', await openTab('page-landing', { own: true }));
  a.who = ada(where, name);
  await a.page.goto(where.url);
  await a.part('landing').waitFor();
  await fits(a, 'the first page');
  await a.tab.shot('landing');
  await a.part('landing-room').fill(name);
  await a.part('landing-go').click();
  await a.part('prejoin').waitFor();
  equal(await a.part('prejoin-room').innerText(), name, 'room on the prejoin screen');
  await a.page.goto(`${a.page.url()}#jwt=${a.who.token}`);
  await until('the token\'s name', async () => await a.part('name-input').inputValue() === 'Ada Lovelace');
  await a.enter();
  const b = await come('library', where, { ...ben(where, name), room: node });
  await expectPeople(a, b);
  await expectMedia(a, b);
});

meet('looks: a script in a name, a room or a line of chat stays text', async () => {
  const where = await server();
  const bad = '<img src=x onerror="window.broken=1">';
  const room = newRoom('script');
  const a = await come('page', where, ada(where, room));
  const g = await come('page', where, { ...gwen(where, room), name: bad });
  await expectPeople(a, g);
  await g.say(bad);
  await until('the line', async () => (await a.messages()).some((m) => m.text === bad));
  equal(await a.page.evaluate(() => window.broken ?? 'whole'), 'whole', 'the page');
  equal(await a.page.locator('img[src="x"]').count(), 0, 'elements made from a name');
});
