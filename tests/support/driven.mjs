// driven.mjs - programs that drive clients of libraries which are not JavaScript: one process of each for a whole test
// file, lines of JSON to and from it. The lines are those of slixmpp_client.py and libstrophe_client.c.
import { execFileSync, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { ending, fail, ok } from './harness.mjs';
import { ROOT, temporaryFolder } from './server.mjs';

const here = join(ROOT, 'tests/support');

const PROGRAMS = {
  // Debian's own interpreter, for which slixmpp is packaged
  slixmpp: () => ['/usr/bin/python3', ['-u', join(here, 'slixmpp_client.py')]],
  libstrophe: () => {
    const program = join(temporaryFolder('libstrophe'), 'client');
    execFileSync('gcc', ['-std=c17', '-D_GNU_SOURCE', '-Wall', '-Wextra', '-Werror', '-O1', '-g', '-fsanitize=address,undefined', '-o', program,
      join(here, 'libstrophe_client.c'), '-lstrophe', '-ljansson'], { stdio: ['ignore', 'ignore', 'pipe'] });
    return [program, []];
  },
};

class Program {
  constructor(name) {
    const [command, args] = PROGRAMS[name]();
    this.name = name;
    this.clients = [];
    this.asked = new Map();
    this.serial = 0;
    this.log = '';
    this.child = spawn(command, args, {
      stdio: ['pipe', 'pipe', 'pipe'],
      // libstrophe keeps what it has until its context ends, which is the end of the process
      env: { ...process.env, ASAN_OPTIONS: 'detect_leaks=0' },
    });
    this.child.stderr.setEncoding('utf8').on('data', (d) => { this.log += d; });
    this.child.on('error', (e) => this.gone(String(e)));
    this.ended = new Promise((done) => {
      this.child.on('close', (code, signal) => { this.gone(`${name} ended with ${signal ?? code}: ${this.log.slice(-1500)}`); done(code); });
    });
    createInterface({ input: this.child.stdout }).on('line', (line) => this.take(line));
    ending(`the program of ${name} ends well`, () => this.stop());
  }

  take(text) {
    if (!text.startsWith('{')) { this.log += `${text}\n`; return; }
    const line = JSON.parse(text);
    if (line.presence) this.clients[line.c].presences.push(line.presence);
    if (line.message) this.clients[line.c].messages.push(line.message);
    if (line.n === undefined) return;
    const wanted = this.asked.get(line.n);
    this.asked.delete(line.n);
    if (line.refused) wanted?.no(line.refused);
    else wanted?.done(line.result);
  }

  gone(why) {
    for (const { no } of this.asked.values()) no(new Error(why));
    this.asked.clear();
  }

  enlist(client) { return this.clients.push(client) - 1; }

  ask(c, what, details) {
    const n = (this.serial += 1);
    return new Promise((done, no) => {
      this.asked.set(n, { done, no });
      this.child.stdin.write(`${JSON.stringify({ c, n, do: what, ...details })}\n`);
    });
  }

  async stop() {
    this.child.stdin.end();
    const timer = setTimeout(() => this.child.kill('SIGKILL'), 5000);
    const code = await this.ended;
    clearTimeout(timer);
    ok(code === 0, `${this.name} ended with ${code}:`, this.log);
  }
}

const running = new Map();

/** The program of that library, started when it is first asked for. */
export function program(name) {
  if (!(name in PROGRAMS)) fail(`there is no program for ${name}`);
  if (!running.has(name)) running.set(name, new Program(name));
  return running.get(name);
}
