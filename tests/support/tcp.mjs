// tcp.mjs - XMPP over TCP by hand: bytes as they are, and a client that speaks like the one over WebSocket.
import { connect } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { Client, Refused } from './client.mjs';
import { fail, ok, sleep } from './harness.mjs';
import { NS } from './xml.mjs';

const TLS = 'urn:ietf:params:xml:ns:xmpp-tls';

export const header = (to, more = "version='1.0'") => `<?xml version='1.0'?><stream:stream xmlns='jabber:client' `
  + `xmlns:stream='http://etherx.jabber.org/streams'${to === undefined ? '' : ` to='${to}'`} ${more}>`;
export const AUTH = `<auth xmlns='${NS.sasl}' mechanism='ANONYMOUS'/>`;
export const STARTTLS = `<starttls xmlns='${TLS}'/>`;
export const BIND = `<iq type='set' id='b1'><bind xmlns='${NS.bind}'/></iq>`;

/** A connection to the port of XMPP that collects what comes as text. */
export class Bare {
  static async open(port, { host = '127.0.0.1', tls = false } = {}) {
    const b = new Bare();
    b.text = '';
    b.ended = false;
    b.socket = connect({ host, port });
    await new Promise((done, no) => { b.socket.once('connect', done); b.socket.once('error', no); });
    b.listen(b.socket);
    if (tls) await b.secure();
    return b;
  }

  listen(socket) {
    socket.setEncoding('utf8');
    socket.on('data', (d) => { this.text += d; this.received?.(d); });
    socket.on('error', () => {});
    socket.on('close', () => { this.ended = true; this.closed?.(); });
  }

  /** TLS on the connection as it stands. Nobody vouches for the certificate; what it says is in this.certificate. */
  async secure(options = {}) {
    this.socket.removeAllListeners('data');
    this.socket = connectTls({ socket: this.socket, rejectUnauthorized: false, ALPNProtocols: ['xmpp-client'], ...options });
    this.listen(this.socket);
    await new Promise((done, no) => { this.socket.once('secureConnect', done); this.socket.once('error', no); });
    this.certificate = this.socket.getPeerCertificate();
    this.text = '';
  }

  write(bytes) { if (!this.socket.destroyed) this.socket.write(bytes); }

  async wait(done, what, timeout = 6000) {
    const end = Date.now() + timeout;
    while (!done()) {
      if (Date.now() > end) fail(`waited ${timeout} ms for ${what}; received so far:`, this.text.slice(-800));
      await sleep(10);
    }
  }

  /** Writes, and waits until what came since then holds the marker. */
  async step(bytes, marker) {
    const at = this.text.length;
    this.write(bytes);
    await this.wait(() => this.text.indexOf(marker, at) >= 0, marker);
    return this.text.slice(at);
  }

  waitEnd(timeout = 6000) { return this.wait(() => this.ended, 'the server to close', timeout); }

  async startTls(server) {
    await this.step(header(server.domain), '</stream:features>');
    await this.step(STARTTLS, '<proceed');
    await this.secure();
  }

  async login(server) {
    await this.step(header(server.domain), '</stream:features>');
    await this.step(AUTH, '<success');
    await this.step(header(server.domain), '</stream:features>');
    this.jid = /<jid>([^<]+)/.exec(await this.step(BIND, '</iq>'))?.[1];
    ok(this.jid, 'bind must give a JID', this.text.slice(-500));
    return this;
  }

  destroy() { this.socket.destroy(); }
}

/** Cuts what comes into header, elements and end. The server never writes '>' inside of a value. */
export class Cutter {
  rest = '';
  depth = 0;
  from = 0;
  at = 0;

  take(text, tell) {
    this.rest += text;
    for (let end; (end = this.rest.indexOf('>', this.at)) >= 0;) {
      const start = this.rest.lastIndexOf('<', end);
      const tag = this.rest.slice(start, end + 1);
      this.at = end + 1;
      if (/^<\?/.test(tag)) this.cut();
      else if (/^<stream:stream/.test(tag)) tell('header', `${this.cut().slice(0, -1)}/>`);
      else if (/^<\/stream:stream/.test(tag)) tell('end', this.cut());
      else if (/^<\//.test(tag)) this.depth -= 1;
      else if (!/\/>$/.test(tag)) this.depth += 1;
      if (this.depth === 0 && this.at > 0) tell('element', this.cut());
    }
  }

  cut() {
    const whole = this.rest.slice(0, this.at);
    this.rest = this.rest.slice(this.at);
    this.at = 0;
    return whole;
  }
}

/** The client of client.mjs over TCP. There is no URL, so there is neither token nor room= in it. */
export class TcpClient extends Client {
  static door = 'tcp';

  static async open(server, options = {}) {
    const c = new TcpClient(server, options);
    try {
      await c.dial(options);
    } catch (e) {
      c.drop();
      throw e;
    }
    return c;
  }

  async dial({ port, direct = false, plain = false, host } = {}) {
    const { xmpp_port: clear, xmpp_tls_port: tls } = this.server.config;
    this.bare = await Bare.open(port ?? (direct ? tls : clear), { host, tls: direct });
    this.ws = { send: (t) => this.bare.write(t), terminate: () => this.bare.destroy() };
    if (!direct && !plain) await this.bare.startTls(this.server);
    this.cutter = new Cutter();
    this.bare.received = (d) => this.cutter.take(d, (what, text) => this.cutOut(what, text));
    this.bare.closed = () => this.ended({ code: this.over ? 1000 : 1006 });
  }

  cutOut(what, text) {
    if (what === 'end') this.over = true;
    else this.receive(text);
  }

  async hello(to) {
    const since = this.stanzas.length;
    this.send(header(to));
    this.opening = await this.waitFor((e) => e.local === 'stream', { since, what: 'the header' });
    this.features = await this.waitFor((e) => e.local === 'features' && e.ns === NS.streams, { since, what: 'features' });
  }

  async close() {
    if (!this.closed) {
      this.send('</stream:stream>');
      await this.waitClosed(5000).catch(() => this.drop());
    }
    this.server.clients?.delete(this);
  }
}

/** Connects a guest and enters the room. */
export async function enterByTcp(server, node, { connect: how = {}, ...join } = {}) {
  const c = await TcpClient.connect(server, how);
  try {
    c.self = await c.enter(node, join);
  } catch (e) {
    c.drop();
    throw e;
  }
  return c;
}

export { Refused };
