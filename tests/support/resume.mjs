// resume.mjs - a client with stream management (XEP-0198): it counts, acknowledges, is cut and comes back.
import { Client, Refused } from './client.mjs';
import { NS, escape } from './xml.mjs';
import { ok } from './harness.mjs';

export const SM = 'urn:xmpp:sm:3';
const COUNTED = /^<(iq|presence|message)[\s/>]/;

export class Resumer extends Client {
  constructor(server, options) {
    super(server, options);
    Object.assign(this, { handled: 0, sent: 0, unacked: [], enabled: false, answers: true });
  }

  /** Connects, binds and enables stream management. */
  static async start(server, options = {}) {
    const c = await Resumer.open(server, options);
    await c.login(options);
    await c.enable(options.resume ?? 'true');
    return c;
  }

  static async open(server, options = {}) {
    const plain = await Client.open(server, options);
    const c = new Resumer(server, options);
    server.clients?.delete(plain);
    c.take(plain.ws, plain);
    c.open_options = options;
    return c;
  }

  /** The socket of a client that was just opened is this one's from now on. */
  take(ws) {
    this.ws = ws;
    this.closed = null;
    ws.removeAllListeners('message');
    ws.removeAllListeners('close');
    ws.on('message', (data, binary) => { if (this.ws === ws && !this.deaf) this.receive(data.toString(), binary); });
    ws.on('close', (code, reason) => { if (this.ws === ws) this.ended({ code, reason: reason.toString() }); });
  }

  async enable(resume = 'true') {
    const since = this.mark();
    this.ws.send(`<enable xmlns='${SM}' resume='${resume}'/>`);
    this.sent = 0;
    this.enabledText = await this.waitFor((e) => e.ns === SM, { since, what: 'an answer to <enable/>' });
    this.smId = this.enabledText.attrs.id;
    return this.enabledText;
  }

  receive(text, binary) {
    if (this.enabled && COUNTED.test(text)) {
      this.handled += 1;
      this.onCounted?.(this.handled, text);
      if (this.deaf) { this.handled -= 1; return; }
    }
    if (text.startsWith('<enabled')) this.enabled = true;
    super.receive(text, binary);
    if (this.enabled && this.answers && text.startsWith(`<r xmlns='${SM}'`)) this.ack();
    const h = /^<a xmlns='urn:xmpp:sm:3' h='(\d+)'/.exec(text)?.[1];
    if (h !== undefined) this.acknowledged(Number(h));
  }

  ack() { this.ws.send(`<a xmlns='${SM}' h='${this.handled}'/>`); }

  acknowledged(h) {
    const open = this.sent - this.unacked.length;
    ok(h >= open && h <= this.sent, `the server handled ${h} of ${open}..${this.sent}`);
    this.unacked.splice(0, h - open);
  }

  send(text) {
    if (this.enabled && COUNTED.test(text)) {
      this.sent += 1;
      this.unacked.push(text);
      this.onSent?.(this.sent, text);
    }
    if (this.deaf) return;
    super.send(text);
  }

  /** A question that is counted like all others; who is away asks nobody. */
  async barrier(address, timeout) {
    if (!this.deaf) await this.request('get', address, `<query xmlns='${NS.info}'/>`, { timeout });
  }

  async settle(timeout) { if (!this.deaf) await super.settle(timeout); }

  /** The network is gone: nothing goes out or comes in any more, and the socket is reset. */
  cut() {
    this.deaf = true;
    this.ws.removeAllListeners('message');
    this.ws.removeAllListeners('close');
    this.ws.terminate();
  }

  /** A new socket and login with previd, not yet resumed. */
  async reconnect({ token = this.options.token, previd = this.smId, room = this.open_options?.room, to, query = {} } = {}) {
    const fresh = await Client.open(this.server, { ...this.open_options, token: token ?? undefined, room, query: previd === null ? query : { ...query, previd } });
    const next = new Client(this.server, {});
    this.server.clients?.delete(fresh);
    next.ws = fresh.ws;
    fresh.ws.removeAllListeners('message');
    fresh.ws.removeAllListeners('close');
    fresh.ws.on('message', (data, binary) => next.receive(data.toString(), binary));
    fresh.ws.on('close', (code, reason) => next.ended({ code, reason: reason.toString() }));
    await next.hello(to ?? this.server.domain);
    next.send(`<auth xmlns='${NS.sasl}' mechanism='ANONYMOUS'/>`);
    const answer = await next.waitFor((e) => e.ns === NS.sasl, { what: 'an answer to <auth/>' });
    if (answer.local === 'failure') { next.drop(); throw new Refused('sasl', answer); }
    await next.hello(to ?? this.server.domain);
    return next;
  }

  /** Comes back over a new socket; the answer to <resume/>. Throws Refused when the login is refused. */
  async resume(options = {}) {
    const next = await this.reconnect(options);
    return this.resumeOver(next, options);
  }

  async resumeOver(next, { id = this.smId, h = this.handled } = {}) {
    const ws = next.ws;
    const since = this.mark();
    this.server.clients?.delete(next);
    this.server.clients?.add(this);
    this.deaf = false;
    this.take(ws);
    ws.send(`<resume xmlns='${SM}' previd='${escape(id)}' h='${h}'/>`);
    const answer = await this.waitFor((e) => e.ns === SM || e.local === 'error', { since, what: 'an answer to <resume/>' });
    if (answer.local === 'resumed') {
      this.acknowledged(Number(answer.attrs.h));
      for (const text of this.unacked) super.send(text);
    }
    return answer;
  }
}

/** Connects with stream management and enters the room. */
export async function enterResumable(server, node, user, { claims = {}, connect = {}, ...join } = {}) {
  const token = user === null ? undefined : server.token(user, claims);
  const c = await Resumer.start(server, { token, room: node, ...connect });
  c.self = await c.enter(node, join);
  return c;
}
