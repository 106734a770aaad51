// libraries.mjs - XMPP libraries behind one small face, so that one conversation is held with each, by every door that
// it knows: strophe.js, @xmpp/client and stanza from npm, slixmpp (Python) and libstrophe (C) from Debian.
//
// Every client offers: connect(token, account), jid, join(room, nick, name), rename(room, nick, name), grant(room, jid),
// revoke(room, jid), kick(room, nick), say(room, body), leave(), and presences and messages, which hold what the
// library itself understood. A refusal is an Error with condition and text. An account is { jid, password }.
import { webcrypto } from 'node:crypto';
import WebSocket from 'ws';
import { program } from './driven.mjs';
import { Xhr } from './xhr.mjs';

globalThis.WebSocket = WebSocket; // Node 18 has none, and the libraries want the browser's name
globalThis.XMLHttpRequest = Xhr; // nor this one
globalThis.crypto ??= webcrypto;
// The certificates are the tests' own; whether they hold is the matter of tls.test.mjs.
process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';

const { Strophe, $iq, $msg, $pres } = await import('strophe.js');
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

/** The address of a door: tokens travel in its query, which XMPP over TCP has not. */
export function addressOf(server, door, token) {
  const query = token ? `?token=${encodeURIComponent(token)}` : '';
  switch (door) {
    case 'ws': return `ws://127.0.0.1:${server.port}/xmpp-websocket${query}`;
    case 'wss': return `wss://127.0.0.1:${server.config.https_port}/xmpp-websocket${query}`;
    case 'bosh': return `http://127.0.0.1:${server.port}/http-bind${query}`;
    case 'tcp': return `xmpp://127.0.0.1:${server.config.xmpp_port}`;
    case 'tls': return `xmpps://127.0.0.1:${server.config.xmpp_tls_port}`;
    default: throw new Error(`no door is called ${door}`);
  }
}

/** By these a token can be shown. */
export const takesTokens = (door) => door !== 'tcp' && door !== 'tls';

/** user and domain of an account's address. */
const parted = (jid) => ({ user: jid.split('@')[0], domain: jid.split('@')[1] });

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
  static notAllowed = 'not-allowed'; // what it makes of that condition in a login's refusal
  static saslWords = true; // it tells the words of one
  static asks = true; // it asks for the conference before it joins

  constructor(server, door = 'ws') {
    this.server = server;
    this.door = door;
    this.presences = [];
    this.messages = [];
  }

  mark() { return this.presences.length; }

  /** The first message of a room with that text. */
  hear(body) { return found(this.messages, 0, (m) => m.body === body, `message "${body}"`); }

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
  static doors = ['ws', 'wss', 'bosh'];

  connect(token, account) {
    this.c = new Strophe.Connection(addressOf(this.server, this.door, token), this.door === 'bosh' ? {} : { protocol: 'ws' });
    const connected = new Promise((done, no) => {
      this.c.connect(account?.jid ?? this.server.domain, account?.password ?? null, (status, condition, elem) => {
        if (status === Strophe.Status.CONNECTED) done();
        if (status === Strophe.Status.AUTHFAIL) {
          no(refusal(elem?.firstChild?.nodeName ?? condition, elem?.getElementsByTagName('text')[0]?.textContent, 'sasl'));
        }
        if (status === Strophe.Status.CONNFAIL) no(refusal(`CONNFAIL ${condition}`, null, 'sasl'));
      });
    });
    this.c.addHandler((el) => { this.take(el); return true; }, null, 'presence');
    this.c.addHandler((el) => {
      const body = el.getElementsByTagName('body')[0];
      this.messages.push({ from: el.getAttribute('from'), type: el.getAttribute('type'), body: body?.textContent ?? null });
      return true;
    }, null, 'message');
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
  say(room, body) { this.c.send($msg({ to: room, type: 'groupchat' }).c('body').t(body)); }
  grant(room, jid) { return this.item(room, { affiliation: 'owner', jid }); }
  revoke(room, jid) { return this.item(room, { affiliation: 'none', jid }); }
  kick(room, nick) { return this.item(room, { nick, role: 'none' }); }
  item(room, attrs) { return this.iq($iq({ to: room, type: 'set' }).c('query', { xmlns: ADMIN }).c('item', attrs)); }

  leave() {
    if (this.door !== 'bosh') this.c.reset();
    this.c.disconnect('done');
  }
}

export class XmppClient extends Library {
  static title = '@xmpp/client';
  static doors = ['ws', 'wss', 'tcp', 'tls'];

  async connect(token, account) {
    const { user, domain } = account ? parted(account.jid) : { domain: this.server.domain };
    this.c = xmppClient({
      service: addressOf(this.server, this.door, token), domain, ...(account ? { username: user, password: account.password } : {}),
    });
    this.c.reconnect.stop();
    this.c.on('error', () => {});
    this.c.on('stanza', (el) => {
      if (el.is('presence')) this.take(el);
      if (el.is('message')) this.messages.push({ from: el.attrs.from, type: el.attrs.type ?? null, body: el.getChildText('body') });
    });
    try {
      this.jid = String(await soon(this.start(), '@xmpp/client starts'));
    } catch (e) {
      throw refusal(e.condition ?? e.message, e.text ?? null, 'sasl');
    }
    return this;
  }

  /** As the library's own, which leaves an error to nobody that comes before it has seen its header leave. */
  async start() {
    const online = new Promise((resolve, reject) => { this.c.once('online', resolve).once('error', reject); });
    online.catch(() => {});
    await this.c.connect(this.c.options.service);
    this.c.open(this.c.options).catch(() => {});
    return online;
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
      const answer = this.c.iqCaller.request(el, 8000);
      // an answer that comes before the library has seen its own bytes leave would be an error that nobody handles
      this.c.iqCaller.handlers.get(el.attrs.id)?.promise.catch(() => {});
      return await answer;
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
  say(room, body) { return this.c.send(xml('message', { to: room, type: 'groupchat' }, xml('body', {}, body))); }
  grant(room, jid) { return this.item(room, { affiliation: 'owner', jid }); }
  revoke(room, jid) { return this.item(room, { affiliation: 'none', jid }); }
  kick(room, nick) { return this.item(room, { nick, role: 'none' }); }
  item(room, attrs) { return this.iq(xml('iq', { type: 'set', to: room }, xml('query', { xmlns: ADMIN }, xml('item', attrs)))); }

  async leave() { await this.c.stop().catch(() => {}); }
}

export class StanzaClient extends Library {
  static title = 'stanza';
  static doors = ['ws', 'wss', 'bosh'];
  // It knows the SASL conditions of RFC 6120 only, not-allowed is none of them: the words arrive, the condition does not.
  static notAllowed = null;
  // It has no word for a conference request: it joins at once, as any plain MUC client does.
  static asks = false;

  async connect(token, account) {
    const url = addressOf(this.server, this.door, token);
    this.c = stanza.createClient({
      ...(account ? { jid: account.jid, password: account.password, server: parted(account.jid).domain } : { server: this.server.domain }),
      useStreamManagement: true, autoReconnect: false,
      transports: { websocket: this.door === 'bosh' ? false : url, bosh: this.door === 'bosh' ? url : false },
    });
    const started = new Promise((done, no) => {
      this.c.on('session:started', (jid) => done(jid ?? this.c.jid));
      this.c.on('sasl', (s) => { if (s.type === 'failure') no(refusal(s.condition ?? null, s.text ?? null, 'sasl')); });
      this.c.on('disconnected', () => no(refusal('disconnected', null, 'sasl')));
    });
    this.c.on('presence', (p) => this.take(p));
    this.c.on('message', (m) => this.messages.push({ from: m.from, type: m.type ?? null, body: m.body ?? null }));
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

  say(room, body) { this.c.sendMessage({ to: room, type: 'groupchat', body }); }
  grant(room, jid) { return this.asked(this.c.setRoomAffiliation(room, jid, 'owner')); }
  revoke(room, jid) { return this.asked(this.c.setRoomAffiliation(room, jid, 'none')); }
  kick(room, nick) { return this.asked(this.c.kick(room, nick)); }
  leave() {
    // by BOSH, an answer that is read after that to the end is an error of the stream, which it does not catch itself
    this.c.transport?.on?.('error', () => {});
    this.c.disconnect();
  }
}

/** A library of another language: its program does what it is told (driven.mjs). */
class Driven extends Library {
  static doors = ['tcp', 'tls'];

  async connect(token, account) {
    if (token) throw new Error('a token has no place in a stream over TCP');
    this.program = program(this.constructor.program);
    this.number = this.program.enlist(this);
    const direct = this.door === 'tls';
    this.jid = await this.ask('connect', {
      host: '127.0.0.1', port: this.server.config[direct ? 'xmpp_tls_port' : 'xmpp_port'], direct,
      jid: account?.jid ?? this.server.domain, password: account?.password ?? null, focus: this.server.focus,
    });
    return this;
  }

  async ask(what, details = {}) {
    try {
      return await soon(this.program.ask(this.number, what, details), `${this.constructor.title}: ${what}`);
    } catch (e) {
      if (e instanceof Error) throw e;
      throw refusal(e.condition, e.text, e.stage);
    }
  }

  async join(room, nick, name) {
    const from = this.mark();
    await this.ask('join', { room, nick, name });
    return this.joined(`${room}/${nick}`, from);
  }

  rename(room, nick, name) { return this.ask('rename', { room, nick, name }); }
  say(room, body) { return this.ask('say', { room, body }); }
  grant(room, jid) { return this.ask('affiliation', { room, jid, affiliation: 'owner' }); }
  revoke(room, jid) { return this.ask('affiliation', { room, jid, affiliation: 'none' }); }
  kick(room, nick) { return this.ask('kick', { room, nick }); }
  leave() { return this.ask('leave'); }
}

export class SlixmppClient extends Driven {
  static title = 'slixmpp';
  static program = 'slixmpp';
  static notAllowed = 'not-authorized'; // which stands for every one that it does not know
}

export class LibstropheClient extends Driven {
  static title = 'libstrophe';
  static program = 'libstrophe';
  // It tells its application that the connection has ended, not why.
  static notAllowed = null;
  static saslWords = false;
}

export const LIBRARIES = [StropheClient, XmppClient, StanzaClient, SlixmppClient, LibstropheClient];
