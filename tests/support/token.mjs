// token.mjs - makes tokens as an issuer would: any claims, any header, any algorithm, also wrong ones on purpose.
import { constants, createHmac, generateKeyPairSync, sign } from 'node:crypto';

const b64 = (bytes) => Buffer.from(bytes).toString('base64url');

export const now = () => Math.floor(Date.now() / 1000);

/** Signs what the header's alg says. key: a secret string for HS*, a private KeyObject otherwise. */
export function signature(alg, input, key) {
  const bits = Number(alg.slice(2));
  const hash = `sha${bits}`;
  switch (alg.slice(0, 2)) {
    case 'HS': return createHmac(hash, key).update(input).digest();
    case 'RS': return sign(hash, Buffer.from(input), { key, padding: constants.RSA_PKCS1_PADDING });
    case 'PS': return sign(hash, Buffer.from(input),
      { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST });
    case 'ES': return sign(hash, Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' });
    case 'Ed': return sign(null, Buffer.from(input), key);
    default: return Buffer.alloc(0);
  }
}

/** A compact token. claims: an object, or text to be used as it stands. */
export function makeToken(claims, key, { header = { alg: 'HS256', typ: 'JWT' }, state = 'valid' } = {}) {
  const payload = typeof claims === 'string' ? claims : JSON.stringify(claims);
  const input = `${b64(JSON.stringify(header))}.${b64(payload)}`;
  if (state === 'missing') return `${input}.`;
  const bytes = signature(typeof header.alg === 'string' ? header.alg : 'none', input, key);
  if (state === 'invalid') bytes[0] ^= 0x55;
  return `${input}.${b64(bytes)}`;
}

/** Claims with sensible standard members; user goes into context.user. */
export function claimsFor(user, more = {}) {
  const { context = {}, ...rest } = more;
  const claims = {
    iss: 'my_app', aud: 'jitsi', sub: 'meet.jitsi', room: '*', exp: now() + 3600,
    context: { user, ...context }, ...rest,
  };
  for (const k of Object.keys(claims)) if (claims[k] === undefined) delete claims[k];
  return claims;
}

/** A key pair for one algorithm family; the public half as PEM. */
export function keyPair(alg) {
  const make = {
    RS: () => generateKeyPairSync('rsa', { modulusLength: 2048 }),
    PS: () => generateKeyPairSync('rsa', { modulusLength: 2048 }),
    ES: () => generateKeyPairSync('ec', { namedCurve: { 256: 'P-256', 384: 'P-384', 512: 'P-521' }[alg.slice(2)] }),
    Ed: () => generateKeyPairSync('ed25519'),
  }[alg.slice(0, 2)];
  const { privateKey, publicKey } = make();
  return { privateKey, publicKey, pem: publicKey.export({ type: 'spki', format: 'pem' }) };
}
