// bosh.mjs - BOSH by hand (XEP-0124): single POSTs, and a client that speaks like the one over WebSocket.
import { Agent, request } from 'node:http';
import { Client } from './client.mjs';
import { Cutter } from './tcp.mjs';
import { NS, parse } from './xml.mjs';

export const HTTPBIND = 'http://jabber.org/protocol/httpbind';
const XBOSH = 'urn:xmpp:xbosh';

/** One POST; resolves with status, headers and text. agent: whose connection it takes; false: its own. */
export function post(server, body, { query = '', headers = {}, agent = false, signal, method = 'POST', path = '/http-bind', port, host = '127.0.0.1' } = {}) {
  return new Promise((done, no) => {
    const r = request({
      host, port: port ?? server.port, path: `${path}${query ? `?${query}` : ''}`, method, agent, signal,
      headers: { 'Content-Type': 'text/xml; charset=utf-8', 'Content-Length': Buffer.byteLength(body), ...headers },
    }, (res) => {
      const parts = [];
      res.on('data', (c) => parts.push(c));
      res.on('end', () => done({ status: res.statusCode, headers: res.headers, text: Buffer.concat(parts).toString() }));
      res.on('error', no);
    });
    r.on('error', no);
    r.end(body);
  });
}

/** A session by its numbers: every request is written by the test. */
export class BareBosh {
  constructor(server, { rid = 1000000 + Math.floor(Math.random() * 1e9), query = '' } = {}) {
    this.server = server;
    this.rid = rid; // of the next request
    this.query = query;
  }

  text(inner = '', { rid = this.rid++, attributes = '', sid = this.sid } = {}) {
    const head = `<body xmlns='${HTTPBIND}'${rid === null ? '' : ` rid='${rid}'`}${sid === undefined ? '' : ` sid='${sid}'`} ${attributes}`;
    return inner ? `${head}>${inner}</body>` : `${head}/>`;
  }

  post(inner, options = {}) { return post(this.server, this.text(inner, options), { query: this.query, ...options.http }); }

  async open({ wait = 60, hold = 1, to = this.server.domain, attributes = '', ...more } = {}) {
    const r = await this.post('', {
      ...more,
      attributes: `${to === null ? '' : `to='${to}' `}wait='${wait}' hold='${hold}' ver='1.6' xml:lang='en' content='text/xml; charset=utf-8' `
        + `xmpp:version='1.0' xmlns:xmpp='${XBOSH}' ${attributes}`,
    });
    this.opening = parse(r.text);
    this.sid = this.opening.attrs.sid;
    return r;
  }

  restart(more = {}) {
    return this.post('', { ...more, attributes: `to='${this.server.domain}' xmpp:restart='true' xmlns:xmpp='${XBOSH}'` });
  }

  async login(options = {}) {
    await this.open(options);
    const answer = await this.post(`<auth xmlns='${NS.sasl}' mechanism='ANONYMOUS'/>`);
    if (!/<success/.test(answer.text)) throw new Error(`no login: ${answer.text}`);
    await this.restart();
    const bound = await this.post(`<iq xmlns='jabber:client' type='set' id='b1'><bind xmlns='${NS.bind}'/></iq>`);
    this.jid = /<jid>([^<]+)/.exec(bound.text)?.[1];
    if (!this.jid) throw new Error(`no JID: ${bound.text}`);
    return this;
  }
}

/** The client of client.mjs over BOSH. */
export class BoshClient extends Client {
  /** The session is opened by the login. */
  static async open(server, { token, room, via = 'query', query = {}, headers = {}, wait = 60, hold = 1, port, path, host } = {}) {
    const c = new this(server, { token });
    if (token) server.keep?.(token);
    const q = new URLSearchParams(query);
    if (room !== undefined) q.set('room', room);
    if (token !== undefined && via !== 'header') q.set('token', token);
    if (token !== undefined && via !== 'query') headers = { ...headers, Authorization: `Bearer ${token}` };
    Object.assign(c, { wait, hold, queue: [], out: 0, rid: 1 + Math.floor(Math.random() * 2 ** 40), answers: new Map() });
    c.http = { query: q.toString(), headers, agent: new Agent({ keepAlive: true, maxSockets: 2 }), port, path, host };
    c.next = c.rid; // whose answer is read next
    c.cutter = new Cutter();
    c.ws = { send: (t) => c.write(t), terminate: () => c.abort() };
    return c;
  }

  write(text, attributes = '') {
    this.queue.push([text, attributes]);
    this.pump();
  }

  pump() {
    if (this.closed || this.pumping) return;
    this.pumping = true;
    setImmediate(() => {
      this.pumping = false;
      while (!this.closed && this.out < 2 && (this.queue.length || (this.sid && this.out === 0))) {
        const some = this.queue.length && this.queue[0][1] ? [this.queue.shift()] : this.queue.splice(0).filter(([, a]) => !a);
        this.ask(some.map(([t]) => t).join(''), some[0]?.[1] ?? '');
      }
    });
  }

  ask(inner, attributes) {
    const rid = this.rid++;
    const head = `<body xmlns='${HTTPBIND}' rid='${rid}'${this.sid ? ` sid='${this.sid}'` : ''} ${attributes}`;
    this.out += 1;
    post(this.server, inner ? `${head}>${inner}</body>` : `${head}/>`, this.http).then((r) => {
      this.out -= 1;
      this.answers.set(rid, r);
      for (let a; (a = this.answers.get(this.next)); this.next += 1) {
        this.answers.delete(this.next);
        this.answered(a);
      }
      this.pump();
    }, (e) => { this.out -= 1; this.ended({ code: 1006, error: String(e) }); });
  }

  answered({ status, text }) {
    if (this.closed) return;
    if (status !== 200) { this.ended({ code: status }); return; }
    const body = parse(text);
    if (!this.sid && body.attrs.sid) {
      this.sid = body.attrs.sid;
      this.opening = body;
      body.attrs.version = body.attrs['xmpp:version']; // as other streams call it
    }
    const inner = text.slice(text.indexOf('>') + 1, text.endsWith('</body>') ? -'</body>'.length : undefined);
    if (inner) this.cutter.take(inner, (what, one) => this.receive(one));
    if (body.attrs.type === 'terminate') this.ended({ code: 1000, condition: body.attrs.condition });
  }

  async hello(to) {
    const since = this.stanzas.length;
    if (this.sid) this.write('', `to='${to}' xmpp:restart='true' xmlns:xmpp='${XBOSH}'`);
    else this.write('', `to='${to}' wait='${this.wait}' hold='${this.hold}' ver='1.6' xmpp:version='1.0' xmlns:xmpp='${XBOSH}'`);
    this.features = await this.waitFor((e) => e.local === 'features' && e.ns === NS.streams, { since, what: 'features' });
  }

  abort() {
    this.ended({ code: 1006 });
    this.http.agent.destroy();
  }

  drop() {
    this.abort();
    this.server.clients?.delete(this);
  }

  async close() {
    if (!this.closed) {
      this.write('', "type='terminate'");
      await this.waitClosed(5000).catch(() => {});
    }
    this.drop();
  }
}

/** Connects over BOSH, asks for the conference and enters the room. */
export async function enterByBosh(server, node, { connect: how = {}, ...join } = {}) {
  const c = await BoshClient.connect(server, { room: node, ...how });
  try {
    c.self = await c.enter(node, join);
  } catch (e) {
    c.drop();
    throw e;
  }
  return c;
}
