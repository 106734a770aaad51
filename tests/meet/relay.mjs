// A wire between a page and the server that tests can cut.
import { createConnection, createServer } from 'node:net';

/**
 * cut(): both ends see it. cut('near'): only the page does, to the server the connection stands. cut('mute'): nobody does, and no byte
 * comes through any more. Until mend() no new connection does either; what was cut never comes back.
 */
export async function relay(port) {
  const open = new Set();
  let cut = '';
  const listener = createServer((near) => {
    near.on('error', () => {});
    if (cut) return void near.destroy();
    const far = createConnection(port, '127.0.0.1');
    far.on('error', () => {});
    const wire = { near, far, lost: '' };
    open.add(wire);
    for (const [one, other] of [[near, far], [far, near]]) {
      one.on('data', (bytes) => { if (!wire.lost) other.write(bytes); });
      one.on('close', () => {
        if (wire.lost) return;
        open.delete(wire);
        other.destroy();
      });
    }
    return undefined;
  });
  await new Promise((done, failed) => listener.once('error', failed).listen(0, '127.0.0.1', done));
  return {
    port: listener.address().port,
    cut(how = 'both') {
      cut = how;
      for (const wire of open) {
        wire.lost ||= how;
        if (how !== 'mute') wire.near.destroy();
        if (how === 'both') wire.far.destroy();
      }
    },
    mend() { cut = ''; },
    close() {
      for (const { near, far } of open) { near.destroy(); far.destroy(); }
      listener.close();
    },
  };
}

/** Where the server is for somebody behind the wire. */
export const through = (where, wire) => ({
  ...where, url: `http://localhost:${wire.port}`, websocket: `ws://localhost:${wire.port}/xmpp-websocket`,
});
