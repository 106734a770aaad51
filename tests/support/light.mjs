// light.mjs - a client for crowds: no parsing, only the few substrings that counting needs.
import WebSocket from 'ws';
import { NS } from './xml.mjs';

const attribute = (text, name) => {
  const i = text.indexOf(` ${name}=`);
  if (i < 0) return null;
  const q = text[i + name.length + 2];
  const start = i + name.length + 3;
  return text.slice(start, text.indexOf(q, start));
};

export class Light {
  constructor(server, token) {
    this.server = server;
    this.token = token;
    this.seen = new Map(); // occupant name -> { times, role, affiliation, gone }
    this.waiting = null;
    this.errors = [];
  }

  async connect() {
    const { server } = this;
    const query = this.token ? `?token=${this.token}` : '';
    this.ws = new WebSocket(`ws://127.0.0.1:${server.port}/xmpp-websocket${query}`, 'xmpp', { perMessageDeflate: false });
    this.ws.on('message', (d) => this.take(d.toString()));
    this.ws.on('close', (code) => { this.closed = code; this.give(`closed ${code}`); });
    this.ws.on('error', (e) => { this.errors.push(String(e)); });
    server.clients.add(this);
    await new Promise((done, no) => { this.ws.once('open', done); this.ws.once('error', no); });
    const open = `<open xmlns='${NS.framing}' to='${server.domain}' version='1.0'/>`;
    await this.ask(open, 'mechanisms');
    await this.ask(`<auth xmlns='${NS.sasl}' mechanism='ANONYMOUS'/>`, '<success');
    await this.ask(open, 'xmpp-bind');
    const bound = await this.ask(`<iq xmlns='jabber:client' type='set' id='b'><bind xmlns='${NS.bind}'/></iq>`, '<jid>');
    this.jid = /<jid>([^<]+)/.exec(bound)[1];
    this.id = this.jid.slice(0, 8);
    return this;
  }

  /** Sends and waits for a frame that holds the marker. */
  ask(text, marker) {
    return new Promise((done, no) => {
      const timer = setTimeout(() => no(new Error(`no ${marker} after 30 s (${this.errors.join()})`)), 30000);
      this.waiting = { marker, done: (t) => { clearTimeout(timer); done(t); }, no };
      this.ws.send(text);
    });
  }

  give(text) {
    const w = this.waiting;
    if (!w) return;
    if (text.startsWith('closed ') || text.includes(w.marker)) {
      this.waiting = null;
      if (text.startsWith('closed ')) w.no(new Error(`${text} while waiting for ${w.marker}`));
      else w.done(text);
    }
  }

  take(text) {
    if (text.startsWith('<presence')) this.presence(text);
    this.give(text);
  }

  presence(text) {
    const head = text.slice(0, text.indexOf('>'));
    const from = attribute(head, 'from') ?? '';
    const type = attribute(head, 'type');
    if (type === 'error') { this.errors.push(text.slice(0, 400)); return; }
    const id = from.slice(from.indexOf('/') + 1);
    const item = text.indexOf('<item ');
    const it = text.slice(item, text.indexOf('>', item));
    const known = this.seen.get(id);
    const p = { times: (known?.times ?? 0) + (type ? 0 : 1), gone: (known?.gone ?? 0) + (type === 'unavailable' ? 1 : 0), role: attribute(it, 'role'), affiliation: attribute(it, 'affiliation') };
    this.seen.set(id, p);
  }

  async enter(node) {
    const room = `${node}@${this.server.muc}`;
    this.room = room;
    await this.ask(`<iq xmlns='jabber:client' type='set' to='${this.server.focus}' id='c'><conference xmlns='${NS.focus}' room='${room}' machine-uid='m'/></iq>`, 'ready=');
    await this.ask(`<presence xmlns='jabber:client' to='${room}/${this.id}'><x xmlns='${NS.muc}'/><SourceInfo>{}</SourceInfo></presence>`, '110');
  }

  async settle() {
    const id = `p${Math.random().toString(36).slice(2)}`;
    // the room may live on another worker: its answers come through there
    if (this.room) await this.ask(`<iq xmlns='jabber:client' type='get' to='${this.room}' id='r${id}'><query xmlns='${NS.info}'/></iq>`, `r${id}`);
    await this.ask(`<iq xmlns='jabber:client' type='get' to='${this.server.domain}' id='${id}'><ping xmlns='${NS.ping}'/></iq>`, id);
  }

  drop() { this.ws?.terminate(); }
}

/** Runs a job for each of the list, at most `width` at a time. */
export async function crowd(list, width, job) {
  let next = 0;
  await Promise.all(Array.from({ length: Math.min(width, list.length) }, async () => {
    while (next < list.length) {
      const i = next;
      next += 1;
      await job(list[i], i);
    }
  }));
}
