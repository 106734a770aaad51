// suite.mjs - plays the test files of a folder, each in a process of its own, as one TAP stream.
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const LIMIT = 540000;

/** The folder's *.test.mjs files whose name holds one of `wanted` (none: all), `first` ones first. */
export function testFiles(folder, wanted, first = []) {
  const rank = (f) => { const i = first.findIndex((w) => f.startsWith(w)); return i < 0 ? first.length : i; };
  return readdirSync(folder).filter((f) => f.endsWith('.test.mjs') && (!wanted.length || wanted.some((w) => f.includes(w))))
    .sort((a, b) => rank(a) - rank(b) || a.localeCompare(b));
}

/** Plays `files`, `parallel` at a time; `how` stands before each name. Sets the exit code. */
export async function play(folder, files, { parallel = 1, how = '', kind = 'test', wanted = [] } = {}) {
  let n = 0;
  let failed = 0;

  function report(passed, name, notes = []) {
    n += 1;
    if (!passed) failed += 1;
    console.log(`${passed ? 'ok' : 'not ok'} ${n} - ${how ? `[${how}] ` : ''}${name}`);
    for (const line of notes) console.log(line);
  }

  /** One file; each of its tests is reported when its notes are complete. */
  function one(file) {
    return new Promise((done) => {
      const { ONLY, ...env } = process.env; // a developer's choice of single tests never reaches the whole run
      const child = spawn(process.execPath, [join(folder, file)], { stdio: ['ignore', 'pipe', 'pipe'], env });
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
  await Promise.all(Array.from({ length: parallel }, async () => {
    while (queue.length) await one(queue.shift());
  }));
  if (!files.length) report(false, `no ${kind} is called ${wanted.join(' or ')}`);
  console.log(`1..${n}`);
  console.log(`# ${n - failed} passed, ${failed} failed, ${Math.round((Date.now() - began) / 1000)} s`);
  process.exitCode = failed ? 1 : 0;
}
