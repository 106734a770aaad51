// doors.mjs - by which door the clients of a run come where a test asks for none: GAVEL_DOOR=wss|tcp|bosh, else WebSocket
// (server.mjs opens that door). Nothing else changes: every test expects the same of each.
import { BoshClient } from './bosh.mjs';
import { Client } from './client.mjs';
import { TcpClient } from './tcp.mjs';

/** One by BOSH who says when he goes, as a page does that is left: the server would wait a minute for his next request. */
class Polite extends BoshClient {
  static door = 'bosh';

  drop() {
    if (!this.closed && this.sid) this.ask('', "type='terminate'");
    this.ended({ code: 1006 });
    setTimeout(() => this.abort(), 500).unref();
    this.server.clients?.delete(this);
  }
}

const DOOR = process.env.GAVEL_DOOR || 'ws';
const KINDS = { ws: Client, wss: Client, tcp: TcpClient, bosh: Polite };
if (!(DOOR in KINDS)) throw new Error(`GAVEL_DOOR=${DOOR}: there is no such door`);

/** XMPP over TCP has no URL: who shows a token there, names a room or writes a header comes by WebSocket. */
const needsUrl = ({ token, room, query, headers, host }) => [token, room, query, headers, host].some((x) => x !== undefined);

export function kindFor(options) {
  if (options.path !== undefined || options.tls || options.port !== undefined) return Client;
  return DOOR === 'tcp' && needsUrl(options) ? Client : KINDS[DOOR];
}
