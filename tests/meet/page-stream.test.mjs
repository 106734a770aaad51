// The page's stream (XEP-0198): what it counts, keeps and sends again, against a server that is played inside the browser.
import { equal, match, ok, same } from '../support/harness.mjs';
import { inside, page } from './parts.mjs';

page('counts: stanzas are counted, other elements are not; what is acknowledged is no longer kept', async () => {
  const seen = await inside(() => {
    const { management: { Management }, xml: { x, parse } } = parts;
    const m = new Management('id-1', 1000);
    const element = (text) => parse(`<${text} xmlns="jabber:client"/>`);
    const a = (h) => parse(`<a xmlns="urn:xmpp:sm:3"${h === null ? '' : ` h="${h}"`}/>`);
    for (const name of ['iq', 'r', 'message', 'presence', 'open', 'a']) m.came(element(name));
    const asked = [];
    for (let i = 1; i <= 7; i++) {
      m.sent(x('message', { id: i }));
      m.sent(x('r', {}));
      asked.push(m.shouldAsk());
    }
    const learnt = [m.learn(a(2)), m.unacknowledged.length, m.shouldAsk(), m.shouldAsk()];
    // None of these can be: more than was sent, less than before, no number.
    const wrong = ['8', '1', '-1', 'x', '', '1e0', '4294967298', '99999999999', ' 3', null].map((h) => m.learn(a(h)));
    const kept = [...m.unacknowledged];
    return { answer: m.answer().toString(), resume: m.resume().toString(), asked, learnt, wrong, kept, still: m.shouldAsk(),
      all: [m.learn(a(7)), m.unacknowledged.length, m.learn(a(7))] };
  });
  match(seen.answer, /h="3"/);
  match(seen.resume, /^<resume .*previd="id-1".*h="3"|^<resume .*h="3".*previd="id-1"/);
  same(seen.asked, [false, false, false, false, true, false, false], 'asks at the fifth, once');
  same(seen.learnt, [true, 5, true, false], 'five of seven are left, and it asks again');
  same(seen.wrong, seen.wrong.map(() => false), 'impossible numbers');
  equal(seen.kept.length, 5, 'what impossible numbers leave');
  match(seen.kept[0], /id="3"/);
  equal(seen.still, false, 'an impossible answer is none');
  same(seen.all, [true, 0, true]);
});

page('counts: begin anew after 2^32 - 1', async () => {
  const seen = await inside(() => {
    const { management: { Management }, xml: { x, parse } } = parts;
    const m = new Management('id', 1000);
    m.acknowledged = 2 ** 32 - 2;
    m.handled = 2 ** 32 - 1;
    for (let i = 0; i < 4; i++) m.sent(x('iq', { id: i }));
    m.came(parse('<iq xmlns="jabber:client"/>'));
    const learn = (h) => m.learn(parse(`<a xmlns="urn:xmpp:sm:3" h="${h}"/>`));
    return [learn(2 ** 32 - 1), m.unacknowledged.length, learn(1), m.unacknowledged.length, m.answer().toString()];
  });
  same(seen.slice(0, 4), [true, 3, true, 1]);
  match(seen[4], /h="0"/);
});

/**
 * Opens a stream to a played server and runs `body(play, stream)` in the browser. play.sockets: each with `url`, `sent` (texts) and
 * say(text), lose(). play.onResume(socket): what is said to <resume/>; play.refuse: no connection comes about.
 */
const withStream = (body, max = 60) => inside(async ({ source, max }) => {
  const { xmpp: { Stream } } = parts;
  const play = { sockets: [], onResume: () => {}, refuse: false, log: [], wait: (ms) => new Promise((r) => setTimeout(r, ms)) };
  const features = (inner) => `<features xmlns="http://etherx.jabber.org/streams">${inner}</features>`;
  window.WebSocket = class {
    static OPEN = 1;
    constructor(url) {
      Object.assign(this, { url, sent: [], logins: 0, readyState: 0 });
      play.sockets.push(this);
      setTimeout(() => {
        if (play.refuse) return this.lose();
        this.readyState = 1;
        return this.onopen?.();
      });
    }
    say(text) { if (this.readyState === 1) this.onmessage?.({ data: text }); }
    lose() { this.readyState = 3; this.onclose?.(); }
    close() { this.readyState = 3; this.closed = true; }
    stanzas() { return this.sent.filter((t) => /^<(iq|message|presence)/.test(t) && !/xmpp-bind|urn:xmpp:ping/.test(t)); }
    send(text) {
      this.sent.push(text);
      setTimeout(() => this.answer(text));
    }
    answer(text) {
      if (/^<open/.test(text)) {
        this.say('<open xmlns="urn:ietf:params:xml:ns:xmpp-framing" version="1.0"/>');
        this.say(features(this.logins ? '<bind xmlns="urn:ietf:params:xml:ns:xmpp-bind"/><sm xmlns="urn:xmpp:sm:3"/>'
          : '<mechanisms xmlns="urn:ietf:params:xml:ns:xmpp-sasl"><mechanism>ANONYMOUS</mechanism></mechanisms>'));
      } else if (/^<auth/.test(text)) {
        this.logins += 1;
        this.say(play.login ?? '<success xmlns="urn:ietf:params:xml:ns:xmpp-sasl"/>');
      } else if (/xmpp-bind/.test(text)) {
        this.say('<iq xmlns="jabber:client" type="result" id="bind"><bind xmlns="urn:ietf:params:xml:ns:xmpp-bind"><jid>me@x/r</jid></bind></iq>');
      } else if (/^<enable/.test(text)) {
        this.say(`<enabled xmlns="urn:xmpp:sm:3" id="sm-1" resume="true" max="${max}"/>`);
      } else if (/^<resume/.test(text)) {
        play.onResume(this);
      }
    }
  };
  const stream = await Stream.open('ws://x/?room=r', 'x');
  stream.onLost = (why, anew) => play.log.push(['lost', why.code, anew]);
  stream.onAway = (away) => play.log.push(['away', away]);
  stream.onStanza = (e) => { play.log.push(['came', e.localName, e.getAttribute('id')]); return true; };
  const msg = (id) => parts.xml.x('message', { xmlns: 'jabber:client', id });
  const until = async (look) => { for (let i = 0; i < 600 && !look(); i++) await play.wait(10); return look(); };
  const result = await new Function('play', 'stream', 'msg', 'until', `return (${source})(play, stream, msg, until)`)(play, stream, msg, until);
  return { result, log: play.log, urls: play.sockets.map((s) => s.url), sockets: play.sockets.map((s) => s.sent), closed: play.sockets.map((s) => !!s.closed),
    stanzas: play.sockets.map((s) => s.stanzas().map((t) => /id="([^"]*)"/.exec(t)[1])) };
}, { source: body.toString(), max });

page('resume: after a cut what was not acknowledged and what was sent meanwhile goes out, once and in order', async () => {
  const seen = await withStream(async (play, stream, msg, until) => {
    const [first] = play.sockets;
    first.say('<presence xmlns="jabber:client" id="p1"/>');
    first.say('<message xmlns="jabber:client" id="p2"/>');
    ['a', 'b', 'c'].forEach((id) => stream.send(msg(id)));
    first.say('<a xmlns="urn:xmpp:sm:3" h="1"/>');
    play.onResume = (s) => {
      s.say('<resumed xmlns="urn:xmpp:sm:3" previd="sm-1" h="2"/>');
      s.say('<message xmlns="jabber:client" id="p3"/>');
      s.say('<r xmlns="urn:xmpp:sm:3"/>');
    };
    first.lose();
    stream.send(msg('d'));
    await until(() => play.log.some(([what, it]) => what === 'away' && !it));
    stream.send(msg('e'));
    await play.wait(50);
  });
  match(seen.urls[1], /room=r&previd=sm-1$/);
  same(seen.stanzas, [['a', 'b', 'c'], ['c', 'd', 'e']]);
  match(seen.sockets[1].find((t) => /^<resume/.test(t)), /h="2"/);
  ok(seen.sockets[1].some((t) => /^<a .*h="3"/.test(t)), 'counts go on', seen.sockets[1]);
  same(seen.log, [['came', 'presence', 'p1'], ['came', 'message', 'p2'], ['away', true], ['away', false], ['came', 'message', 'p3']]);
});

page('resume: a server that does not know the stream, or counts what was never sent, is begun with anew', async () => {
  const failed = '<failed xmlns="urn:xmpp:sm:3"><item-not-found xmlns="urn:ietf:params:xml:ns:xmpp-stanzas"/></failed>';
  for (const answer of [failed, '<resumed xmlns="urn:xmpp:sm:3" previd="sm-1" h="9"/>', '<resumed xmlns="urn:xmpp:sm:3" previd="sm-1"/>']) {
    const seen = await withStream(`async (play, stream, msg, until) => {
      stream.send(msg('a'));
      play.onResume = (s) => s.say('${answer}');
      play.sockets[0].lose();
      await until(() => play.log.length >= 2);
      await play.wait(1300);
    }`);
    same(seen.log, [['away', true], ['lost', 'disconnected', true]], answer);
    same(seen.stanzas, [['a'], []], 'stanzas');
    equal(seen.sockets.length, 2, 'connections');
    ok(seen.closed[1], 'the connection is closed');
    equal(seen.sockets[1].some((t) => /^<close/.test(t)), /resumed/.test(answer), 'what was resumed is ended');
  }
});

page('resume: a refused login ends it; the server not being there does not, until its time is over', async () => {
  const refused = await withStream(async (play, stream, msg, until) => {
    play.login = '<failure xmlns="urn:ietf:params:xml:ns:xmpp-sasl"><not-allowed/><text>Not acceptable by exp (1 sec since expired)</text></failure>';
    play.sockets[0].lose();
    await until(() => play.log.length >= 2);
  });
  same(refused.log, [['away', true], ['lost', 'token-expired', false]]);
  equal(refused.sockets.length, 2, 'connections');

  const absent = await withStream(async (play, stream, msg, until) => {
    play.refuse = true;
    play.sockets[0].lose();
    await until(() => play.sockets.length >= 3);
    stream.hurry();
    await until(() => play.sockets.length >= 4);
    const log = [...play.log];
    play.refuse = false;
    play.onResume = (s) => s.say('<resumed xmlns="urn:xmpp:sm:3" previd="sm-1" h="0"/>');
    await until(() => play.log.length >= 2);
    return log;
  });
  same(absent.result, [['away', true]], 'said while it tries');
  same(absent.log, [['away', true], ['away', false]]);
});

page('resume: closed while away, a stream comes back only to say what was not said, and goes', async () => {
  const seen = await withStream(async (play, stream, msg, until) => {
    play.refuse = true;
    play.sockets[0].lose();
    stream.send(msg('leave'));
    const asked = stream.iq('get', 'x', parts.xml.x('q', {})).catch((e) => e.error.condition);
    const closed = stream.close();
    let over = false;
    void closed.then(() => { over = true; });
    await play.wait(100);
    const early = over;
    play.refuse = false;
    play.onResume = (s) => {
      s.say('<resumed xmlns="urn:xmpp:sm:3" previd="sm-1" h="0"/>');
      s.say('<message xmlns="jabber:client" id="late"/>');
    };
    await until(() => over);
    await play.wait(1200);
    return { early, over, asked: await asked };
  });
  same(seen.result, { early: false, over: true, asked: 'remote-server-timeout' });
  same(seen.log, [['away', true]], 'nobody is told any more');
  const last = seen.sockets.at(-1);
  ok(/^<close/.test(last.at(-1)) && last.some((t) => /id="leave"/.test(t)), 'its last words', last);
});

page('resume: closed while away, it gives up in the end; closed in time, it says so and is gone', async () => {
  const seen = await withStream(async (play, stream, msg, until) => {
    play.refuse = true;
    play.sockets[0].lose();
    const began = Date.now();
    await stream.close();
    const took = Date.now() - began;
    const before = play.sockets.length;
    await play.wait(1300);
    return { took, more: play.sockets.length - before };
  }, 2);
  ok(seen.result.took > 1500 && seen.result.more === 0, 'ms, and attempts afterwards', seen.result);
  const orderly = await withStream(async (play, stream) => {
    await stream.close();
    await play.wait(1200);
  });
  equal(orderly.sockets.length, 1);
  match(orderly.sockets[0].at(-1), /^<close/);
});
