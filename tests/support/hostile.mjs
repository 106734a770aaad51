// hostile.mjs - sends what no honest client sends: raw bytes, wrong frames; and watches that honest ones do not suffer.
import { createHash, randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { equal, fail, ok, sleep } from './harness.mjs';
import { enter, settleAll } from './client.mjs';
import { NS } from './xml.mjs';

/** A bare TCP connection that collects what comes. */
export class Raw {
  static async open(server, { host = '127.0.0.1' } = {}) {
    const r = new Raw();
    r.received = Buffer.alloc(0);
    r.ended = false;
    r.socket = connect({ host, port: server.port });
    r.socket.on('data', (d) => { r.received = Buffer.concat([r.received, d]); });
    r.socket.on('error', () => {});
    r.socket.on('close', () => { r.ended = true; });
    r.socket.on('end', () => { r.ended = true; });
    await new Promise((done, no) => { r.socket.once('connect', done); r.socket.once('error', no); });
    return r;
  }

  /** A connection that has become a WebSocket. */
  static async webSocket(server, { query = '', host, pause = false } = {}) {
    const r = await Raw.open(server, { host });
    const key = randomBytes(16).toString('base64');
    r.write(`GET /xmpp-websocket${query} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n`
      + `Sec-WebSocket-Key: ${key}\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: xmpp\r\n\r\n`);
    await r.wait(() => r.received.includes('\r\n\r\n'), 'the answer to the upgrade');
    const end = r.received.indexOf('\r\n\r\n') + 4;
    const head = r.received.subarray(0, end).toString();
    const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
    ok(/^HTTP\/1\.1 101 /.test(head) && head.includes(accept), 'a good upgrade is accepted', head);
    r.received = r.received.subarray(end);
    if (pause) r.socket.pause();
    return r;
  }

  write(bytes) { if (!this.socket.destroyed) this.socket.write(bytes); }

  async wait(done, what, timeout = 6000) {
    const end = Date.now() + timeout;
    while (!done()) {
      if (Date.now() > end) fail(`waited ${timeout} ms for ${what}; received so far:`, this.received.toString('latin1').slice(0, 500));
      await sleep(10);
    }
  }

  waitEnd(timeout = 6000) { return this.wait(() => this.ended, 'the server to close', timeout); }

  text(payload, options) { this.write(frame(1, Buffer.from(payload), options)); }

  /** Whole frames received so far: opcode and payload. */
  get frames() {
    const list = [];
    let b = this.received;
    while (b.length >= 2) {
      let n = b[1] & 127;
      let at = 2;
      if (n === 126) { if (b.length < 4) break; n = b.readUInt16BE(2); at = 4; }
      else if (n === 127) { if (b.length < 10) break; n = Number(b.readBigUInt64BE(2)); at = 10; }
      if (b.length < at + n) break;
      list.push({ opcode: b[0] & 15, payload: b.subarray(at, at + n) });
      b = b.subarray(at + n);
    }
    return list;
  }

  get closeCode() {
    const f = this.frames.find((x) => x.opcode === 8);
    return f ? (f.payload.length >= 2 ? f.payload.readUInt16BE(0) : 0) : null;
  }

  get texts() { return this.frames.filter((f) => f.opcode === 1).map((f) => f.payload.toString()); }

  destroy() { this.socket.destroy(); }
}

/** One frame, right or wrong as asked. */
export function frame(opcode, payload = Buffer.alloc(0), { fin = true, rsv = 0, mask = true, length } = {}) {
  const n = length ?? payload.length;
  const head = [(fin ? 0x80 : 0) | (rsv << 4) | opcode];
  const bit = mask ? 0x80 : 0;
  if (n < 126) head.push(bit | n);
  else if (n < 65536) head.push(bit | 126, n >> 8, n & 255);
  else {
    const b = Buffer.alloc(8);
    b.writeBigUInt64BE(BigInt(n));
    head.push(bit | 127, ...b);
  }
  if (!mask) return Buffer.concat([Buffer.from(head), payload]);
  const key = randomBytes(4);
  const masked = Buffer.from(payload.map((x, i) => x ^ key[i % 4]));
  return Buffer.concat([Buffer.from(head), key, masked]);
}

/** A raw WebSocket on which login and bind are done. */
export async function loggedIn(server, options = {}) {
  const r = await Raw.webSocket(server, options);
  const step = async (text, marker) => {
    const n = r.texts.length;
    r.text(text);
    await r.wait(() => r.texts.slice(n).some((t) => t.includes(marker)), marker);
  };
  await step(`<open xmlns='${NS.framing}' to='${server.domain}' version='1.0'/>`, 'mechanisms');
  await step(`<auth xmlns='${NS.sasl}' mechanism='ANONYMOUS'/>`, '<success');
  await step(`<open xmlns='${NS.framing}' to='${server.domain}' version='1.0'/>`, '<bind');
  await step(`<iq xmlns='jabber:client' type='set' id='b1'><bind xmlns='${NS.bind}'/></iq>`, '<jid>');
  r.jid = /<jid>([^<]+)/.exec(r.texts.at(-1))[1];
  return r;
}

/** Two people who chat all the time while body runs; every word must arrive, once and soon. */
export async function withBystanders(server, body, { every = 25, limit = 3000 } = {}) {
  const node = `bystanders-${randomBytes(3).toString('hex')}`;
  const a = await enter(server, node, { id: 'by1', name: 'By Stander', moderator: true });
  const b = await enter(server, node, { id: 'by2', name: 'Other Stander' });
  const sent = new Map();
  let running = true;
  const talk = (async () => {
    for (let i = 0; running; i += 1) {
      sent.set(`word-${i}`, Date.now());
      a.say(node, `word-${i}`);
      await sleep(every);
    }
  })();
  try {
    await body();
    await sleep(every);
  } finally {
    running = false;
    await talk;
  }
  ok(!a.closed && !b.closed, 'the bystanders are still connected', a.closed, b.closed);
  await settleAll(a, b);
  const words = b.stanzas.filter((e) => e.local === 'message' && e.get('body')).map((e) => [e.get('body').text, e.at]);
  equal(words.length, sent.size, 'words that the bystander heard');
  const worst = Math.max(0, ...words.map(([w, at]) => at - sent.get(w)));
  ok(worst < limit, `the slowest word took ${worst} ms`);
  await a.close();
  await b.close();
  return { words: words.length, worst };
}
