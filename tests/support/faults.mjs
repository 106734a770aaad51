// faults.mjs - makes a server of a build for tests fail one allocation, from outside (src/base/mem.h).
import { closeSync, openSync, readSync, writeFileSync, writeSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { equal, ok, sleep } from './harness.mjs';
import { temporaryFolder } from './server.mjs';

/** struct mem_faults, in a file that the server has mapped. */
export class Faults {
  constructor() {
    this.path = join(temporaryFolder(), 'faults');
    writeFileSync(this.path, Buffer.alloc(24));
    this.fd = openSync(this.path, 'r+');
    this.bytes = Buffer.alloc(16);
    if (process.env.TRACE) writeSync(this.fd, Buffer.from([1]), 0, 1, 16);
  }

  /** The n-th allocation from now on fails; 0: none. What is counted starts again. */
  arm(n) {
    this.bytes.writeBigInt64LE(BigInt(n), 0);
    this.bytes.writeBigInt64LE(0n, 8);
    writeSync(this.fd, this.bytes, 0, 16, 0);
  }

  look() {
    readSync(this.fd, this.bytes, 0, 16, 0);
    return { next: Number(this.bytes.readBigInt64LE(0)), counted: Number(this.bytes.readBigInt64LE(8)) };
  }

  /** When nothing is allocated any more: what there is to do is done. */
  async quiet() {
    for (let before = -1, still = 0; still < 2;) {
      const { counted } = this.look();
      still = counted === before ? still + 1 : 0;
      before = counted;
      await sleep(1);
    }
    return this.look();
  }

  close() { closeSync(this.fd); }
}

/** One question to the control socket. */
export function ask(server, question) {
  return new Promise((done, no) => {
    let text = '';
    const c = connect(join(server.state, 'control.sock'));
    c.setEncoding('utf8').on('data', (d) => { text += d; }).on('error', no)
      .on('close', () => {
        if (!text) no(new Error('socket hang up'));
        try { done(JSON.parse(text)); } catch (e) { no(e); }
      });
    c.write(`${JSON.stringify(question)}\n`);
  });
}

/** FULL=1: every allocation of an operation fails once, else so many of them. */
export const FULL = process.env.FULL === '1';

/**
 * once(n) plays an operation while its n-th allocation fails (0: none) and says { outcome, hit, counted }. Plays it with
 * all its memory first, so that what is made once is there, then with `samples` of its allocations failing, one each time.
 */
export async function starve(once, name, samples) {
  let most = 0;
  for (let i = 0; i < 3; i += 1) {
    const quiet = await once(0);
    equal(quiet.outcome, 'done', `${name} with all the memory it wants`);
    most = quiet.counted;
  }
  ok(most > 0, `${name} allocates`);
  const step = FULL ? 1 : Math.max(1, Math.floor(most / samples));
  const ends = { done: 0, refused: 0, closed: 0 };
  let tried = 0;
  for (let n = 1; n <= most; n += step) {
    const r = await once(n);
    tried += r.hit;
    if (r.hit) ends[r.outcome] += 1;
  }
  ok(tried > 0, `${name}: an allocation failed`);
  const { done, refused, closed } = ends;
  console.log(`# ${name}: ${most} allocations, ${tried} failed once: ${done} done all the same, ${refused} refused, ${closed} closed`);
  return { most, tried, ...ends };
}
