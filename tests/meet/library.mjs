// A participant who comes with the client library of Jitsi (npm build of December 2021), in a bare page of ours.
import { createServer } from 'node:http';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { openTab, until } from './browser.mjs';

const require = createRequire(import.meta.url);
const here = path.dirname(fileURLToPath(import.meta.url));

function files() {
  // The bundle stands beside the package's entry; the package exports neither by name.
  const pack = path.join(here, '../node_modules/@lyno/lib-jitsi-meet/lib-jitsi-meet.min.js');
  return {
    '/': ['text/html', path.join(here, 'lib.html')],
    '/lib.js': ['text/javascript', path.join(here, 'lib.js')],
    '/jquery.js': ['text/javascript', require.resolve('jquery/dist/jquery.min.js')],
    '/lib-jitsi-meet.js': ['text/javascript', pack],
  };
}

let served = null;

/** A file server for the driver page, on a port of its own: a page elsewhere that points at Gavel's WebSocket. */
async function serve() {
  if (served) return served;
  const known = files();
  const answer = (request, response) => {
    const file = known[new URL(request.url, 'http://localhost').pathname];
    if (!file) return response.writeHead(404).end();
    return response.writeHead(200, { 'content-type': `${file[0]}; charset=utf-8` }).end(readFileSync(file[1]));
  };
  const server = createServer(answer);
  await new Promise((done, failed) => server.once('error', failed).listen(0, '127.0.0.1', done));
  served = { url: `http://127.0.0.1:${server.address().port}/`, close: () => server.close() };
  return served;
}

export function stopLibraryServer() {
  served?.close();
  served = null;
}

export class LibraryClient {
  kind = 'library';

  constructor(name, tab) {
    this.name = name;
    this.tab = tab;
  }

  /** Opens a tab and goes in; `who` has { name, token, room, ... }, `where` the addresses of the server. */
  static async join(where, who) {
    const client = new LibraryClient(who.name, await openTab(who.tab ?? `lib-${who.name}`, who.context));
    client.where = where;
    client.who = who;
    await client.enter();
    return client;
  }

  async enter() {
    const { where, who } = this;
    // Another build of the library, where one is at hand: by whom it is asked for, or for all by $LIB_JITSI_MEET.
    const bundle = who.bundle ?? process.env.LIB_JITSI_MEET;
    if (bundle) await this.tab.page.route('**/lib-jitsi-meet.js', (route) => route.fulfill({ path: bundle }));
    await this.tab.page.goto((await serve()).url);
    await this.tab.page.waitForFunction(() => window.driver && window.JitsiMeetJS);
    this.result = await this.call('join', {
      domain: where.domain, muc: where.muc, focus: where.focus,
      websocket: `${where.websocket}?room=${who.room}`,
      room: who.room, token: who.token, name: who.name, password: who.password,
      p2p: who.p2p, p2pOptions: who.p2pOptions, options: who.options,
    });
    if (this.result.failed && !who.mayFail) {
      throw new Error(`${this.name} could not join: ${JSON.stringify(this.result)}`);
    }
    this.id = this.result.id;
  }

  async reload() {
    await this.enter();
  }

  media() {
    return this.tab.media();
  }

  call(method, ...args) {
    return this.tab.page.evaluate(([name, given]) => window.driver[name](...given), [method, args]);
  }

  events(type) {
    return this.tab.page.evaluate((t) => window.driver.events.filter((e) => !t || e.type === t), type);
  }

  messages() {
    return this.tab.page.evaluate(() => window.driver.messages);
  }

  /**
   * Who is here, as this client sees it: { id, name, moderator, me }. The library does not keep a name for its
   * own user: what it was told is the nick of its own presence.
   */
  async people() {
    const all = await this.call('people');
    const others = all.filter((p) => p.id !== 'focus');
    for (const p of others) if (p.me) p.name = this.ownNick(p.id);
    return others;
  }

  ownNick(id) {
    const mine = this.tab.received().filter((f) => f.startsWith('<presence') && f.includes(`/${id}`)
      && new RegExp(`from=["'][^"']*/${id}["']`).test(f) && f.includes('<nick'));
    const text = /<nick[^>]*>([^<]*)</.exec(mine.at(-1) ?? '')?.[1] ?? '';
    return text.replace(/&lt;/g, '<').replace(/&gt;/g, '>').replace(/&apos;/g, "'").replace(/&quot;/g, '"')
      .replace(/&amp;/g, '&');
  }

  async other(name) {
    return until(`${name} in the list of ${this.name}`, async () => {
      const all = await this.people();
      return all.find((p) => !p.me && p.name === name) ?? (all.length === 0 ? null : undefined);
    });
  }

  rename(name) { return this.call('rename', name); }
  say(text) { return this.call('say', text); }
  setMuted(kind, muted) { return this.call('setMuted', kind, muted); }
  isMuted(kind) { return this.call('muted', kind); }
  async kick(name) { return this.call('kick', (await this.other(name)).id, 'Noise'); }
  async grant(name) { return this.call('grant', (await this.other(name)).id); }
  async revoke(name) { return this.call('revoke', (await this.other(name)).id); }
  async mute(name, kind = 'audio') { return this.call('mute', (await this.other(name)).id, kind); }
  leave() { return this.call('leave'); }
  close() { return this.tab.close(); }
}
