// The browser tests: `node tests/meet/run.mjs [words]` runs those whose names contain the words. TAP on standard output;
// pictures go to $OUT (build/meet). Needs chromium ($CHROMIUM, /usr/bin/chromium) and a built gavel ($GAVEL).
// $LIB_JITSI_MEET: another build of the client library (global JitsiMeetJS) in place of npm's of 2021.
import { readdirSync } from 'node:fs';

if (process.argv[2]) process.env.ONLY = process.argv[2];
const { run } = await import('../support/harness.mjs');
const { mustExist } = await import('../support/server.mjs');
mustExist();
const order = ['page-parts', 'page-stream', 'exchange', 'secure', 'control', 'names', 'moderate', 'chat', 'refusals', 'restart',
  'resume', 'web-root', 'looks'];
const files = readdirSync(new URL('.', import.meta.url)).filter((f) => f.endsWith('.test.mjs'))
  .sort((a, b) => order.indexOf(a.split('.')[0]) - order.indexOf(b.split('.')[0]));
for (const file of files) await import(`./${file}`);
await run();
