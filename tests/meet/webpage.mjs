// A participant who comes with Gavel's own page, used as a person would: by what is shown and what can be pressed.
import { openTab, until } from './browser.mjs';

const byId = (id) => `[data-testid="${id}"]`;

/** Read inside the page: the tiles, as somebody looking at them would name them. */
function readTiles() {
  const shown = (element) => element !== null && !element.hidden && element.getClientRects().length > 0;
  return [...document.querySelectorAll('[data-testid="tile"]')].map((tile) => {
    const part = (id) => tile.querySelector(`[data-testid="${id}"]`);
    const words = part('tile-name').textContent;
    const person = document.querySelector(`[data-testid="person"][data-nick="${tile.dataset.nick}"]`);
    const listed = (id) => person?.querySelector(`[data-testid="${id}"]`)?.textContent ?? null;
    return {
      id: tile.dataset.nick,
      me: / \(you\)$/.test(words),
      name: words.replace(/ \(you\)$/, ''),
      moderator: shown(part('tile-moderator')),
      guest: shown(part('tile-guest')),
      micOff: shown(part('tile-mic-off')),
      cameraOff: shown(part('tile-camera-off')),
      listedName: listed('person-name'),
      listedRole: listed('person-role'),
    };
  });
}

export class PageClient {
  kind = 'page';

  constructor(name, tab) {
    this.name = name;
    this.tab = tab;
    this.page = tab.page;
  }

  /** Opens a tab at the address, up to the prejoin screen (or whatever comes instead). */
  static async open(where, who) {
    const client = new PageClient(who.name, await openTab(who.tab ?? `page-${who.name}`,
      { own: true, cutJingle: who.cutJingle, ...who.context }));
    client.where = where;
    client.who = who;
    // What somebody does who gets round the read-only field: the page's own setting is turned over.
    if (who.unlockName) {
      await client.tab.context.route('**/config.js*', async (route) => {
        // by number: a bare machine may know no localhost outside the browser
        const answer = await route.fetch({ url: route.request().url().replace('//localhost:', '//127.0.0.1:') });
        await route.fulfill({ response: answer, body: `${await answer.text()}\n;config.readOnlyName = false;` });
      });
    }
    await client.page.goto(`${where.url}/${encodeURIComponent(who.room)}${who.token ? `#jwt=${who.token}` : ''}`);
    await client.part('prejoin').waitFor();
    return client;
  }

  /** Opens and goes in. */
  static async join(where, who) {
    const client = await PageClient.open(where, who);
    await client.enter();
    return client;
  }

  part(id) {
    return this.page.locator(byId(id));
  }

  /** Types the name where it can be typed, and presses Join. */
  async press(name = this.name) {
    const input = this.part('name-input');
    if (await input.isEditable()) await input.fill(name);
    await this.part('join-button').click();
  }

  async enter(name = this.name) {
    await this.press(name);
    await this.part('meeting').waitFor();
    await until(`the own tile of ${this.name}`, async () => (await this.people()).some((p) => p.me));
  }

  async reload() {
    await this.page.reload();
    await this.part('prejoin').waitFor();
    await this.enter();
  }

  media() {
    return this.tab.media();
  }

  people() {
    return this.page.evaluate(readTiles);
  }

  async other(name) {
    return until(`${name} on the page of ${this.name}`,
      async () => (await this.people()).find((p) => !p.me && p.name === name));
  }

  async panel(name) {
    if (!await this.part(`${name}-panel`).isVisible()) await this.part(`${name}-button`).click();
    await this.part(`${name}-panel`).waitFor();
  }

  async person(name) {
    await this.panel('people');
    return this.page.locator(byId('person')).filter({
      has: this.page.locator(byId('person-name')).filter({ hasText: new RegExp(`^${escape(name)}$`) }),
    });
  }

  async #act(name, button) {
    await (await this.person(name)).locator(byId(button)).click();
  }

  async rename(name) {
    await this.panel('settings');
    await this.part('rename-input').fill(name);
    await this.part('rename-save').click();
  }

  async say(text) {
    await this.panel('chat');
    await this.part('chat-input').fill(text);
    await this.part('chat-send').click();
  }

  async sayTo(name, text) {
    await this.panel('chat');
    await this.part('chat-to').selectOption({ label: name });
    await this.part('chat-input').fill(text);
    await this.part('chat-send').click();
  }

  messages() {
    return this.page.evaluate(() => [...document.querySelectorAll('[data-testid="chat-line"]')].map((line) => ({
      kind: line.dataset.kind,
      name: line.querySelector('[data-testid="chat-name"]').textContent,
      text: line.querySelector('[data-testid="chat-body"]').textContent,
    })));
  }

  notices() {
    return this.page.locator(byId('notice')).allTextContents();
  }

  async setMuted(kind, muted) {
    if (await this.isMuted(kind) !== muted) {
      await this.part(kind === 'audio' ? 'mic-button' : 'camera-button').click();
    }
  }

  async isMuted(kind) {
    const button = this.part(kind === 'audio' ? 'mic-button' : 'camera-button');
    return await button.getAttribute('aria-pressed') === 'false';
  }

  mute(name, kind = 'audio') { return this.#act(name, kind === 'audio' ? 'person-mute' : 'person-camera-off'); }
  grant(name) { return this.#act(name, 'person-grant'); }
  revoke(name) { return this.#act(name, 'person-revoke'); }

  async kick(name, why = 'Noise') {
    await this.#act(name, 'person-kick');
    await this.part('kick-dialog').waitFor();
    await this.part('kick-reason').fill(why);
    await this.part('kick-confirm').click();
  }

  /** The screen that says why one is not in the meeting: { title, text, detail }. */
  async refusal() {
    await this.page.locator(`${byId('refusal')},${byId('waiting')}`).first().waitFor();
    const words = async (id) => (await this.part(id).count() ? this.part(id).first().innerText() : '');
    return {
      title: await words('refusal-title'), text: await words('refusal-text'), detail: await words('refusal-detail'),
    };
  }

  leave() { return this.part('leave-button').click(); }
  close() { return this.tab.close(); }
}

const escape = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
