// certificates.mjs - keys and certificates for a test, made by the openssl command; and an HTTPS request that looks at them.
import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { connect } from 'node:tls';

const openssl = (...args) => execFileSync('openssl', args, { stdio: ['ignore', 'pipe', 'pipe'] });

/** A self-signed certificate in a folder: { certificate, key, pem }. days: -1 has expired. */
export function makeCertificate(folder, name, { names = [name], days = 30, type = 'ec', password = null } = {}) {
  const at = (ending) => join(folder, `${name}.${ending}`);
  const alternative = names.map((n) => (/^[0-9.]+$|:/.test(n) ? `IP:${n}` : `DNS:${n}`)).join(',');
  if (type === 'ec') openssl('ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', at('key'));
  else openssl('genrsa', '-out', at('key'), '2048');
  openssl('req', '-new', '-key', at('key'), '-subj', `/CN=${name}`, '-addext', `subjectAltName=${alternative}`, '-out', at('csr'));
  openssl('x509', '-req', '-in', at('csr'), '-signkey', at('key'), '-days', String(days), '-copy_extensions', 'copyall', '-out', at('crt'));
  rmSync(at('csr'));
  if (password) {
    openssl('pkey', '-in', at('key'), '-aes256', '-passout', `pass:${password}`, '-out', at('locked'));
    return { certificate: at('crt'), key: at('locked'), pem: readFileSync(at('crt')) };
  }
  return { certificate: at('crt'), key: at('key'), pem: readFileSync(at('crt')) };
}

/** The certificate that a server shows for a name, or the error of the handshake. */
export function shown(port, { servername, host = '127.0.0.1', ...options } = {}) {
  return new Promise((done, no) => {
    const s = connect({ host, port, servername, rejectUnauthorized: false, ...options }, () => {
      const c = s.getPeerCertificate();
      const seen = { cn: c.subject?.CN, names: c.subjectaltname, fingerprint: c.fingerprint256, version: s.getProtocol(), until: c.valid_to };
      s.destroy();
      done(seen);
    });
    s.on('error', no);
    s.setTimeout(5000, () => s.destroy(new Error('timed out')));
  });
}

export function getHttps(port, path, { host = '127.0.0.1', method = 'GET', headers = {}, ...tls } = {}) {
  return new Promise((done, no) => {
    const r = request({ host, port, path, method, headers, agent: false, timeout: 5000, rejectUnauthorized: false, ...tls }, (res) => {
      const parts = [];
      res.on('data', (c) => parts.push(c));
      res.on('end', () => done({ status: res.statusCode, headers: res.headers, body: Buffer.concat(parts).toString() }));
    });
    r.on('error', no);
    r.on('timeout', () => r.destroy(new Error('timed out')));
    r.end();
  });
}
