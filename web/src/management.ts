// The counts of stream management (XEP-0198): what was handled, and what the server may not have got yet.

import { NS, Xml, attr, x } from './xml';

const COUNTED = new Set(['iq', 'message', 'presence']);
const UNACKNOWLEDGED = 5;
const LAST = 2 ** 32 - 1; // the next count is 0

export class Management {
  private handled = 0;
  private acknowledged = 0;
  private kept: string[] = [];
  private asked = false;

  /** Of a stream that can be resumed by that id for so long. */
  constructor(readonly id: string, readonly windowMs: number) {}

  /** Keeps what is sent. */
  sent(stanza: Xml): void {
    if (COUNTED.has(stanza.name)) this.kept.push(stanza.toString());
  }

  /** So much is not acknowledged that the server is to be asked, once. */
  shouldAsk(): boolean {
    if (this.asked || this.kept.length < UNACKNOWLEDGED) return false;
    this.asked = true;
    return true;
  }

  /** Counts a stanza that came. */
  came(stanza: Element): void {
    if (COUNTED.has(stanza.localName)) this.handled = (this.handled + 1) >>> 0;
  }

  answer(): Xml {
    return x('a', { xmlns: NS.sm, h: this.handled });
  }

  resume(): Xml {
    return x('resume', { xmlns: NS.sm, previd: this.id, h: this.handled });
  }

  /** The server says in <a/> or <resumed/> how many it has handled; false: it cannot be that many. */
  learn(from: Element): boolean {
    const said = attr(from, 'h');
    const h = Number(said);
    const news = (h - this.acknowledged) >>> 0;
    if (!/^\d{1,10}$/.test(said) || h > LAST || news > this.kept.length) return false;
    this.asked = false;
    this.kept.splice(0, news);
    this.acknowledged = h;
    return true;
  }

  /** What has to be sent again, in its order. */
  get unacknowledged(): readonly string[] {
    return this.kept;
  }
}
