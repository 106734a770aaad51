// service.mjs - services as clients: password logins (SCRAM and PLAIN, RFC 5802 and 4616) over any of the transports.
import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';
import { Client, Refused } from './client.mjs';
import { equal, ok } from './harness.mjs';
import { TcpClient } from './tcp.mjs';
import { NS } from './xml.mjs';

const hashes = { 'SCRAM-SHA-1': 'sha1', 'SCRAM-SHA-256': 'sha256' };
const hmac = (hash, key, text) => createHmac(hash, key).update(text).digest();
const base64 = (text) => Buffer.from(text).toString('base64');

/** <auth/> or <response/>, and what the server says to it. */
async function say(c, name, data, mechanism) {
  const since = c.mark();
  const more = mechanism ? ` mechanism='${mechanism}'` : '';
  c.send(`<${name} xmlns='${NS.sasl}'${more}>${data}</${name}>`);
  const answer = await c.waitFor((e) => e.ns === NS.sasl, { since, what: `an answer to <${name}/>` });
  if (answer.local === 'failure') throw new Refused('sasl', answer);
  return answer;
}

/** Proves the password; the stream is open. lazy: <auth/> comes without an initial response. */
export async function prove(c, { user, password, mechanism = 'SCRAM-SHA-256', lazy = false, actsAs = '' }) {
  let first;
  if (mechanism === 'PLAIN') first = `${actsAs}\0${user}\0${password}`;
  else first = `n,${actsAs ? `a=${actsAs}` : ''},n=${user.replace(/=/g, '=3D').replace(/,/g, '=2C')},r=${randomBytes(12).toString('hex')}`;
  let answer = await say(c, 'auth', lazy ? '' : base64(first), mechanism);
  if (lazy) {
    equal(`${answer.local}:${answer.text}`, 'challenge:', 'the server asks the client to begin');
    answer = await say(c, 'response', base64(first));
  }
  if (mechanism === 'PLAIN') return answer;
  const hash = hashes[mechanism];
  const challenge = Buffer.from(answer.text, 'base64').toString();
  const part = Object.fromEntries(challenge.split(',').map((p) => [p[0], p.slice(2)]));
  const bare = first.slice(first.indexOf(',', 2) + 1);
  c.challenge = part;
  ok(part.r.startsWith(/r=(.*)$/.exec(bare)[1]), 'the nonce goes on');
  ok(Number(part.i) >= 4096, 'iterations', part.i);
  const salted = pbkdf2Sync(password, Buffer.from(part.s, 'base64'), Number(part.i), hash === 'sha1' ? 20 : 32, hash);
  const client = hmac(hash, salted, 'Client Key');
  const without = `c=${base64(first.slice(0, first.length - bare.length))},r=${part.r}`;
  const said = `${bare},${challenge},${without}`;
  const signature = hmac(hash, createHash(hash).update(client).digest(), said);
  const proof = Buffer.from(client.map((b, i) => b ^ signature[i])).toString('base64');
  const last = await say(c, 'response', base64(`${without},p=${proof}`));
  const server = hmac(hash, hmac(hash, salted, 'Server Key'), said).toString('base64');
  equal(Buffer.from(last.text, 'base64').toString(), `v=${server}`, 'the server proves that it knows the password too');
  return last;
}

/** A connection over TCP, inside TLS, that has not said who it is. */
export async function openTcp(server, how = {}) {
  const c = new TcpClient(server, how);
  await c.dial(how);
  return c;
}

/** A service that has logged in; by: 'tcp' or 'ws'. */
export async function serve(server, jid, password, { by = 'tcp', resource = '', how = {}, ...proof } = {}) {
  const [user, domain] = jid.split('@');
  const c = await (by === 'tcp' ? openTcp(server, how) : Client.open(server, how));
  try {
    await c.hello(domain);
    await prove(c, { user, password, ...proof });
    await c.hello(domain);
    const bound = await c.iq('set', null, `<bind xmlns='${NS.bind}'>${resource && `<resource>${resource}</resource>`}</bind>`);
    c.jid = bound.path('bind', 'jid').text;
  } catch (e) {
    c.drop();
    throw e;
  }
  return c;
}
