// The connection of one of two is cut for ten seconds: he comes back as if nothing had been, and nobody saw him leave.
import { createConnection, createServer } from 'node:net';
import { equal, match, ok, same, sleep } from '../support/harness.mjs';
import { until } from './browser.mjs';
import { ada, ben, come, expectMedia, expectPeople, meet, newRoom, server } from './scene.mjs';

const AWAY_MS = 10_000;

/** Passes bytes on between a page and the server, until it is cut: then what stands breaks and nothing comes through. */
async function relay(port) {
  const open = new Set();
  let cut = false;
  const listener = createServer((near) => {
    near.on('error', () => {});
    if (cut) return void near.destroy();
    const far = createConnection(port, '127.0.0.1');
    far.on('error', () => {});
    for (const [one, other] of [[near, far], [far, near]]) {
      open.add(one);
      one.on('close', () => { open.delete(one); other.destroy(); });
      one.pipe(other);
    }
    return undefined;
  });
  await new Promise((done, failed) => listener.once('error', failed).listen(0, '127.0.0.1', done));
  return {
    port: listener.address().port,
    cut() { cut = true; for (const socket of open) socket.destroy(); },
    mend() { cut = false; },
    close() { this.cut(); listener.close(); },
  };
}

const through = (where, port) => ({ ...where, url: `http://localhost:${port}`, websocket: `ws://localhost:${port}/xmpp-websocket` });
const said = (client, text) => client.messages().then((all) => all.filter((m) => m.text === text).length);

for (const kind of ['page', 'library']) {
  meet(`resume: ${kind}, cut off for ten seconds: same role, same name, no leave, and what was said arrives once`, async () => {
    const where = await server('resume');
    const room = newRoom('resume');
    const wire = await relay(where.process.port);
    try {
      const a = await come('page', where, ben(where, room));
      const b = await come(kind, through(where, wire.port), ada(where, room));
      await expectPeople(a, b);
      await expectMedia(a, b);
      const me = async () => (await b.people()).find((p) => p.me);
      const before = await me();
      const ofB = () => a.tab.received().filter((f) => /^<presence/.test(f) && f.includes(`/${before.id}'`));
      const seen = ofB().length;
      ok(seen > 0, 'presences are counted');
      const sockets = () => b.tab.frames.filter((f) => /^\. open/.test(f));
      const opened = sockets().length;

      wire.cut();
      const cutAt = Date.now();
      if (kind === 'page') await b.part('reconnecting').waitFor();
      await until('the server to notice', () => new RegExp(`occupant=${before.id} .*event=hibernate`).test(where.process.log));
      await a.say('said meanwhile');
      await sleep(AWAY_MS - (Date.now() - cutAt));
      equal(await said(b, 'said meanwhile'), 0, 'it was really cut');
      wire.mend();
      await until('what was said meanwhile', async () => await said(b, 'said meanwhile') > 0, 20);
      ok(sockets().length > opened, 'another connection', sockets());
      match(sockets().at(-1), /previd=/, 'its address');
      if (kind === 'page') {
        await b.part('meeting').waitFor();
        await b.part('reconnecting').waitFor({ state: 'detached' });
      }
      await b.say('and back');
      await until('the answer', async () => await said(a, 'and back') > 0);
      await expectPeople(a, b);
      await expectMedia(a, b);
      equal((await me()).id, before.id, 'the occupant');
      same(ofB().slice(seen).filter((f) => /type='unavailable'/.test(f)), [], 'leaves');
      if (kind === 'page') same(ofB().slice(seen), [], 'presences of who was away');
      equal(await said(b, 'said meanwhile'), 1, 'copies of what was said meanwhile');
      equal(await said(a, 'and back'), 1, 'copies of the answer');
    } finally {
      wire.close();
    }
  }, 75);
}
