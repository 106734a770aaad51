// One XMPP stream over WebSocket (RFC 7395): login with the token in the URL, bind, IQs, pings;
// and back by itself when its connection is lost (XEP-0198).

import { NS, StanzaError, Xml, attr, child, parse, readError, text, x } from './xml';
import { Management } from './management';
import { Refusal, Refused, fromLogin, refusal } from './refusal';

const HANDSHAKE_MS = 15_000;
const IQ_MS = 15_000;
const PING_EVERY_MS = 20_000;
const PING_ANSWER_MS = 10_000;
const RETRY_MS = 1_000;
const RETRY_ANSWER_MS = 5_000;
const RETRY_FOR_MS = 60_000; // where the server does not say how long it waits

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
  /**
   * The stream ended without close() having been called. With `startAnew` the server is there and only knows
   * nothing of this stream any more.
   */
  onLost: (why: Refusal, startAnew: boolean) => void = () => undefined;
  /** The connection is lost and tried again (true), or the stream goes on as if nothing had been (false). */
  onAway: (away: boolean) => void = () => undefined;

  private readonly pending = new Map<string, Pending>();
  private inbox: Element[] = [];
  /** Came before anything was counted. */
  private early: Element[] = [];
  private socket: WebSocket | null = null;
  private managed: Management | null = null;
  private away = false;
  /** Attempts to come back are being made, until then. */
  private returning = false;
  private returnUntil = 0;
  /** Away, and once back it only leaves. */
  private parting = false;
  private parted: () => void = () => undefined;
  private wakeUp: () => void = () => undefined;
  private waiter: ((element: Element) => void) | null = null;
  private fail: (why: Refused) => void = () => undefined;
  private bound = false;
  private over = false;
  private streamError = '';
  private counter = 0;
  private heard = 0;
  private pingTimer = 0;

  private constructor(private readonly url: string, private readonly domain: string) {}

  /** Opens, logs in and binds. Rejects with Refused. */
  static async open(url: string, domain: string): Promise<Stream> {
    const stream = new Stream(url, domain);
    try {
      await stream.attempt(url, HANDSHAKE_MS, () => stream.enter());
    } catch (error) {
      void stream.close();
      throw error;
    }
    stream.start();
    return stream;
  }

  send(stanza: Xml): void {
    this.managed?.sent(stanza);
    if (this.away) return;
    this.write(stanza);
    if (this.managed?.shouldAsk()) this.write(x('r', { xmlns: NS.sm }));
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

  /**
   * Ends the stream. What a stream that is lost, or `silent` to what it was told last, still holds at the server is
   * given up as soon as that can be reached; resolves then, or when the server must have given it up by itself.
   */
  close(silent = false): Promise<void> {
    if (this.over) return Promise.resolve();
    this.onStanza = () => true;
    this.onAway = () => undefined;
    this.onLost = () => undefined;
    if (this.managed && this.bound && silent) this.setAway();
    if (this.managed && this.away) return this.part(this.managed);
    this.finish();
    return Promise.resolve();
  }

  /**
   * The page goes. Browsers may not send all that is written now, so it is one word; and they close with a code that tells
   * the server the same (1001), unless the page closes first.
   */
  vanish(): void {
    if (!this.away) this.write(x('close', { xmlns: NS.framing }));
    this.over = true;
    this.stop();
  }

  get isAway(): boolean {
    return this.away;
  }

  /** Tries to come back now. */
  hurry(): void {
    this.wakeUp();
  }

  private write(stanza: Xml | string): void {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(stanza.toString());
  }

  /** Does over a new connection what `work` says. Rejects with Refused. */
  private async attempt<T>(url: string, timeout: number, work: () => Promise<T>): Promise<T> {
    const failed = new Promise<never>((_, reject) => { this.fail = reject; });
    const timer = window.setTimeout(
      () => this.fail(new Refused(refusal('unreachable', 'timeout'))), timeout);
    try {
      this.connect(url);
      return await Promise.race([failed, work()]);
    } finally {
      clearTimeout(timer);
      this.fail = () => undefined;
    }
  }

  private connect(url: string): void {
    this.drop();
    let socket: WebSocket;
    try {
      socket = new WebSocket(url, 'xmpp');
    } catch (error) {
      throw new Refused(refusal('unreachable', String(error)));
    }
    this.socket = socket;
    socket.onmessage = (event) => { if (this.socket === socket) this.receive(event.data); };
    socket.onclose = () => { if (this.socket === socket) this.ended(); };
  }

  /** Nothing is heard any more of the connection so far. */
  private drop(): void {
    const before = this.socket;
    this.socket = null;
    this.waiter = null;
    this.inbox = [];
    before?.close();
  }

  /** Logs in; the features that are offered then. */
  private async login(): Promise<Element> {
    const { socket } = this;
    await new Promise<void>((resolve) => { if (socket) socket.onopen = () => resolve(); });
    const features = await this.restart();
    const offered = Array.from(features.getElementsByTagNameNS(NS.sasl, 'mechanism')).map(text);
    if (!offered.includes('ANONYMOUS')) throw new Refused(refusal('token-required'));
    this.write(x('auth', { xmlns: NS.sasl, mechanism: 'ANONYMOUS' }));
    const outcome = await this.next();
    if (outcome.localName !== 'success') {
      const condition = Array.from(outcome.children).find((c) => c.localName !== 'text');
      throw new Refused(fromLogin(condition?.localName ?? '', text(child(outcome, 'text'))));
    }
    return this.restart();
  }

  private async enter(): Promise<void> {
    const features = await this.login();
    const id = 'bind';
    this.write(x('iq', { xmlns: NS.client, type: 'set', id }, x('bind', { xmlns: NS.bind })));
    const answer = await this.nextThat((e) => e.localName === 'iq' && attr(e, 'id') === id);
    this.jid = text(child(child(answer, 'bind'), 'jid'));
    if (this.jid === '') throw new Refused(refusal('not-allowed', readError(answer).condition));
    if (!child(features, 'sm', NS.sm)) return;
    this.write(x('enable', { xmlns: NS.sm, resume: 'true' }));
    const enabled = await this.nextThat((e) => e.namespaceURI === NS.sm);
    if (enabled.localName !== 'enabled' || attr(enabled, 'resume') !== 'true') return;
    const seconds = Number(attr(enabled, 'max'));
    this.managed = new Management(attr(enabled, 'id'),
      seconds > 0 ? Math.min(seconds * 1000, RETRY_FOR_MS) : RETRY_FOR_MS);
  }

  private setAway(): void {
    this.away = true;
    this.bound = false;
    clearInterval(this.pingTimer);
    this.drop();
  }

  private suspend(managed: Management): void {
    this.setAway();
    this.onAway(true);
    this.comeBack(managed);
  }

  /** The server may keep the seat for as long again: perhaps it noticed the loss only now. */
  private part(managed: Management): Promise<void> {
    this.parting = true;
    this.stop();
    const done = new Promise<void>((resolve) => { this.parted = resolve; });
    this.comeBack(managed);
    return done;
  }

  private comeBack(managed: Management): void {
    this.returnUntil = Date.now() + managed.windowMs;
    this.wakeUp();
    if (!this.returning) void this.tryToReturn(managed);
  }

  private async tryToReturn(managed: Management): Promise<void> {
    const url = `${this.url}&previd=${managed.id}`;
    this.returning = true;
    while (!this.over && Date.now() < this.returnUntil) {
      const next = Date.now() + RETRY_MS;
      try {
        const answer = await this.attempt(url, RETRY_ANSWER_MS, () => this.resume(managed));
        this.returning = false;
        if (answer.localName !== 'resumed' || !this.resumed(managed, answer)) {
          this.giveUp(refusal('disconnected'), true);
        }
        return;
      } catch (error) {
        const refused = error instanceof Refused
          && !['unreachable', 'rate-limited'].includes(error.refusal.code) ? error.refusal : null;
        if (refused || this.streamError) {
          this.returning = false;
          this.giveUp(refused ?? refusal('disconnected'), false);
          return;
        }
      }
      await this.rest(next - Date.now());
    }
    this.returning = false;
    if (this.parting) this.finish();
    else this.onLost(refusal('disconnected'), false); // Who hears it closes the stream, and so parts from it.
  }

  private async rest(ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, Math.max(0, ms));
      this.wakeUp = () => { clearTimeout(timer); resolve(); };
    });
    this.wakeUp = () => undefined;
  }

  private async resume(managed: Management): Promise<Element> {
    await this.login();
    this.write(managed.resume());
    return this.next();
  }

  /** False: the counts do not fit, and the two no longer know what the other has. */
  private resumed(managed: Management, answer: Element): boolean {
    this.away = false;
    if (!managed.learn(answer)) return false;
    for (const stanza of managed.unacknowledged) this.write(stanza);
    if (this.parting) {
      this.finish();
      return true;
    }
    this.start();
    this.onAway(false);
    return true;
  }

  /** There is nothing to come back to. */
  private giveUp(why: Refusal, startAnew: boolean): void {
    this.finish();
    this.onLost(why, startAnew);
  }

  private finish(): void {
    if (!this.away) this.write(x('close', { xmlns: NS.framing }));
    this.over = true;
    this.stop();
    this.drop();
    this.parted();
  }

  private async restart(): Promise<Element> {
    this.write(x('open', { xmlns: NS.framing, to: this.domain, version: '1.0' }));
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

  /** The first that is awaited; what comes before it is for later. */
  private async nextThat(is: (element: Element) => boolean): Promise<Element> {
    let element = await this.next();
    while (!is(element)) {
      this.early.push(element);
      element = await this.next();
    }
    return element;
  }

  private start(): void {
    this.bound = true;
    this.heard = Date.now();
    this.pingTimer = window.setInterval(() => this.ping(), PING_EVERY_MS);
    // What came with the bind result is handled once the caller has set its handlers.
    queueMicrotask(() => {
      this.early.splice(0).forEach((stanza) => this.dispatch(stanza));
      this.inbox.splice(0).forEach((stanza) => this.take(stanza));
    });
  }

  private ping(): void {
    if (Date.now() - this.heard < PING_EVERY_MS) return;
    const { socket } = this;
    this.iq('get', this.domain, x('ping', { xmlns: NS.ping }), PING_ANSWER_MS).catch((error) => {
      if (error instanceof IqError && error.error === TIMED_OUT && this.socket === socket) this.ended();
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
      this.ended(true);
    } else if (this.bound) {
      this.take(element);
    } else if (this.waiter) {
      const waiter = this.waiter;
      this.waiter = null;
      waiter(element);
    } else {
      this.inbox.push(element);
    }
  }

  private take(element: Element): void {
    const { managed } = this;
    if (element.namespaceURI !== NS.sm) {
      managed?.came(element);
      this.dispatch(element);
    } else if (managed && element.localName === 'r') {
      this.write(managed.answer());
    } else if (managed && element.localName === 'a') {
      managed.learn(element);
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

  /** The connection is gone; orderly where the server closed the stream or said what was wrong. */
  private ended(orderly = false): void {
    if (this.over) return;
    if (this.away) {
      this.fail(new Refused(refusal('unreachable', this.streamError)));
      return;
    }
    if (this.bound && this.managed && !orderly && !this.streamError) {
      this.suspend(this.managed);
      return;
    }
    const expired = /\bexp\b|expired/i.test(this.streamError);
    const why = refusal(
      expired ? 'token-expired' : this.bound ? 'disconnected' : 'unreachable', this.streamError);
    if (this.bound) {
      this.giveUp(why, false);
      return;
    }
    this.over = true;
    this.drop();
    this.fail(new Refused(why));
  }
}
