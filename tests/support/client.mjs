// client.mjs - a plain RFC 7395 client over a WebSocket that keeps every frame as it came.
import { randomBytes } from 'node:crypto';
import WebSocket from 'ws';
import { fail, ok } from './harness.mjs';
import { NS, escape, parse } from './xml.mjs';

/** The server said no: at which stage, with which condition and words. */
export class Refused extends Error {
  constructor(stage, element) {
    const error = stage === 'sasl' ? element : element.get('error');
    const inner = error?.elements ?? [];
    const condition = stage === 'sasl'
      ? inner.find((e) => e.local !== 'text')
      : inner.find((e) => e.ns === NS.stanzas && e.local !== 'text');
    super(`refused at ${stage}: ${condition?.local}`);
    this.stage = stage;
    this.condition = condition?.local ?? null;
    this.type = error?.attrs.type ?? null;
    this.text = inner.find((e) => e.local === 'text')?.text ?? null;
    this.extras = inner.filter((e) => e !== condition && e.local !== 'text').map((e) => e.local);
    this.element = element;
  }
}

/** What a room presence says, in short. */
export function presenceInfo(el) {
  const x = el.get('x', NS.user);
  const item = x?.get('item');
  const nick = el.get('nick', NS.nick);
  return {
    from: el.attrs.from ?? '',
    room: (el.attrs.from ?? '').split('/')[0],
    id: (el.attrs.from ?? '').split('/').slice(1).join('/'),
    type: el.attrs.type ?? 'available',
    affiliation: item?.attrs.affiliation ?? null,
    role: item?.attrs.role ?? null,
    jid: item?.attrs.jid ?? null,
    codes: x ? x.all('status').map((s) => s.attrs.code).sort() : [],
    actor: item?.get('actor')?.attrs.nick ?? null,
    reason: item?.get('reason')?.text ?? null,
    name: nick ? nick.text : null,
    permissions: el.get('permissions', NS.jitmeet)?.all('p').map((p) => `${p.attrs.name}=${p.attrs.val}`) ?? null,
    destroy: x?.get('destroy') ?? null,
    el,
  };
}

let serial = 0;

/** The domain of a tenant's rooms, as a client makes it of the segment in the path. */
export function mucOf(server, tenant) {
  if (!tenant) return server.muc;
  return `${server.muc.slice(0, -server.domain.length)}${tenant.toLowerCase().replaceAll('.', '_')}.${server.domain}`;
}

const ROOMS_KEPT = 4;

export class Client {
  static door = 'ws';

  constructor(server, options) {
    this.server = server;
    this.options = options;
    this.muc = mucOf(server, options.tenant);
    this.frames = []; // { out, text, at }
    this.stanzas = []; // incoming, parsed, same order
    this.waiters = new Set();
    this.rooms = new Set(); // addresses of rooms that it wrote to last
    this.barriers = new Map(); // id -> done; their answers are nobody's business
    this.closed = null;
    server.clients?.add(this);
  }

  /** Opens, logs in and binds; throws Refused when the server says no. */
  static async connect(server, options = {}) {
    const Kind = this === Client && process.env.GAVEL_DOOR ? (await import('./doors.mjs')).kindFor(options) : this;
    const c = await Kind.open(server, options);
    try {
      await c.login(options);
    } catch (e) {
      c.drop();
      throw e;
    }
    return c;
  }

  /** Only the WebSocket: token in the query, or in the header with via: 'header'. */
  static async open(server, { token, room, via = 'query', query = {}, headers = {}, host = '127.0.0.1', tenant,
    path = `${tenant ? `/${encodeURIComponent(tenant)}` : ''}/xmpp-websocket`, tls = null, port = server.port, socket = {} } = {}) {
    const c = new this(server, { token, tenant });
    if (token) server.keep?.(token);
    const q = new URLSearchParams(query);
    if (room !== undefined) q.set('room', room);
    if (token !== undefined && via !== 'header') q.set('token', token);
    if (token !== undefined && via !== 'query') headers = { ...headers, Authorization: `Bearer ${token}` };
    const text = q.toString();
    // tls: options of the TLS connection, for wss; socket: of the connection below
    c.ws = new WebSocket(`${tls ? 'wss' : 'ws'}://${host.includes(':') ? `[${host}]` : host}:${port}${path}${text ? `?${text}` : ''}`,
      'xmpp', { headers, perMessageDeflate: false, ...socket, ...tls });
    c.ws.on('message', (data, binary) => c.receive(data.toString(), binary));
    c.ws.on('close', (code, reason) => c.ended({ code, reason: reason.toString() }));
    await new Promise((done, no) => {
      c.ws.once('open', done);
      c.ws.once('error', no);
    });
    c.ws.on('error', () => {});
    return c;
  }

  async login({ to = this.server.domain, resource } = {}) {
    await this.hello(to);
    this.send(`<auth xmlns='${NS.sasl}' mechanism='ANONYMOUS'/>`);
    const answer = await this.waitFor((e) => e.ns === NS.sasl, { what: 'an answer to <auth/>', since: this.stanzas.length });
    if (answer.local === 'failure') throw new Refused('sasl', answer);
    ok(answer.local === 'success', 'SASL must end with success or failure', answer.local);
    await this.hello(to);
    const r = resource ? `<resource>${escape(resource)}</resource>` : '';
    const bound = await this.iq('set', null, `<bind xmlns='${NS.bind}'>${r}</bind>`);
    this.jid = bound.path('bind', 'jid')?.text;
    ok(this.jid, 'bind must give a JID', bound.name);
    this.node = this.jid.split('@')[0];
    this.id = /^[0-9a-f]{8}-/.test(this.node) ? this.node.slice(0, 8) : randomBytes(4).toString('hex');
    return this;
  }

  /** Opens the stream (again) and waits for the features. */
  async hello(to) {
    const since = this.stanzas.length;
    this.send(`<open xmlns='${NS.framing}' to='${to}' version='1.0'/>`);
    this.opening = await this.waitFor((e) => e.local === 'open', { since, what: '<open/>' });
    this.features = await this.waitFor((e) => e.local === 'features' && e.ns === NS.streams, { since, what: 'features' });
  }

  receive(text, binary = false) {
    this.frames.push({ out: false, text, at: Date.now(), binary });
    let el;
    try {
      el = parse(text);
    } catch (e) {
      this.broken = `${e.message} in: ${text.slice(0, 500)}`;
      fail(this.broken);
    }
    const barrier = this.barriers.get(el.attrs.id);
    if (barrier) {
      this.frames.pop();
      barrier();
      return;
    }
    el.raw = text;
    el.at = Date.now();
    this.stanzas.push(el);
    for (const w of [...this.waiters]) w.look();
  }

  /** The room, or whoever answers for its address, has handled everything that was sent before. */
  barrier(address, timeout) {
    const id = `barrier${(serial += 1)}`;
    return new Promise((done) => {
      const timer = setTimeout(done, timeout);
      this.barriers.set(id, () => { clearTimeout(timer); this.barriers.delete(id); done(); });
      if (this.closed) this.barriers.get(id)();
      else this.ws.send(`<iq xmlns='jabber:client' type='get' to='${address}' id='${id}'><query xmlns='${NS.info}'/></iq>`);
    });
  }

  note(text) {
    const bare = /^<(?:presence|message|iq)\b[^>]* to='([^'<>&/]{1,400}@[^'<>&/]+)/.exec(text)?.[1];
    if (!bare?.endsWith(this.muc)) return;
    this.rooms.delete(bare);
    this.rooms.add(bare);
    if (this.rooms.size > ROOMS_KEPT) this.rooms.delete(this.rooms.values().next().value);
  }

  ended(how) {
    for (const done of [...this.barriers.values()]) done();
    this.closed ??= how;
    this.closedAt ??= Date.now();
    for (const w of [...this.waiters]) w.look();
  }

  send(text) {
    this.frames.push({ out: true, text, at: Date.now() });
    // with several workers a room may live on another one: its answers come through there
    if (this.server.config?.workers !== 1 && typeof text === 'string') this.note(text);
    this.ws.send(text);
  }

  mark() { return this.stanzas.length; }

  /** The first incoming element, from `since` on, for which the predicate holds. */
  waitFor(predicate, { since = 0, timeout = 8000, what = 'a stanza' } = {}) {
    return new Promise((done, no) => {
      let at = since;
      let timer;
      const waiter = {
        look: () => {
          for (; at < this.stanzas.length; at += 1) {
            if (predicate(this.stanzas[at])) { finish(done, this.stanzas[at]); return; }
          }
          if (this.closed) this.lost(finish, no, what);
        },
      };
      const finish = (how, value) => {
        clearTimeout(timer);
        this.waiters.delete(waiter);
        how(value);
      };
      this.waiters.add(waiter);
      timer = setTimeout(() => finish(no, new Error(`waited ${timeout} ms for ${what}; last frames:\n${this.tail()}`)), timeout);
      waiter.look();
    });
  }

  lost(finish, no, what) {
    finish(no, new Error(`closed (${JSON.stringify(this.closed)}) while waiting for ${what}; last frames:\n${this.tail()}`));
  }

  tail(n = 8) {
    return this.frames.slice(-n).map((f) => `${f.out ? 'C' : 'S'}: ${f.text.slice(0, 400)}`).join('\n');
  }

  async waitClosed(timeout = 8000) {
    const end = Date.now() + timeout;
    while (!this.closed) {
      if (Date.now() > end) fail(`not closed after ${timeout} ms; last frames:`, this.tail());
      await new Promise((r) => setTimeout(r, 10));
    }
    return this.closed;
  }

  /** Sends an IQ and gives the answer back, result or error. */
  async request(type, to, child, { timeout, id = `q${(serial += 1)}` } = {}) {
    const since = this.stanzas.length;
    const address = to ? ` to='${escape(to)}'` : '';
    this.send(`<iq xmlns='jabber:client' type='${type}'${address} id='${id}'>${child}</iq>`);
    return this.waitFor((e) => e.local === 'iq' && e.attrs.id === id && /^(result|error)$/.test(e.attrs.type),
      { since, timeout, what: `the answer to iq ${id}: ${child.slice(0, 120)}` });
  }

  /** The same, throwing Refused on an error. */
  async iq(type, to, child, options) {
    const answer = await this.request(type, to, child, options);
    if (answer.attrs.type === 'error') throw new Refused(options?.stage ?? 'iq', answer);
    return answer;
  }

  room(node) { return `${node}@${this.muc}`; }

  async conference(node, { attributes = '', child = '' } = {}) {
    const answer = await this.iq('set', this.server.focus,
      `<conference xmlns='${NS.focus}' room='${escape(this.room(node))}' machine-uid='${this.id}aa'${attributes}>${child}</conference>`,
      { stage: 'conference' });
    return answer.get('conference', NS.focus);
  }

  joinText(node, { id = this.id, name, password, extra = '' } = {}) {
    const pw = password === undefined || password === null ? '' : `<password>${escape(password)}</password>`;
    const nick = name === undefined || name === null ? '' : `<nick xmlns='${NS.nick}'>${escape(name)}</nick>`;
    return `<presence xmlns='jabber:client' to='${escape(this.room(node))}/${escape(id)}'><x xmlns='${NS.muc}'>${pw}</x>`
      + `<stats-id>Zola-x1</stats-id>${extra}<SourceInfo>{}</SourceInfo>${nick}</presence>`;
  }

  /** Joins without a conference request; the self-presence, or Refused. */
  async join(node, options = {}) {
    const id = options.id ?? this.id;
    const own = `${this.room(node)}/${id}`;
    const since = this.stanzas.length;
    this.send(this.joinText(node, options));
    const el = await this.waitFor((e) => e.local === 'presence' && e.attrs.from === own && e.attrs.type !== 'unavailable',
      { since, timeout: options.timeout, what: `self-presence or an error from ${own}` });
    if (el.attrs.type === 'error') throw new Refused('join', el);
    return presenceInfo(el);
  }

  /** Conference request and join, as Jitsi clients do. */
  async enter(node, options = {}) {
    const c = await this.conference(node);
    if (c.attrs.ready !== 'true') fail('the conference is not ready', c.attrs);
    return this.join(node, options);
  }

  /** A later presence of the same occupant. */
  update(node, { id = this.id, name, extra = '' } = {}) {
    const nick = name === undefined || name === null ? '' : `<nick xmlns='${NS.nick}'>${escape(name)}</nick>`;
    this.send(`<presence xmlns='jabber:client' to='${escape(this.room(node))}/${escape(id)}'>${extra}${nick}</presence>`);
  }

  async leave(node, { id = this.id, status = '' } = {}) {
    const since = this.mark();
    const s = status ? `<status>${escape(status)}</status>` : '';
    this.send(`<presence xmlns='jabber:client' to='${escape(this.room(node))}/${escape(id)}' type='unavailable'>${s}</presence>`);
    const el = await this.waitFor((e) => e.local === 'presence' && e.attrs.from === `${this.room(node)}/${id}`
      && e.attrs.type === 'unavailable', { since, what: 'my own unavailable presence' });
    return presenceInfo(el);
  }

  /** Presences received since a mark; of one occupant when id is given. */
  presences({ since = 0, id, node } = {}) {
    return this.stanzas.slice(since).filter((e) => e.local === 'presence').map(presenceInfo)
      .filter((p) => (id === undefined || p.id === id) && (node === undefined || p.room === this.room(node)));
  }

  async presenceOf(id, { since = 0, where = () => true, timeout } = {}) {
    const el = await this.waitFor((e) => e.local === 'presence' && (e.attrs.from ?? '').endsWith(`/${id}`)
      && where(presenceInfo(e)), { since, timeout, what: `a presence of ${id}` });
    return presenceInfo(el);
  }

  admin(node, ...items) {
    return this.iq('set', this.room(node), `<query xmlns='${NS.admin}'>${items.join('')}</query>`);
  }

  grant(node, jid) { return this.admin(node, `<item affiliation='owner' jid='${escape(jid.split('/')[0])}'/>`); }
  revoke(node, jid) { return this.admin(node, `<item affiliation='none' jid='${escape(jid.split('/')[0])}'/>`); }
  ban(node, jid) { return this.admin(node, `<item affiliation='outcast' jid='${escape(jid.split('/')[0])}'/>`); }
  kick(node, id, reason = 'Noise') {
    return this.admin(node, `<item nick='${escape(id)}' role='none'><reason>${escape(reason)}</reason></item>`);
  }

  say(node, body, id = `m${(serial += 1)}`) {
    this.send(`<message xmlns='jabber:client' to='${escape(this.room(node))}' type='groupchat' id='${id}'><body>${escape(body)}</body></message>`);
    return id;
  }

  heard(body, { since = 0, timeout } = {}) {
    return this.waitFor((e) => e.local === 'message' && e.get('body')?.text === body, { since, timeout, what: `message "${body}"` });
  }

  configure(node, fields) {
    const f = Object.entries(fields).map(([k, v]) => `<field var='${k}'><value>${escape(v)}</value></field>`).join('');
    return this.iq('set', this.room(node), `<query xmlns='${NS.owner}'><x xmlns='${NS.data}' type='submit'>`
      + `<field var='FORM_TYPE'><value>http://jabber.org/protocol/muc#roomconfig</value></field>${f}</x></query>`);
  }

  async roomInfo(node) {
    const r = await this.iq('get', this.room(node), `<query xmlns='${NS.info}'/>`);
    const q = r.get('query', NS.info);
    const fields = {};
    for (const f of q.get('x', NS.data)?.all('field') ?? []) fields[f.attrs.var] = f.get('value')?.text ?? null;
    return { features: q.all('feature').map((f) => f.attrs.var), identities: q.all('identity').map((i) => i.attrs), fields };
  }

  /** A round trip: everything that the server queued for this client before has arrived afterwards. */
  async settle(timeout = 15000) {
    await Promise.all([...this.rooms].map((address) => this.barrier(address, timeout)));
    await this.iq('get', this.server.domain, `<ping xmlns='${NS.ping}'/>`, { timeout });
  }

  async close() {
    if (!this.closed && this.ws.readyState === WebSocket.OPEN) {
      this.send(`<close xmlns='${NS.framing}'/>`);
      this.ws.close(1000);
      await this.waitClosed(5000).catch(() => this.drop());
    }
    this.server.clients?.delete(this);
  }

  drop() {
    this.ws?.terminate();
    this.server.clients?.delete(this);
  }
}

export async function settleAll(...clients) {
  for (let round = 0; round < 2; round += 1) await Promise.all(clients.flat().map((c) => c.settle()));
}

/** Connects a user of this server's issuer (null: a guest) and enters the room. */
export async function enter(server, node, user, { claims = {}, connect = {}, ...join } = {}) {
  const token = user === null ? undefined : server.token(user, claims);
  const c = await Client.connect(server, { token, ...connect });
  try {
    c.self = await c.enter(node, join);
  } catch (e) {
    c.drop();
    throw e;
  }
  return c;
}
