// run.mjs - runs every flow test (or those whose file name holds one of the arguments), two files at a time, as one TAP
// stream. GAVEL_WORKERS=N and GAVEL_PLACE=wrong say how the servers spread their work (tests/support/server.mjs).
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
// The long ones first, so that two cores end together.
const WANTED = process.argv.slice(2);
const HOW = [['GAVEL_WORKERS', 'workers'], ['GAVEL_PLACE', 'place']].filter(([k]) => process.env[k])
  .map(([k, name]) => `${name}=${process.env[k]}`).join(' ');
const LONG = ['vectors', 'moderation', 'hostile', 'names', 'scale'];
const rank = (f) => { const i = LONG.findIndex((w) => f.startsWith(w)); return i < 0 ? LONG.length : i; };
const files = readdirSync(here).filter((f) => f.endsWith('.test.mjs') && (!WANTED.length || WANTED.some((w) => f.includes(w))))
  .sort((a, b) => rank(a) - rank(b) || a.localeCompare(b));
const PARALLEL = Number(process.env.FLOW_PARALLEL ?? 2);
const LIMIT = 540000;

let n = 0;
let failed = 0;

function report(passed, name, notes = []) {
  n += 1;
  if (!passed) failed += 1;
  console.log(`${passed ? 'ok' : 'not ok'} ${n} - ${HOW ? `[${HOW}] ` : ''}${name}`);
  for (const line of notes) console.log(line);
}

/** One file in a process of its own; each of its tests is reported when its notes are complete. */
function play(file) {
  return new Promise((done) => {
    const { ONLY, ...env } = process.env; // a developer's choice of single tests never reaches the whole run
    const child = spawn(process.execPath, [join(here, file)], { stdio: ['ignore', 'pipe', 'pipe'], env });
    const timer = setTimeout(() => { notes.push(`#   killed after ${LIMIT} ms`); child.kill('SIGKILL'); }, LIMIT);
    let current = null;
    let notes = [];
    let plan = null;
    let seen = 0;
    const flush = () => {
      if (current) report(current.passed, `${file}: ${current.name}`, notes);
      else for (const line of notes) console.log(line);
      current = null;
      notes = [];
    };
    createInterface({ input: child.stdout }).on('line', (line) => {
      const m = /^(not )?ok \d+ - (.*)$/.exec(line);
      const p = /^1\.\.(\d+)$/.exec(line);
      if (m) {
        flush();
        seen += 1;
        current = { passed: !m[1], name: m[2] };
      } else if (p) plan = Number(p[1]);
      else notes.push(line.startsWith('#') ? line : `# ${line}`);
    });
    createInterface({ input: child.stderr }).on('line', (line) => notes.push(`# ${line}`));
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      const orphaned = notes;
      flush();
      if (plan === null || plan !== seen) report(false, `${file}: ended before its last test (${signal ?? code}, ${seen} of ${plan ?? '?'})`, orphaned);
      done();
    });
  });
}

const queue = [...files];
const began = Date.now();
await Promise.all(Array.from({ length: PARALLEL }, async () => {
  while (queue.length) await play(queue.shift());
}));
if (!files.length) report(false, `no flow test is called ${WANTED.join(' or ')}`);
console.log(`1..${n}`);
console.log(`# ${n - failed} passed, ${failed} failed, ${Math.round((Date.now() - began) / 1000)} s`);
process.exitCode = failed ? 1 : 0;
