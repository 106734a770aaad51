// One XMPP stream over WebSocket (RFC 7395): login with the token in the URL, bind, IQs, pings.

import { NS, StanzaError, Xml, attr, child, parse, readError, text, x } from './xml';
import { Refusal, Refused, fromLogin, refusal } from './refusal';

const HANDSHAKE_MS = 15_000;
const IQ_MS = 15_000;
const PING_EVERY_MS = 20_000;
const PING_ANSWER_MS = 10_000;

/** An IQ that was answered with an error, or not at all (condition "remote-server-timeout"). */
export class IqError extends Error {
  constructor(readonly error: StanzaError) {
    super(error.text || error.condition);
  }
}

const TIMED_OUT: StanzaError = {
  type: 'wait', condition: 'remote-server-timeout', text: 'No answer from the server', extra: [],
};

interface Pending {
  to: string;
  resolve(answer: Element): void;
  reject(error: IqError): void;
  timer: number;
}

export class Stream {
  /** The full JID that the server bound. */
  jid = '';
  /** Messages, presences and requests; requests that it does not claim are refused politely. */
  onStanza: (stanza: Element) => boolean = () => false;
  /** The stream ended without close() having been called. */
  onLost: (why: Refusal) => void = () => undefined;

  private readonly pending = new Map<string, Pending>();
  private readonly inbox: Element[] = [];
  private waiter: ((element: Element) => void) | null = null;
  private fail: (why: Refused) => void = () => undefined;
  private bound = false;
  private over = false;
  private streamError = '';
  private counter = 0;
  private heard = 0;
  private pingTimer = 0;

  private constructor(private readonly socket: WebSocket, private readonly domain: string) {
    socket.onmessage = (event) => this.receive(event.data);
    socket.onclose = () => this.ended();
  }

  /** Opens, logs in and binds. Rejects with Refused. */
  static async open(url: string, domain: string): Promise<Stream> {
    let socket: WebSocket;
    try {
      socket = new WebSocket(url, 'xmpp');
    } catch (error) {
      throw new Refused(refusal('unreachable', String(error)));
    }
    const stream = new Stream(socket, domain);
    const failed = new Promise<never>((_, reject) => { stream.fail = reject; });
    const timer = window.setTimeout(
      () => stream.fail(new Refused(refusal('unreachable', 'timeout'))), HANDSHAKE_MS);
    try {
      await Promise.race([failed, stream.handshake()]);
    } catch (error) {
      stream.close();
      throw error;
    } finally {
      clearTimeout(timer);
    }
    stream.fail = () => undefined;
    stream.start();
    return stream;
  }

  send(stanza: Xml): void {
    if (this.socket.readyState === WebSocket.OPEN) this.socket.send(stanza.toString());
  }

  /** Sends an IQ and resolves with its result. */
  iq(type: 'get' | 'set', to: string, payload: Xml, timeout = IQ_MS): Promise<Element> {
    const id = `q${++this.counter}`;
    return new Promise((resolve, reject) => {
      const timer = window.setTimeout(() => {
        this.pending.delete(id);
        reject(new IqError(TIMED_OUT));
      }, timeout);
      this.pending.set(id, { to, resolve, reject, timer });
      this.send(x('iq', { xmlns: NS.client, type, id, to: to || null }, payload));
    });
  }

  /** Answers a request; an answer goes back to whoever asked. */
  reply(request: Element, payload?: Xml): void {
    this.send(x('iq', {
      xmlns: NS.client, type: 'result', id: attr(request, 'id'), to: attr(request, 'from') || null,
    }, payload));
  }

  refuse(request: Element, condition: string, extra?: Xml): void {
    this.send(x('iq', {
      xmlns: NS.client, type: 'error', id: attr(request, 'id'), to: attr(request, 'from') || null,
    }, x('error', { type: 'cancel' }, x(condition, { xmlns: NS.stanzas }), extra)));
  }

  close(): void {
    if (!this.over) this.send(x('close', { xmlns: NS.framing }));
    this.over = true;
    this.stop();
    this.socket.close();
  }

  private async handshake(): Promise<void> {
    await new Promise<void>((resolve) => { this.socket.onopen = () => resolve(); });
    const features = await this.restart();
    const offered = Array.from(features.getElementsByTagNameNS(NS.sasl, 'mechanism')).map(text);
    if (!offered.includes('ANONYMOUS')) throw new Refused(refusal('token-required'));
    this.send(x('auth', { xmlns: NS.sasl, mechanism: 'ANONYMOUS' }));
    const outcome = await this.next();
    if (outcome.localName !== 'success') {
      const condition = Array.from(outcome.children).find((c) => c.localName !== 'text');
      throw new Refused(fromLogin(condition?.localName ?? '', text(child(outcome, 'text'))));
    }
    await this.restart();
    const id = 'bind';
    this.send(x('iq', { xmlns: NS.client, type: 'set', id }, x('bind', { xmlns: NS.bind })));
    const early: Element[] = [];
    let answer = await this.next();
    while (answer.localName !== 'iq' || attr(answer, 'id') !== id) {
      early.push(answer);
      answer = await this.next();
    }
    this.jid = text(child(child(answer, 'bind'), 'jid'));
    if (this.jid === '') throw new Refused(refusal('not-allowed', readError(answer).condition));
    this.inbox.unshift(...early);
  }

  private async restart(): Promise<Element> {
    this.send(x('open', { xmlns: NS.framing, to: this.domain, version: '1.0' }));
    const open = await this.next();
    if (open.localName !== 'open') throw new Refused(refusal('unreachable', open.localName));
    const features = await this.next();
    if (features.localName !== 'features') {
      throw new Refused(refusal('unreachable', features.localName));
    }
    return features;
  }

  private next(): Promise<Element> {
    const waiting = this.inbox.shift();
    if (waiting) return Promise.resolve(waiting);
    return new Promise((resolve) => { this.waiter = resolve; });
  }

  private start(): void {
    this.bound = true;
    this.heard = Date.now();
    this.pingTimer = window.setInterval(() => this.ping(), PING_EVERY_MS);
    // What came with the bind result is handled once the caller has set its handlers.
    queueMicrotask(() => this.inbox.splice(0).forEach((stanza) => this.dispatch(stanza)));
  }

  private ping(): void {
    if (Date.now() - this.heard < PING_EVERY_MS) return;
    this.iq('get', this.domain, x('ping', { xmlns: NS.ping }), PING_ANSWER_MS).catch((error) => {
      if (error instanceof IqError && error.error === TIMED_OUT) this.ended();
    });
  }

  private receive(data: unknown): void {
    this.heard = Date.now();
    if (this.over || typeof data !== 'string') return;
    const element = parse(data);
    if (!element) return;
    if (element.localName === 'error' && element.namespaceURI === NS.streams) {
      const condition = Array.from(element.children).find((c) => c.localName !== 'text');
      this.streamError = text(child(element, 'text')) || condition?.localName || 'error';
    } else if (element.localName === 'close' && element.namespaceURI === NS.framing) {
      this.ended();
    } else if (this.bound) {
      this.dispatch(element);
    } else if (this.waiter) {
      const waiter = this.waiter;
      this.waiter = null;
      waiter(element);
    } else {
      this.inbox.push(element);
    }
  }

  private dispatch(stanza: Element): void {
    if (this.over) return;
    const type = attr(stanza, 'type');
    if (stanza.localName === 'iq' && (type === 'result' || type === 'error')) {
      this.settle(stanza, type);
      return;
    }
    let handled = false;
    try {
      handled = this.onStanza(stanza);
    } catch (error) {
      console.error('stanza handler failed', error);
    }
    if (!handled && stanza.localName === 'iq') this.refuse(stanza, 'service-unavailable');
  }

  private settle(answer: Element, type: string): void {
    const pending = this.pending.get(attr(answer, 'id'));
    if (!pending) return;
    const from = attr(answer, 'from');
    // Nobody but the one who was asked may answer; the own account may answer what has no address.
    if (pending.to !== '' && from !== '' && from !== pending.to) return;
    this.pending.delete(attr(answer, 'id'));
    clearTimeout(pending.timer);
    if (type === 'result') pending.resolve(answer);
    else pending.reject(new IqError(readError(answer)));
  }

  private stop(): void {
    clearInterval(this.pingTimer);
    for (const pending of this.pending.values()) {
      clearTimeout(pending.timer);
      pending.reject(new IqError(TIMED_OUT));
    }
    this.pending.clear();
  }

  private ended(): void {
    if (this.over) return;
    this.over = true;
    this.stop();
    this.socket.close();
    const expired = /\bexp\b|expired/i.test(this.streamError);
    const why = refusal(
      expired ? 'token-expired' : this.bound ? 'disconnected' : 'unreachable', this.streamError);
    if (this.bound) this.onLost(why);
    else this.fail(new Refused(why));
  }
}
