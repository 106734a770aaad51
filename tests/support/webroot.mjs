// webroot.mjs - an installed jitsi-meet in small: the fixture with compressed variants, binaries and a big file.
import { cpSync, mkdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { ROOT, temporaryFolder } from './server.mjs';

export const FIXTURE = join(ROOT, 'tests/fixtures/web-root');
export const BIG = 20 << 20;

/** A config.js as an administrator has it, with the includes of the stock one. */
export const THEIR_CONFIG = `var subdir = '<!--# echo var="subdir" default="" -->';
var subdomain = '<!--# echo var="subdomain" default="" -->';
var config = {
  theirs: true, hosts: { domain: 'meet.jitsi', muc: 'muc.meet.jitsi', focus: 'focus.meet.jitsi' },
  websocket: location.origin.replace('http', 'ws') + '/' + subdir + 'xmpp-websocket',
  subdomain: subdomain, p2p: { enabled: true, stunServers: [] },
};
`;

export function makeWebRoot() {
  const folder = join(temporaryFolder('web-root'), 'jitsi-meet');
  cpSync(FIXTURE, folder, { recursive: true });
  for (const d of ['fonts', 'sounds', '.well-known', '.git']) mkdirSync(join(folder, d));
  writeFileSync(join(folder, 'libs/tiny.wasm'), Buffer.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]));
  writeFileSync(join(folder, 'fonts/f.woff2'), 'wOF2');
  writeFileSync(join(folder, 'sounds/s.mp3'), Buffer.from(Array.from({ length: 2048 }, (_, i) => i & 255)));
  writeFileSync(join(folder, '.well-known/thing.json'), '{}');
  writeFileSync(join(folder, '.git/config'), 'secret');
  const packed = '// a long script\n'.repeat(1000);
  writeFileSync(join(folder, 'libs/packed.js'), packed);
  writeFileSync(join(folder, 'libs/packed.js.gz'), gzipSync(packed));
  writeFileSync(join(folder, 'libs/packed.js.br'), brotliCompressSync(packed));
  writeFileSync(join(folder, 'libs/edited.js'), '// newer than its variant\n');
  writeFileSync(join(folder, 'libs/edited.js.gz'), gzipSync('// old\n'));
  const old = new Date(Date.now() - 1e8);
  utimesSync(join(folder, 'libs/edited.js.gz'), old, old);
  const big = Buffer.alloc(BIG);
  for (let i = 0; i < BIG; i += 4) big.writeUInt32LE(i, i);
  writeFileSync(join(folder, 'libs/big.bin'), big);
  return folder;
}

export const text = (path) => readFileSync(path, 'utf8');
