// runs.mjs - what the benchmarks share: cores, the load tool, progress lines, medians.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, release } from 'node:os';

const began = Date.now();
export const elapsed = () => (Date.now() - began) / 1000;
export const progress = (text) => console.log(`[${elapsed().toFixed(1).padStart(6)} s] ${text}`);

/** Cores that this process may use. */
export function cores() {
  const list = /^Cpus_allowed_list:\s*(\S+)/m.exec(readFileSync('/proc/self/status', 'utf8'))[1];
  return list.split(',').flatMap((part) => {
    const [a, b = a] = part.split('-').map(Number);
    return Array.from({ length: b - a + 1 }, (_, i) => a + i);
  });
}

export const machine = () => `${cpus()[0].model.trim()}, ${cpus().length} cores, Linux ${release()}`;

/** Starts a load tool on a server; its lines of JSON go to `line`. `ended` resolves when it has ended well. */
export function startLoad(tool, server, options, phases, line) {
  const args = [...server.loadOptions(), '--port', server.port, '--pid', server.pid, ...options, ...phases];
  const child = spawn(tool, args.map(String), { stdio: ['pipe', 'pipe', 'inherit'] });
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  child.on('close', () => process.off('exit', kill));
  let rest = '';
  child.stdout.setEncoding('utf8').on('data', (d) => {
    const lines = (rest + d).split('\n');
    rest = lines.pop();
    for (const l of lines) line(JSON.parse(l));
  });
  const ended = new Promise((done, no) => {
    child.on('close', (code) => (code === 0 ? done() : no(new Error(`the load on ${server.name} ended with ${code}\n${server.said}${server.log()}`))));
  });
  return { child, ended };
}

export const median = (v) => {
  const s = [...v].sort((a, b) => a - b);
  return s.length % 2 ? s[(s.length - 1) / 2] : (s[s.length / 2 - 1] + s[s.length / 2]) / 2;
};
export const geometric = (v) => Math.exp(v.reduce((a, x) => a + Math.log(x), 0) / v.length);
export const round = (x, digits = 2) => Number(x.toFixed(digits));
export const spread = (v, digits = 2) => (v.length
  ? `${median(v).toFixed(digits)} (${Math.min(...v).toFixed(digits)}-${Math.max(...v).toFixed(digits)}, ${v.length})` : '-');
