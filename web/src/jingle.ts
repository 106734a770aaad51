// SDP to Jingle and back, the way peer-to-peer sessions between conference clients spell it:
// contents are named by mid, SDP directions map to "senders" from the offerer's point of view on
// either side, and sources carry the name under which presence speaks of them.

import { NS, Xml, attr, child, children, text, x } from './xml';
import {
  Candidate, Direction, Sdp, Section, directionOf, hasFlag, kindOf, midOf, parseCandidate, parseSdp,
  setDirection, value, values, writeCandidate, writeSdp,
} from './sdp';

const SENDERS: Record<Direction, string> = {
  sendrecv: 'both', sendonly: 'initiator', recvonly: 'responder', inactive: 'none',
};

const directionFor = (senders: string): Direction =>
  (Object.keys(SENDERS) as Direction[]).find((d) => SENDERS[d] === senders) ?? 'sendrecv';

const sourceName = (kind: string, nick: string): string => `${nick}-${kind === 'audio' ? 'a' : 'v'}0`;

// A peer's text must never add a line of its own to a session description.
const safe = (words: string): string => words.replace(/[\u0000-\u001f\u007f]/g, '');
const token = (words: string): string => safe(words).replace(/\s+/g, '');
const isNumber = (words: string): boolean => /^\d{1,10}$/.test(words);

// --- SDP to Jingle ---------------------------------------------------------------------------

export type Creator = 'initiator' | 'responder';

/** The children of a <jingle/> that describes the own session description. */
export function describe(raw: string, creator: Creator, nick: string): Xml[] {
  const sdp = parseSdp(raw);
  const group = values(sdp.session, 'group').find((g) => g.startsWith('BUNDLE'));
  const out = group === undefined ? [] : [x('group',
    { xmlns: NS.grouping, semantics: 'BUNDLE' },
    group.split(' ').slice(1).map((name) => x('content', { name })))];
  return out.concat(sdp.sections.map((section) => content(sdp, section, creator, nick)));
}

function content(sdp: Sdp, section: Section, creator: Creator, nick: string): Xml {
  const rejected = section.media.split(' ')[1] === '0' && !hasFlag(section.lines, 'bundle-only');
  const candidates = values(section.lines, 'candidate').map((c) => parseCandidate(c));
  return x('content', {
    creator, name: midOf(section), senders: rejected ? 'rejected' : SENDERS[directionOf(section)],
  }, description(sdp, section, nick),
  transport(sdp, section, candidates.filter((c): c is Candidate => c !== null)));
}

function description(sdp: Sdp, section: Section, nick: string): Xml {
  const { lines } = section;
  const formats = section.media.split(' ').slice(3);
  return x('description', { xmlns: NS.rtp, media: kindOf(section) },
    formats.map((id) => payloadType(lines, id)),
    sources(section, nick),
    hasFlag(lines, 'rtcp-mux') && x('rtcp-mux'),
    feedback(lines, '*'),
    values(lines, 'extmap').map((map) => {
      const [id, uri] = map.split(' ');
      return x('rtp-hdrext', { xmlns: NS.hdrExt, id: id?.split('/')[0], uri });
    }),
    (hasFlag(lines, 'extmap-allow-mixed') || hasFlag(sdp.session, 'extmap-allow-mixed'))
      && x('extmap-allow-mixed', { xmlns: NS.hdrExt }));
}

function payloadType(lines: string[], id: string): Xml | null {
  const map = values(lines, 'rtpmap').find((m) => m.startsWith(`${id} `));
  if (!map) return null;
  const [name, clockrate, channels] = map.slice(id.length + 1).split('/');
  const format = values(lines, 'fmtp').find((f) => f.startsWith(`${id} `))?.slice(id.length + 1) ?? '';
  const parameters = format.split(';').map((p) => p.trim()).filter((p) => p !== '').map((p) => {
    const at = p.indexOf('=');
    // Formats without names, such as red's, keep an empty one.
    return at < 0 ? x('parameter', { name: '', value: p })
      : x('parameter', { name: p.slice(0, at), value: p.slice(at + 1) });
  });
  return x('payload-type', { id, name, clockrate, channels: channels ?? null }, parameters,
    feedback(lines, id));
}

function feedback(lines: string[], id: string): Xml[] {
  return values(lines, 'rtcp-fb').filter((f) => f.startsWith(`${id} `)).map((f) => {
    const [type, subtype] = f.slice(id.length + 1).split(' ');
    return x('rtcp-fb', { xmlns: NS.rtcpFb, type, subtype });
  });
}

function sources(section: Section, nick: string): Xml[] {
  const kind = kindOf(section);
  const byId = new Map<string, string>();
  for (const line of values(section.lines, 'ssrc')) {
    const [id, ...rest] = line.split(' ');
    const attribute = rest.join(' ');
    if (id && attribute.startsWith('cname:')) byId.set(id, attribute.slice(6));
    else if (id && !byId.has(id)) byId.set(id, '');
  }
  const track = (values(section.lines, 'msid')[0]?.split(' ')[1] ?? kind)
    .replace(/[^\w-]/g, '');
  const list = [...byId].map(([ssrc, cname]) => x('source',
    { xmlns: NS.sources, ssrc, name: sourceName(kind, nick), videoType: kind === 'video' ? 'camera' : null },
    cname && x('parameter', { name: 'cname', value: cname }),
    x('parameter', { name: 'msid', value: `${nick}-${kind}-0-1 ${track}-1` })));
  const groups = values(section.lines, 'ssrc-group').map((g) => {
    const [semantics, ...ids] = g.split(' ');
    return x('ssrc-group', { xmlns: NS.sources, semantics },
      ids.map((ssrc) => x('source', { xmlns: NS.sources, ssrc })));
  });
  return list.concat(groups);
}

function transport(sdp: Sdp, section: Section, candidates: Candidate[]): Xml {
  const fingerprint = value(sdp, section, 'fingerprint').split(' ');
  return x('transport', {
    xmlns: NS.ice,
    ufrag: value(sdp, section, 'ice-ufrag'),
    pwd: value(sdp, section, 'ice-pwd'),
  },
  fingerprint[1] && x('fingerprint', {
    xmlns: NS.dtls, hash: fingerprint[0], setup: value(sdp, section, 'setup') || null, required: 'true',
  }, fingerprint[1]),
  candidates.map((c, i) => x('candidate', {
    component: c.component, foundation: c.foundation, generation: c.generation,
    id: `c${i}${c.foundation.slice(-4)}${c.port}`, ip: c.ip, network: '1', port: c.port,
    priority: c.priority, protocol: c.protocol, type: c.type,
    'rel-addr': c.relAddress || null, 'rel-port': c.relPort || null, tcptype: c.tcptype || null,
  })));
}

/** The contents of a transport-info for candidates found since the description was sent. */
export function trickle(raw: string, creator: Creator, found: RTCIceCandidate[]): Xml[] {
  const sdp = parseSdp(raw);
  return sdp.sections.map((section, index) => {
    const own = found
      .filter((c) => (c.sdpMid === null ? c.sdpMLineIndex === index : c.sdpMid === midOf(section)))
      .map((c) => parseCandidate(c.candidate))
      .filter((c): c is Candidate => c !== null);
    return own.length === 0 ? null
      : x('content', { creator, name: midOf(section) }, transport(sdp, section, own));
  }).filter((c): c is Xml => c !== null);
}

// --- Jingle to SDP ---------------------------------------------------------------------------

/** The session description that a session-initiate or session-accept stands for. */
export function toSdp(jingle: Element): string {
  const bundle = children(jingle, 'group', NS.grouping)
    .filter((g) => attr(g, 'semantics') === 'BUNDLE')
    .map((g) => children(g, 'content').map((c) => token(attr(c, 'name'))).join(' '));
  const sdp: Sdp = {
    session: [
      'v=0', `o=- ${Date.now()} 2 IN IP4 0.0.0.0`, 's=-', 't=0 0',
      ...bundle.map((names) => `a=group:BUNDLE ${names}`),
    ],
    sections: children(jingle, 'content').map(section),
  };
  return writeSdp(sdp);
}

function section(content: Element): Section {
  const about = child(content, 'description', NS.rtp);
  const way = child(content, 'transport', NS.ice);
  const types = children(about, 'payload-type').filter((p) => isNumber(attr(p, 'id')));
  const port = attr(content, 'senders') === 'rejected' ? '0' : '9';
  const out: Section = {
    media: `${token(attr(about, 'media'))} ${port} UDP/TLS/RTP/SAVPF `
      + types.map((p) => attr(p, 'id')).join(' '),
    lines: ['c=IN IP4 0.0.0.0', 'a=rtcp:9 IN IP4 0.0.0.0'],
  };
  const add = (line: string): void => { out.lines.push(line); };
  if (attr(way, 'ufrag')) add(`a=ice-ufrag:${token(attr(way, 'ufrag'))}`);
  if (attr(way, 'pwd')) add(`a=ice-pwd:${token(attr(way, 'pwd'))}`);
  add('a=ice-options:trickle');
  for (const print of children(way, 'fingerprint', NS.dtls)) {
    add(`a=fingerprint:${token(attr(print, 'hash'))} ${token(text(print))}`);
    if (attr(print, 'setup')) add(`a=setup:${token(attr(print, 'setup'))}`);
  }
  add(`a=mid:${token(attr(content, 'name'))}`);
  if (child(about, 'rtcp-mux') || child(way, 'rtcp-mux')) add('a=rtcp-mux');
  types.forEach((type) => payloadLines(type).forEach(add));
  feedbackLines(about, '*').forEach(add);
  for (const ext of children(about, 'rtp-hdrext', NS.hdrExt)) {
    if (isNumber(attr(ext, 'id'))) add(`a=extmap:${attr(ext, 'id')} ${token(attr(ext, 'uri'))}`);
  }
  if (child(about, 'extmap-allow-mixed', NS.hdrExt)) add('a=extmap-allow-mixed');
  setDirection(out, directionFor(attr(content, 'senders')));
  addSources(out, about);
  for (const line of candidateLines(content)) add(`a=${line}`);
  return out;
}

function payloadLines(type: Element): string[] {
  const id = attr(type, 'id');
  const channels = attr(type, 'channels');
  const map = `a=rtpmap:${id} ${token(attr(type, 'name'))}/${token(attr(type, 'clockrate'))}`;
  const format = children(type, 'parameter').map((p) => {
    const name = safe(attr(p, 'name'));
    return (name ? `${name}=` : '') + safe(attr(p, 'value'));
  });
  return [
    channels && channels !== '1' ? `${map}/${token(channels)}` : map,
    ...(format.length > 0 ? [`a=fmtp:${id} ${format.join(';')}`] : []),
    ...feedbackLines(type, id),
  ];
}

function feedbackLines(parent: Element | null, id: string): string[] {
  return children(parent, 'rtcp-fb', NS.rtcpFb).map((fb) =>
    `a=rtcp-fb:${id} ${token(attr(fb, 'type'))} ${token(attr(fb, 'subtype'))}`.trim());
}

function addSources(out: Section, about: Element | null): void {
  let announced = false;
  const repairs: string[] = [];
  for (const group of children(about, 'ssrc-group', NS.sources)) {
    const ids = children(group, 'source').map((s) => attr(s, 'ssrc')).filter(isNumber);
    if (ids.length > 0) out.lines.push(`a=ssrc-group:${token(attr(group, 'semantics'))} ${ids.join(' ')}`);
    if (attr(group, 'semantics') === 'FID') repairs.push(...ids.slice(1));
  }
  // The browser takes the first source named for the one that carries the picture, and some clients
  // send them in the order of their numbers: those that only repair others go last.
  const isRepair = (s: Element): number => Number(repairs.includes(attr(s, 'ssrc')));
  const sources = children(about, 'source', NS.sources).sort((a, b) => isRepair(a) - isRepair(b));
  for (const source of sources) {
    const ssrc = attr(source, 'ssrc');
    if (!isNumber(ssrc)) continue;
    const parameters = new Map(children(source, 'parameter')
      .map((p) => [attr(p, 'name'), safe(attr(p, 'value'))]));
    const msid = parameters.get('msid') ?? '';
    out.lines.push(`a=ssrc:${ssrc} cname:${token(parameters.get('cname') ?? '') || 'peer'}`);
    if (msid === '') continue;
    // A track id must not be missing or equal to another's, so one is made up where it is absent.
    const whole = msid.includes(' ') ? msid : `${msid} ${msid}-${midOf(out)}`;
    if (!announced) out.lines.push(`a=msid:${whole}`);
    announced = true;
    out.lines.push(`a=ssrc:${ssrc} msid:${whole}`);
  }
}

/** The candidates of one content, as RTCIceCandidate wants them. */
export function candidateLines(content: Element): string[] {
  return children(child(content, 'transport', NS.ice), 'candidate').map((c) => writeCandidate({
    foundation: token(attr(c, 'foundation')), component: token(attr(c, 'component')) || '1',
    protocol: token(attr(c, 'protocol')).toLowerCase(), priority: token(attr(c, 'priority')),
    ip: token(attr(c, 'ip')), port: token(attr(c, 'port')), type: token(attr(c, 'type')),
    generation: token(attr(c, 'generation')), tcptype: token(attr(c, 'tcptype')),
    relAddress: token(attr(c, 'rel-addr')), relPort: token(attr(c, 'rel-port')),
  }));
}

/** Clients of 2021 write the mid where the kind of media should stand. */
function addedKind(sdp: Sdp, content: Element, media: string): string {
  if (media === 'audio' || media === 'video') return media;
  const named = sdp.sections.find((s) => midOf(s) === attr(content, 'name'));
  return named ? kindOf(named) : attr(content, 'name') === 'audio' ? 'audio' : 'video';
}

const SOURCE_LINES = ['a=ssrc:', 'a=ssrc-group:', 'a=msid:'];
const isSourceLine = (line: string): boolean => SOURCE_LINES.some((p) => line.startsWith(p));

/** The remote description after a source-add: an m-line without sources takes them, else a new one. */
export function withSources(raw: string, jingle: Element): string {
  const sdp = parseSdp(raw);
  for (const content of children(jingle, 'content')) {
    const about = child(content, 'description', NS.rtp);
    const kind = addedKind(sdp, content, attr(about, 'media'));
    const wanted = children(about, 'source', NS.sources).map((s) => attr(s, 'ssrc'));
    const known = (s: Section): boolean =>
      values(s.lines, 'ssrc').some((l) => wanted.includes(l.split(' ')[0] ?? ''));
    if (wanted.length === 0 || sdp.sections.some(known)) continue;
    let target = sdp.sections.find((s) => kindOf(s) === kind && values(s.lines, 'ssrc').length === 0);
    const model = sdp.sections.find((s) => kindOf(s) === kind);
    if (target) {
      setDirection(target, directionOf(target) === 'inactive' ? 'sendonly' : 'sendrecv');
    } else if (model) {
      const mid = String(sdp.sections.length);
      target = {
        media: model.media,
        lines: model.lines.filter((l) => !isSourceLine(l) && !l.startsWith('a=candidate:'))
          .map((l) => (l.startsWith('a=mid:') ? `a=mid:${mid}` : l)),
      };
      setDirection(target, 'sendonly');
      sdp.sections.push(target);
      sdp.session = sdp.session.map((l) => (l.startsWith('a=group:BUNDLE') ? `${l} ${mid}` : l));
    }
    if (target) addSources(target, about);
  }
  return writeSdp(sdp);
}

/** The remote description after a source-remove. */
export function withoutSources(raw: string, jingle: Element): string {
  const sdp = parseSdp(raw);
  const gone = children(jingle, 'content').flatMap((c) =>
    children(child(c, 'description', NS.rtp), 'source', NS.sources).map((s) => attr(s, 'ssrc')));
  for (const one of sdp.sections) {
    const own = values(one.lines, 'ssrc').map((l) => l.split(' ')[0] ?? '');
    if (own.length === 0 || !own.some((id) => gone.includes(id))) continue;
    one.lines = one.lines.filter((l) => !isSourceLine(l));
    const direction = directionOf(one);
    setDirection(one, direction === 'sendrecv' || direction === 'recvonly' ? 'recvonly' : 'inactive');
  }
  return writeSdp(sdp);
}

/** Names of the sources of each m-line of a description, by mid; '' where a peer gives none. */
export function sourceNames(jingle: Element): Map<string, string> {
  return new Map(children(jingle, 'content').map((c) => [
    attr(c, 'name'),
    attr(child(child(c, 'description', NS.rtp), 'source', NS.sources), 'name'),
  ]));
}
