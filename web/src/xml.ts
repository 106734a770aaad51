// XML for the wire: a small builder that writes each xmlns where it is given, and look-ups that read it.

export type Attributes = Record<string, string | number | boolean | null | undefined>;

export const NS = {
  client: 'jabber:client',
  framing: 'urn:ietf:params:xml:ns:xmpp-framing',
  streams: 'http://etherx.jabber.org/streams',
  sasl: 'urn:ietf:params:xml:ns:xmpp-sasl',
  bind: 'urn:ietf:params:xml:ns:xmpp-bind',
  stanzas: 'urn:ietf:params:xml:ns:xmpp-stanzas',
  ping: 'urn:xmpp:ping',
  sm: 'urn:xmpp:sm:3',
  discoInfo: 'http://jabber.org/protocol/disco#info',
  services: 'urn:xmpp:extdisco:2',
  muc: 'http://jabber.org/protocol/muc',
  mucUser: 'http://jabber.org/protocol/muc#user',
  mucAdmin: 'http://jabber.org/protocol/muc#admin',
  nick: 'http://jabber.org/protocol/nick',
  delay: 'urn:xmpp:delay',
  displayName: 'http://jitsi.org/protocol/display-name',
  focus: 'http://jitsi.org/protocol/focus',
  jitmeet: 'http://jitsi.org/jitmeet',
  muteAudio: 'http://jitsi.org/jitmeet/audio',
  muteVideo: 'http://jitsi.org/jitmeet/video',
  jingle: 'urn:xmpp:jingle:1',
  jingleErrors: 'urn:xmpp:jingle:errors:1',
  rtp: 'urn:xmpp:jingle:apps:rtp:1',
  rtcpFb: 'urn:xmpp:jingle:apps:rtp:rtcp-fb:0',
  hdrExt: 'urn:xmpp:jingle:apps:rtp:rtp-hdrext:0',
  sources: 'urn:xmpp:jingle:apps:rtp:ssma:0',
  ice: 'urn:xmpp:jingle:transports:ice-udp:1',
  dtls: 'urn:xmpp:jingle:apps:dtls:0',
  grouping: 'urn:xmpp:jingle:apps:grouping:0',
} as const;

// Characters that XML 1.0 forbids, lone surrogates included: they are dropped, never sent.
const FORBIDDEN = /[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu;

const ENTITIES: Record<string, string> = {
  '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&apos;',
  '\t': '&#9;', '\n': '&#10;', '\r': '&#13;',
};

function escapeText(text: string): string {
  return text.replace(FORBIDDEN, '').replace(/[&<>\r]/g, (c) => ENTITIES[c] ?? c);
}

function escapeAttribute(text: string): string {
  return text.replace(FORBIDDEN, '').replace(/[&<>"'\t\n\r]/g, (c) => ENTITIES[c] ?? c);
}

/** An element to be sent. Attributes that are null, undefined or false are left out. */
export class Xml {
  constructor(
    readonly name: string,
    readonly attributes: Attributes = {},
    readonly children: (Xml | string)[] = [],
  ) {}

  toString(): string {
    let out = `<${this.name}`;
    for (const [key, value] of Object.entries(this.attributes)) {
      if (value === null || value === undefined || value === false) continue;
      out += ` ${key}="${escapeAttribute(String(value))}"`;
    }
    if (this.children.length === 0) return `${out}/>`;
    out += '>';
    for (const child of this.children) {
      out += typeof child === 'string' ? escapeText(child) : child.toString();
    }
    return `${out}</${this.name}>`;
  }
}

type Child = Xml | string | null | undefined | false | Child[];

export function x(name: string, attributes: Attributes = {}, ...children: Child[]): Xml {
  const flat = (children.flat(4) as Child[])
    .filter((c): c is Xml | string => typeof c === 'string' || c instanceof Xml);
  return new Xml(name, attributes, flat);
}

/** The root element of one frame, or null where it is not well-formed. */
export function parse(frame: string): Element | null {
  const root = new DOMParser().parseFromString(frame, 'text/xml').documentElement;
  if (!root || root.getElementsByTagName('parsererror').length > 0) return null;
  return root.localName === 'parsererror' ? null : root;
}

export function children(parent: Element | null | undefined, name: string, ns?: string): Element[] {
  if (!parent) return [];
  return Array.from(parent.children)
    .filter((c) => c.localName === name && (ns === undefined || c.namespaceURI === ns));
}

export function child(parent: Element | null | undefined, name: string, ns?: string):
    Element | null {
  return children(parent, name, ns)[0] ?? null;
}

export function text(element: Element | null | undefined): string {
  return element?.textContent ?? '';
}

export function attr(element: Element | null | undefined, name: string): string {
  return element?.getAttribute(name) ?? '';
}

export interface StanzaError {
  type: string;
  condition: string;
  text: string;
  /** Names of the application's own children of the error. */
  extra: string[];
}

/** Reads the error child of a stanza of type "error". */
export function readError(stanza: Element): StanzaError {
  const error = child(stanza, 'error');
  const result: StanzaError = {
    type: attr(error, 'type'), condition: 'undefined-condition', text: '', extra: [],
  };
  for (const item of Array.from(error?.children ?? [])) {
    if (item.namespaceURI !== NS.stanzas) result.extra.push(item.localName);
    else if (item.localName === 'text') result.text = text(item);
    else result.condition = item.localName;
  }
  return result;
}

export const resourceOf = (jid: string): string => {
  const slash = jid.indexOf('/');
  return slash < 0 ? '' : jid.slice(slash + 1);
};

export const bareOf = (jid: string): string => jid.split('/', 1)[0] ?? '';

export const nodeOf = (jid: string): string => {
  const bare = bareOf(jid);
  return bare.includes('@') ? bare.slice(0, bare.indexOf('@')) : '';
};
