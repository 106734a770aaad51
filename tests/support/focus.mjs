// focus.mjs - a focus outside for a test: the process of outside_focus.py, what it was told and what it was asked.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fail, ok, until } from './harness.mjs';
import { ROOT } from './server.mjs';

export class OutsideFocus {
  static async start(server, { jid = `focus@auth.${server.domain}`, password, resource = 'f', expect = true } = {}) {
    const f = new OutsideFocus();
    f.said = [];
    f.log = '';
    f.serial = 0;
    f.waiting = new Map();
    f.child = spawn('/usr/bin/python3', ['-u', join(ROOT, 'tests/support/outside_focus.py')], { stdio: ['pipe', 'pipe', 'pipe'] });
    f.child.stderr.setEncoding('utf8').on('data', (d) => { f.log += d; });
    f.child.stdin.on('error', () => {});
    f.ended = new Promise((done) => { f.child.on('close', done); });
    createInterface({ input: f.child.stdout }).on('line', (line) => f.take(JSON.parse(line)));
    f.jid = await f.order('connect', { jid: `${jid}/${resource}`, password, host: '127.0.0.1', port: server.config.xmpp_port });
    if (expect) ok(f.jid, 'the focus must be let in', f.log);
    return f;
  }

  take(line) {
    if (line.n === undefined) { this.said.push(line); return; }
    const w = this.waiting.get(line.n);
    this.waiting.delete(line.n);
    if (line.wrong) w?.no(new Error(`the focus: ${line.wrong}`));
    else w?.done(line.result);
  }

  order(what, more = {}) {
    const n = (this.serial += 1);
    this.child.stdin.write(`${JSON.stringify({ n, do: what, ...more })}\n`);
    return new Promise((done, no) => {
      const timer = setTimeout(() => no(new Error(`the focus did not ${what}: ${this.log.slice(-800)}`)), 15000);
      this.waiting.set(n, { done: (r) => { clearTimeout(timer); done(r); }, no: (e) => { clearTimeout(timer); no(e); } });
    });
  }

  mark() { return this.said.length; }

  async hears(key, { since = 0, where = () => true } = {}) {
    return until(() => this.said.slice(since).find((s) => key in s && where(s)), { what: `the focus to be told of ${key}` });
  }

  /** As a process that is killed. */
  async crash() {
    this.child.kill('SIGKILL');
    await this.ended;
    if (/Traceback/.test(this.log)) fail('the focus broke:', this.log);
  }
}
