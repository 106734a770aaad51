// The page's own functions, run in the browser that they are written for: names of rooms, tokens, XML, and session
// descriptions there and back, with what a hostile peer could write into them.
import { equal, lacks, match, ok, same } from '../support/harness.mjs';
import { inside, page } from './parts.mjs';

page('rooms and tokens are read as every client reads them', async () => {
  const seen = await inside(() => {
    const { roomFromPath, roomNode, readToken, tokenName } = parts.config;
    const token = (claims) => {
      const bytes = new TextEncoder().encode(JSON.stringify(claims));
      return `h.${btoa(String.fromCharCode(...bytes)).replace(/\+/g, '-').replace(/\//g, '_').replace(/=/g, '')}.s`;
    };
    return {
      nodes: ['Team Room', '%D0%A2%D0%B5%D1%81%D1%82', '%CE%9F%CE%94%CE%9F%CE%A3', 'a%20b%zz', '\uff21b'].map((p) => roomNode(roomFromPath(`/${p}`))),
      both: readToken({ hash: '#jwt=from-fragment', search: '?jwt=from-query' }),
      query: readToken({ hash: '#config.x=1', search: '?jwt=from-query' }),
      names: [{ context: { user: { name: 'Zoë Ünal' } } }, { context: { user: { name: 7 } } }, {}, { name: ' Top ' }]
        .map((c) => tokenName(token(c))),
      broken: ['', 'x', 'a.%%%.b', 'a.e30.b'].map(tokenName),
    };
  });
  same(seen.nodes, ['team%20room', '%d1%82%d0%b5%d1%81%d1%82', '%ce%bf%ce%b4%ce%bf%cf%82', 'a%2520b%25zz', 'ab']);
  equal(seen.both, 'from-fragment');
  equal(seen.query, 'from-query');
  same(seen.names, ['Zoë Ünal', '', '', 'Top']);
  same(seen.broken, ['', '', '', '']);
});

page('XML: what people type stays text, what XML forbids is not sent', async () => {
  const seen = await inside(() => {
    const { x, parse, text, attr } = parts.xml;
    const words = `<b a="1">&amp; 'q'\u0000\u0008\ud800 \u{1f600}\r\n`;
    const wire = x('m', { xmlns: 'u', a: `${words}\t` }, words).toString();
    const back = parse(wire);
    return { wire, text: text(back), attribute: attr(back, 'a'), bad: parse('<a><b></a>') };
  });
  lacks(seen.wire, /[\u0000\u0008\ud800](?![\udc00-\udfff])/, 'the wire');
  equal(seen.text, `<b a="1">&amp; 'q' \u{1f600}\r\n`);
  equal(seen.attribute, `<b a="1">&amp; 'q' \u{1f600}\r\n\t`);
  equal(seen.bad, null);
});

page('refusals: each text of the server has its words', async () => {
  const seen = await inside(() => {
    const { fromLogin, fromJoin } = parts.refusal;
    const join = (condition, text = '', extra = []) => fromJoin({ type: 'cancel', condition, text, extra }).code;
    return {
      login: ['token required', 'Not acceptable by exp (60 sec since expired)', 'Not acceptable by nbf', 'exp must be number',
        'Invalid signature', "invalid 'iss' claim"].map((t) => fromLogin('not-allowed', t).code),
      join: [join('not-authorized'), join('service-unavailable'), join('forbidden'), join('jid-malformed'),
        join('not-allowed', 'Room does not match the room from token', ['room-mismatch']),
        join('not-allowed', 'Room and token mismatched'), join('not-allowed', 'Wildcard room in token not allowed'),
        join('not-allowed', 'Invalid resource'), join('resource-constraint'), join('conflict')],
    };
  });
  same(seen.login, ['token-required', 'token-expired', 'token-early', 'token-invalid', 'token-invalid', 'token-invalid']);
  same(seen.join, ['password', 'full', 'banned', 'room-name', 'room-mismatch', 'room-mismatch', 'room-mismatch',
    'not-allowed', 'rate-limited', 'conflict']);
});

page('a session description goes to Jingle and back, and the browser takes it', async () => {
  const seen = await inside(async () => {
    const { xml: { x, parse }, jingle: { describe, toSdp, sourceNames }, sdp: { parseSdp, values } } = parts;
    const offerer = new RTCPeerConnection();
    offerer.addTransceiver('audio');
    offerer.addTransceiver('video');
    await offerer.setLocalDescription(await offerer.createOffer());
    const wire = x('jingle', { xmlns: 'urn:xmpp:jingle:1' },
      describe(offerer.localDescription.sdp, 'initiator', 'aabbccdd')).toString();
    const element = parse(wire);
    const back = toSdp(element);
    const answerer = new RTCPeerConnection();
    await answerer.setRemoteDescription({ type: 'offer', sdp: back });
    await answerer.setLocalDescription(await answerer.createAnswer());
    const answer = parse(x('jingle', { xmlns: 'urn:xmpp:jingle:1' },
      describe(answerer.localDescription.sdp, 'responder', '00112233')).toString());
    await offerer.setRemoteDescription({ type: 'answer', sdp: toSdp(answer) });
    const lines = (raw, name) => parseSdp(raw).sections.map((s) => values(s.lines, name));
    const original = offerer.localDescription.sdp;
    const compare = (name) => [lines(original, name), lines(back, name)];
    return {
      contents: [...element.children].filter((c) => c.localName === 'content').map((c) => c.getAttribute('name')),
      names: [...sourceNames(element)], rtpmap: compare('rtpmap'), fmtp: compare('fmtp'), extmap: compare('extmap'),
      feedback: compare('rtcp-fb'), groups: compare('ssrc-group'), fingerprint: compare('fingerprint'), setup: compare('setup'),
      msid: lines(back, 'msid'), signaling: offerer.signalingState, kinds: answerer.getTransceivers().map((t) => t.receiver.track.kind),
    };
  });
  same(seen.contents, ['0', '1'], 'contents are named by mid');
  same(seen.names, [['0', 'aabbccdd-a0'], ['1', 'aabbccdd-v0']], 'source names');
  for (const name of ['rtpmap', 'extmap', 'groups', 'fingerprint', 'setup']) same(seen[name][1], seen[name][0], name);
  for (const name of ['fmtp', 'feedback']) {
    same(seen[name][1].map((s) => s.slice().sort()), seen[name][0].map((s) => s.slice().sort()), name);
  }
  match(seen.msid[0][0], /^aabbccdd-audio-0-1 \S+$/);
  equal(seen.signaling, 'stable');
  same(seen.kinds, ['audio', 'video']);
});

page('a peer cannot add lines of its own to a session description', async () => {
  const seen = await inside(() => {
    const { xml: { parse }, jingle: { toSdp, candidateLines, withSources } } = parts;
    const evil = 'x&#13;&#10;a=evil:1&#10;m=evil';
    const hostile = parse(`<jingle xmlns='urn:xmpp:jingle:1'><group xmlns='urn:xmpp:jingle:apps:grouping:0' semantics='BUNDLE'>
      <content name='0${evil}'/></group><content name='0${evil}' senders='${evil}' creator='initiator'>
      <description xmlns='urn:xmpp:jingle:apps:rtp:1' media='audio${evil}'>
      <payload-type id='111' name='opus${evil}' clockrate='48000${evil}' channels='2${evil}'><parameter name='a${evil}' value='b${evil}'/>
      <rtcp-fb xmlns='urn:xmpp:jingle:apps:rtp:rtcp-fb:0' type='nack${evil}' subtype='${evil}'/></payload-type>
      <payload-type id='112${evil}' name='no' clockrate='1'/>
      <rtp-hdrext xmlns='urn:xmpp:jingle:apps:rtp:rtp-hdrext:0' id='1' uri='u${evil}'/>
      <source xmlns='urn:xmpp:jingle:apps:rtp:ssma:0' ssrc='1' name='n${evil}'><parameter name='cname' value='c${evil}'/>
      <parameter name='msid' value='s t${evil}'/></source><source xmlns='urn:xmpp:jingle:apps:rtp:ssma:0' ssrc='2${evil}'/>
      <ssrc-group xmlns='urn:xmpp:jingle:apps:rtp:ssma:0' semantics='FID${evil}'><source ssrc='1'/><source ssrc='2${evil}'/></ssrc-group>
      </description><transport xmlns='urn:xmpp:jingle:transports:ice-udp:1' ufrag='u${evil}' pwd='p${evil}'>
      <fingerprint xmlns='urn:xmpp:jingle:apps:dtls:0' hash='sha-256${evil}' setup='actpass${evil}'>AA${evil}</fingerprint>
      <candidate foundation='1${evil}' component='1' protocol='udp' priority='1' ip='192.0.2.1${evil}' port='9' type='host'/>
      </transport></content></jingle>`);
    const sdp = toSdp(hostile);
    const more = withSources('v=0\r\nm=audio 9 X 1\r\na=mid:0\r\na=sendrecv\r\n', hostile);
    return { lines: sdp.split('\r\n'), more: more.split('\r\n'), candidates: candidateLines([...hostile.children].find((c) => c.localName === 'content')) };
  });
  const own = (line) => /^(v|o|s|t|c)=|^m=audio|^a=(group|rtcp|ice-ufrag|ice-pwd|ice-options|fingerprint|setup|mid|rtpmap|fmtp|rtcp-fb|extmap|sendrecv|ssrc|ssrc-group|msid|candidate)\b|^$/.test(line);
  ok(seen.lines.every(own), 'lines that nobody wanted:', seen.lines.filter((l) => !own(l)));
  ok(seen.more.every(own), 'lines that nobody wanted:', seen.more.filter((l) => !own(l)));
  ok(seen.lines.filter((l) => l.startsWith('m=')).length === 1 && !seen.lines.some((l) => l.startsWith('a=rtpmap:112')), 'sections', seen.lines);
  equal(seen.candidates.length, 1);
  lacks(seen.candidates.join(''), /[\r\n]/, 'the candidate');
});

page('sources come and go in a description that is in use', async () => {
  const seen = await inside(() => {
    const { xml: { parse }, jingle: { withSources, withoutSources } } = parts;
    const sources = (ssrc) => parse(`<jingle xmlns='urn:xmpp:jingle:1'><content name='video'>
      <description xmlns='urn:xmpp:jingle:apps:rtp:1' media='video'><source xmlns='urn:xmpp:jingle:apps:rtp:ssma:0' ssrc='${ssrc}'>
      <parameter name='msid' value='s${ssrc} t${ssrc}'/></source></description></content></jingle>`);
    const base = 'v=0\r\na=group:BUNDLE 0 1\r\nm=audio 9 X 111\r\na=mid:0\r\na=sendrecv\r\nm=video 9 X 100\r\na=mid:1\r\na=recvonly\r\n';
    const one = withSources(base, sources(5));
    const two = withSources(one, sources(6));
    // As clients of 2021 write it: the mid stands in the place of the kind.
    const byMid = parse(new XMLSerializer().serializeToString(sources(7)).replace('media="video"', 'media="1"').replace('name="video"', 'name="1"'));
    const swapped = parse(new XMLSerializer().serializeToString(sources(8)).replace('<source', `<source xmlns='urn:xmpp:jingle:apps:rtp:ssma:0' ssrc='3'/>
      <ssrc-group xmlns='urn:xmpp:jingle:apps:rtp:ssma:0' semantics='FID'><source ssrc='8'/><source ssrc='3'/></ssrc-group><source`));
    return { byMid: withSources(base, byMid), swapped: withSources(base, swapped), one, again: withSources(one, sources(5)) === one, two, less: withoutSources(two, sources(6)), none: withoutSources(one, sources(5)) };
  });
  match(seen.one, /a=mid:1\r\na=sendrecv\r\na=ssrc:5 /, 'the empty section takes the first');
  match(seen.byMid, /a=mid:1\r\na=sendrecv\r\na=ssrc:7 /, 'a section named by its mid');
  match(seen.swapped, /a=ssrc-group:FID 8 3\r\na=ssrc:8 [^]*a=ssrc:3 /, 'what repairs comes after what it repairs');
  ok(seen.again, 'a source that is there is not added twice');
  match(seen.two, /BUNDLE 0 1 2\r\n[^]*a=mid:2\r\na=sendonly\r\n(a=ssrc:6|a=msid:s6)/, 'a new section takes the second');
  lacks(seen.less, /ssrc:6/);
  match(seen.less, /a=mid:2\r\na=inactive/);
  match(seen.none, /a=mid:1\r\na=recvonly/);
});

page('tiles are as big as the space allows, and never a strip', async () => {
  const [seen, some] = await inside(() => {
    const { tileGrid } = parts.grid;
    const all = [];
    for (let count = 1; count <= 26; count++) {
      for (const [width, height] of [[1254, 640], [884, 640], [378, 660], [700, 300], [300, 900], [2500, 400]]) {
        const grid = tileGrid(count, { width, height }, 10);
        const rows = Math.ceil(count / grid.columns);
        all.push({
          count, width, height, grid, ratio: grid.width / grid.height,
          fits: grid.columns * (grid.width + 10) - 10 <= width && rows * (grid.height + 10) - 10 <= height,
        });
      }
    }
    const columns = (count, width, height) => tileGrid(count, { width, height }, 10).columns;
    return [all, {
      wide: [1, 2, 3, 4, 5, 9].map((n) => columns(n, 1254, 640)), panel: [2, 3].map((n) => columns(n, 884, 640)),
      phone: [1, 2, 3, 6].map((n) => columns(n, 378, 660)), nothing: tileGrid(3, { width: 10, height: 0 }, 10),
    }];
  });
  // Whole pixels leave a little beside the two ratios.
  const bad = seen.filter((g) => !g.fits || g.ratio > 16 / 9 + 0.05 || g.ratio < 4 / 3 - 0.05);
  ok(bad.length === 0, 'tiles out of shape or out of the space:', bad);
  same(some.wide, [1, 2, 2, 2, 3, 3], 'columns on a wide screen');
  same(some.panel, [1, 2], 'columns beside a panel');
  same(some.phone, [1, 1, 1, 2], 'columns on a phone');
  same(some.nothing, { columns: 1, width: 0, height: 0 }, 'no space');
});
