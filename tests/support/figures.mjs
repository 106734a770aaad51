// figures.mjs - for tests of figures: the commands of bench/, run to their end, and the JSON object of their last line.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fail, ok } from './harness.mjs';
import { ROOT } from './server.mjs';

const SERVER = resolve(ROOT, process.env.GAVEL_RELEASE || 'build/gavel'); // never one with sanitizers
const BENCH = resolve(ROOT, process.env.BENCH || 'build/release/bench');

/** A tool of bench/ as built, or the server. */
export const tool = (name) => {
  const path = name === 'gavel' ? SERVER : join(BENCH, name);
  ok(existsSync(path), `no binary at ${path}; make bench-tools builds it, or set BENCH`);
  return path;
};
export const script = (name) => join(ROOT, 'bench', name);

/** Runs a command; its lines become notes of the test, the last one is the result. */
export function figures(command, args, env = {}) {
  return new Promise((done, no) => {
    const child = spawn(command, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } });
    let out = '';
    child.stdout.setEncoding('utf8').on('data', (d) => { out += d; });
    child.stderr.setEncoding('utf8').on('data', (d) => { out += d; });
    child.on('error', no);
    child.on('close', (code, signal) => {
      const lines = out.split('\n').filter(Boolean);
      try {
        if (code !== 0) fail(`${command} ${args.join(' ')} ended with ${signal ?? code}:`, lines.slice(-30).join('\n'));
        for (const l of lines.slice(0, -1)) console.log(`# ${l}`);
        done(JSON.parse(lines.at(-1)));
      } catch (e) {
        no(e);
      }
    });
  });
}
