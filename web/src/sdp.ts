// Session descriptions as lines: just enough to read what the browser wrote and to write what it reads.

export interface Section {
  /** The first line without "m=", for example "audio 9 UDP/TLS/RTP/SAVPF 111". */
  media: string;
  /** The lines after it, without line ends. */
  lines: string[];
}

export interface Sdp {
  session: string[];
  sections: Section[];
}

export function parseSdp(raw: string): Sdp {
  const sdp: Sdp = { session: [], sections: [] };
  for (const line of raw.split(/\r\n|\n/)) {
    if (line === '') continue;
    const last = sdp.sections[sdp.sections.length - 1];
    if (line.startsWith('m=')) sdp.sections.push({ media: line.slice(2), lines: [] });
    else (last ? last.lines : sdp.session).push(line);
  }
  return sdp;
}

export function writeSdp(sdp: Sdp): string {
  const lines = [...sdp.session];
  for (const section of sdp.sections) lines.push(`m=${section.media}`, ...section.lines);
  return `${lines.join('\r\n')}\r\n`;
}

export const kindOf = (section: Section): string => section.media.split(' ', 1)[0] ?? '';

/** The values of all "a=<name>:" lines of a section. */
export function values(lines: string[], name: string): string[] {
  const prefix = `a=${name}:`;
  return lines.filter((l) => l.startsWith(prefix)).map((l) => l.slice(prefix.length));
}

/** The first value in the section, else in the session part: some attributes may stand in either. */
export function value(sdp: Sdp, section: Section, name: string): string {
  return values(section.lines, name)[0] ?? values(sdp.session, name)[0] ?? '';
}

export const hasFlag = (lines: string[], name: string): boolean => lines.includes(`a=${name}`);

export const midOf = (section: Section): string => values(section.lines, 'mid')[0] ?? '';

const DIRECTIONS = ['sendrecv', 'sendonly', 'recvonly', 'inactive'] as const;
export type Direction = (typeof DIRECTIONS)[number];

export function directionOf(section: Section): Direction {
  return DIRECTIONS.find((d) => hasFlag(section.lines, d)) ?? 'sendrecv';
}

export function setDirection(section: Section, direction: Direction): void {
  section.lines = section.lines.filter((l) => !DIRECTIONS.some((d) => l === `a=${d}`));
  section.lines.push(`a=${direction}`);
}

/** A candidate line as an object: "candidate:1 1 udp 2113937151 192.0.2.1 57698 typ host ...". */
export interface Candidate {
  foundation: string;
  component: string;
  protocol: string;
  priority: string;
  ip: string;
  port: string;
  type: string;
  generation: string;
  tcptype: string;
  relAddress: string;
  relPort: string;
}

export function parseCandidate(line: string): Candidate | null {
  const words = line.replace(/^a=/, '').replace(/^candidate:/, '').trim().split(/\s+/);
  const [foundation, component, protocol, priority, ip, port, typ, type] = words;
  if (!foundation || !component || !protocol || !priority || !ip || !port || typ !== 'typ' || !type) {
    return null;
  }
  const more = new Map<string, string>();
  for (let i = 8; i + 1 < words.length; i += 2) more.set(words[i] ?? '', words[i + 1] ?? '');
  return {
    foundation, component, protocol: protocol.toLowerCase(), priority, ip, port, type,
    generation: more.get('generation') ?? '0',
    tcptype: more.get('tcptype') ?? '',
    relAddress: more.get('raddr') ?? '',
    relPort: more.get('rport') ?? '',
  };
}

/** The candidate without "a=". */
export function writeCandidate(c: Candidate): string {
  let line = `candidate:${c.foundation} ${c.component} ${c.protocol} ${c.priority} ${c.ip} ${c.port}`
    + ` typ ${c.type}`;
  if (c.relAddress && c.relPort) line += ` raddr ${c.relAddress} rport ${c.relPort}`;
  if (c.protocol === 'tcp' && c.tcptype) line += ` tcptype ${c.tcptype}`;
  return `${line} generation ${c.generation || '0'}`;
}
