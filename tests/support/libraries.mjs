// libraries.mjs - three XMPP libraries from npm behind one small face, so that one conversation is held with each.
//
// Every client offers: jid, join(room, nick, name), rename(room, nick, name), grant(room, jid), kick(room, nick),
// presences (what the library itself understood), leave(). A refusal is an Error with condition and text.
import { webcrypto } from 'node:crypto';
import WebSocket from 'ws';

globalThis.WebSocket = WebSocket; // Node 18 has none, and the libraries want the browser's name
globalThis.crypto ??= webcrypto;

const { Strophe, $build, $iq, $pres } = await import('strophe.js');
const { client: xmppClient, xml } = await import('@xmpp/client');
const stanza = (await import('stanza')).default;

Strophe.setLogLevel(Strophe.LogLevel.FATAL);

const MUC = 'http://jabber.org/protocol/muc';
const USER = `${MUC}#user`;
const ADMIN = `${MUC}#admin`;
const NICK = 'http://jabber.org/protocol/nick';
const FOCUS = 'http://jitsi.org/protocol/focus';

function refusal(condition, text, stage) {
  return Object.assign(new Error(`refused: ${condition} ${text ?? ''}`), { condition, text, stage });
}

function url(server, token) {
  return `ws://127.0.0.1:${server.port}/xmpp-websocket${token ? `?token=${encodeURIComponent(token)}` : ''}`;
}

const soon = (promise, what) => {
  let timer;
  const late = new Promise((_, no) => { timer = setTimeout(() => no(new Error(`${what}: nothing after 8 s`)), 8000); });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
};

/** Waits until the list holds something that fits, from a position on. */
async function found(list, from, fits, what) {
  const end = Date.now() + 8000;
  for (;;) {
    const hit = list.slice(from).find(fits);
    if (hit) return hit;
    if (Date.now() > end) throw new Error(`${what}: nothing after 8 s; seen ${JSON.stringify(list.slice(from))}`);
    await new Promise((r) => setTimeout(r, 10));
  }
}

class Library {
  constructor(server) {
    this.server = server;
    this.presences = [];
  }

  mark() { return this.presences.length; }

  /** The first presence of an occupant after a mark that fits. */
  see(id, from = 0, fits = () => true) {
    return found(this.presences, from, (p) => p.from.endsWith(`/${id}`) && fits(p), `presence of ${id}`);
  }

  async joined(own, from) {
    const p = await found(this.presences, from, (x) => x.from === own && x.type !== 'unavailable', `join of ${own}`);
    if (p.type === 'error') throw refusal(p.condition, p.text, 'join');
    return p;
  }
}

export class StropheClient extends Library {
  static title = 'strophe.js';
  static saslConditions = true;

  connect(token) {
    this.c = new Strophe.Connection(url(this.server, token), { protocol: 'ws' });
    const connected = new Promise((done, no) => {
      this.c.connect(this.server.domain, null, (status, condition, elem) => {
        if (status === Strophe.Status.CONNECTED) done();
        if (status === Strophe.Status.AUTHFAIL) {
          no(refusal(elem?.firstChild?.nodeName ?? condition, elem?.getElementsByTagName('text')[0]?.textContent, 'sasl'));
        }
        if (status === Strophe.Status.CONNFAIL) no(refusal(`CONNFAIL ${condition}`, null, 'sasl'));
      });
    });
    this.c.addHandler((el) => { this.take(el); return true; }, null, 'presence');
    return soon(connected, 'strophe connects').then(() => { this.jid = this.c.jid; return this; });
  }

  take(el) {
    const first = (name, ns) => [...el.getElementsByTagName(name)].find((e) => !ns || e.getAttribute('xmlns') === ns);
    const item = first('item');
    const error = first('error');
    this.presences.push({
      from: el.getAttribute('from'), type: el.getAttribute('type') || 'available',
      affiliation: item?.getAttribute('affiliation'), role: item?.getAttribute('role'), jid: item?.getAttribute('jid'),
      codes: [...(first('x', USER)?.getElementsByTagName('status') ?? [])].map((s) => s.getAttribute('code')),
      actor: first('actor')?.getAttribute('nick') ?? null,
      name: first('nick', NICK)?.textContent ?? null,
      condition: error?.firstChild?.nodeName ?? null,
      text: error ? first('text')?.textContent ?? null : null,
    });
  }

  iq(builder) {
    return soon(new Promise((done, no) => {
      this.c.sendIQ(builder, done, (el) => {
        const e = el?.getElementsByTagName('error')[0];
        no(refusal(e?.firstChild?.nodeName ?? 'timeout', e?.getElementsByTagName('text')[0]?.textContent, 'iq'));
      });
    }), 'strophe iq');
  }

  async join(room, nick, name) {
    await this.iq($iq({ to: this.server.focus, type: 'set' }).c('conference', { xmlns: FOCUS, room, 'machine-uid': 'm' }));
    const from = this.mark();
    const p = $pres({ to: `${room}/${nick}` }).c('x', { xmlns: MUC }).up();
    if (name) p.c('nick', { xmlns: NICK }).t(name);
    this.c.send(p);
    return this.joined(`${room}/${nick}`, from);
  }

  rename(room, nick, name) { this.c.send($pres({ to: `${room}/${nick}` }).c('nick', { xmlns: NICK }).t(name)); }
  grant(room, jid) { return this.item(room, { affiliation: 'owner', jid }); }
  kick(room, nick) { return this.item(room, { nick, role: 'none' }); }
  item(room, attrs) { return this.iq($iq({ to: room, type: 'set' }).c('query', { xmlns: ADMIN }).c('item', attrs)); }

  leave() {
    this.c.reset();
    this.c.disconnect('done');
  }
}

export class XmppClient extends Library {
  static title = '@xmpp/client';
  static saslConditions = true;

  async connect(token, service = url(this.server, token)) {
    this.c = xmppClient({ service, domain: this.server.domain });
    this.c.reconnect.stop();
    this.c.on('error', () => {});
    this.c.on('stanza', (el) => { if (el.is('presence')) this.take(el); });
    try {
      this.jid = String(await soon(this.c.start(), '@xmpp/client starts'));
    } catch (e) {
      throw refusal(e.condition ?? e.message, e.text ?? null, 'sasl');
    }
    return this;
  }

  take(el) {
    const x = el.getChild('x', USER);
    const item = x?.getChild('item');
    const error = el.getChild('error');
    this.presences.push({
      from: el.attrs.from, type: el.attrs.type ?? 'available',
      affiliation: item?.attrs.affiliation, role: item?.attrs.role, jid: item?.attrs.jid,
      codes: x?.getChildren('status').map((s) => s.attrs.code) ?? [],
      actor: item?.getChild('actor')?.attrs.nick ?? null,
      name: el.getChildText('nick', NICK) ?? el.getChild('nick', NICK)?.text() ?? null,
      condition: error?.getChildElements()[0]?.name ?? null,
      text: error?.getChildText('text') ?? null,
    });
  }

  async iq(el) {
    try {
      return await this.c.iqCaller.request(el, 8000);
    } catch (e) {
      throw refusal(e.condition ?? e.message, e.text ?? null, 'iq');
    }
  }

  async join(room, nick, name) {
    await this.iq(xml('iq', { type: 'set', to: this.server.focus }, xml('conference', { xmlns: FOCUS, room, 'machine-uid': 'm' })));
    const from = this.mark();
    await this.c.send(xml('presence', { to: `${room}/${nick}` }, xml('x', { xmlns: MUC }),
      ...(name ? [xml('nick', { xmlns: NICK }, name)] : [])));
    return this.joined(`${room}/${nick}`, from);
  }

  rename(room, nick, name) { return this.c.send(xml('presence', { to: `${room}/${nick}` }, xml('nick', { xmlns: NICK }, name))); }
  grant(room, jid) { return this.item(room, { affiliation: 'owner', jid }); }
  kick(room, nick) { return this.item(room, { nick, role: 'none' }); }
  item(room, attrs) { return this.iq(xml('iq', { type: 'set', to: room }, xml('query', { xmlns: ADMIN }, xml('item', attrs)))); }

  async leave() { await this.c.stop().catch(() => {}); }
}

export class StanzaClient extends Library {
  static title = 'stanza';
  // It knows the SASL conditions of RFC 6120 only, not-allowed is none of them: the words arrive, the condition does not.
  static saslConditions = false;

  async connect(token) {
    this.c = stanza.createClient({
      server: this.server.domain, useStreamManagement: true, autoReconnect: false,
      transports: { websocket: url(this.server, token), bosh: false },
    });
    const started = new Promise((done, no) => {
      this.c.on('session:started', (jid) => done(jid ?? this.c.jid));
      this.c.on('sasl', (s) => { if (s.type === 'failure') no(refusal(s.condition ?? null, s.text ?? null, 'sasl')); });
      this.c.on('disconnected', () => no(refusal('disconnected', null, 'sasl')));
    });
    this.c.on('presence', (p) => this.take(p));
    this.c.connect();
    this.jid = await soon(started, 'stanza starts');
    return this;
  }

  take(p) {
    this.presences.push({
      from: p.from, type: p.type ?? 'available', affiliation: p.muc?.affiliation, role: p.muc?.role, jid: p.muc?.jid,
      codes: p.muc?.statusCodes ?? [], actor: p.muc?.actor?.nick ?? null, name: p.nick ?? null,
      condition: p.error?.condition ?? null, text: p.error?.text ?? null,
    });
  }

  /** This library has no word for a conference request: it joins at once, as any plain MUC client does. */
  async join(room, nick, name) {
    const from = this.mark();
    this.c.joinRoom(room, nick, name ? { nick: name } : {}).catch(() => {});
    return this.joined(`${room}/${nick}`, from);
  }

  rename(room, nick, name) { this.c.sendPresence({ to: `${room}/${nick}`, nick: name }); }

  async asked(promise) {
    try {
      return await soon(promise, 'stanza iq');
    } catch (e) {
      if (e instanceof Error) throw e;
      throw refusal(e.error?.condition, e.error?.text ?? null, 'iq');
    }
  }

  grant(room, jid) { return this.asked(this.c.setRoomAffiliation(room, jid, 'owner')); }
  kick(room, nick) { return this.asked(this.c.kick(room, nick)); }
  leave() { this.c.disconnect(); }
}

export const LIBRARIES = [StropheClient, XmppClient, StanzaClient];
