// xml.mjs - reads what the server sends, strictly: anything that is not well-formed throws.

export class Element {
  constructor(name, attrs, ns, prefixes) {
    this.name = name;
    this.attrs = attrs;
    this.ns = ns;
    this.prefixes = prefixes;
    this.nodes = [];
  }

  get local() { return this.name.includes(':') ? this.name.split(':')[1] : this.name; }
  get elements() { return this.nodes.filter((n) => n instanceof Element); }
  /** Text directly inside. */
  get text() { return this.nodes.filter((n) => typeof n === 'string').join(''); }
  /** First child of that name (and namespace). */
  get(local, ns) { return this.elements.find((e) => e.local === local && (ns === undefined || e.ns === ns)) ?? null; }
  all(local, ns) { return this.elements.filter((e) => e.local === local && (ns === undefined || e.ns === ns)); }
  /** First descendant along a path of local names. */
  path(...names) {
    let e = this;
    for (const n of names) {
      e = e?.get(n);
      if (!e) return null;
    }
    return e;
  }
}

const ENTITIES = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

function unescape(text) {
  return text.replace(/&([^;]{1,10});|&/g, (whole, name) => {
    if (name?.startsWith('#x')) return String.fromCodePoint(parseInt(name.slice(2), 16));
    if (name?.startsWith('#')) return String.fromCodePoint(Number(name.slice(1)));
    if (name in ENTITIES) return ENTITIES[name];
    throw new Error(`unknown entity ${whole}`);
  });
}

export function escape(text) {
  return String(text).replace(/[&<>"']/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&apos;' })[c]);
}

const TOKEN = /<\?xml[^>]*\?>|<\/([\w:.-]+)\s*>|<([\w:.-]+)((?:\s+[\w:.-]+\s*=\s*(?:"[^"<]*"|'[^'<]*'))*)\s*(\/?)>|([^<]+)/gy;
const ATTRIBUTE = /([\w:.-]+)\s*=\s*(?:"([^"<]*)"|'([^'<]*)')/g;

/** Parses one whole element. */
export function parse(text) {
  TOKEN.lastIndex = 0;
  const stack = [];
  let root = null;
  while (TOKEN.lastIndex < text.length) {
    const at = TOKEN.lastIndex;
    const m = TOKEN.exec(text);
    if (!m) throw new Error(`not well-formed at ${at}: ${text.slice(at, at + 60)}`);
    const parent = stack[stack.length - 1];
    if (m[1]) {
      if (!parent || parent.name !== m[1]) throw new Error(`</${m[1]}> closes <${parent?.name}>`);
      stack.pop();
    } else if (m[2]) {
      if (!parent && root) throw new Error('two root elements');
      const e = open(m[2], m[3], parent);
      if (parent) parent.nodes.push(e);
      else root = e;
      if (!m[4]) stack.push(e);
    } else if (m[5]) {
      if (parent) parent.nodes.push(unescape(m[5]));
      else if (m[5].trim()) throw new Error(`text outside an element: ${m[5]}`);
    }
  }
  if (stack.length || !root) throw new Error('element is not closed');
  return root;
}

function open(name, attributeText, parent) {
  const attrs = {};
  for (const [, key, a, b] of attributeText.matchAll(ATTRIBUTE)) {
    if (key in attrs) throw new Error(`attribute ${key} twice in <${name}>`);
    attrs[key] = unescape(a ?? b);
  }
  const prefixes = { ...(parent?.prefixes ?? { xml: 'http://www.w3.org/XML/1998/namespace', '': '' }) };
  for (const [key, value] of Object.entries(attrs)) {
    if (key === 'xmlns') prefixes[''] = value;
    else if (key.startsWith('xmlns:')) prefixes[key.slice(6)] = value;
  }
  const prefix = name.includes(':') ? name.split(':')[0] : '';
  if (!(prefix in prefixes)) throw new Error(`prefix ${prefix} is not declared`);
  return new Element(name, attrs, prefixes[prefix], prefixes);
}

export const NS = {
  client: 'jabber:client',
  framing: 'urn:ietf:params:xml:ns:xmpp-framing',
  streams: 'http://etherx.jabber.org/streams',
  sasl: 'urn:ietf:params:xml:ns:xmpp-sasl',
  bind: 'urn:ietf:params:xml:ns:xmpp-bind',
  stanzas: 'urn:ietf:params:xml:ns:xmpp-stanzas',
  muc: 'http://jabber.org/protocol/muc',
  user: 'http://jabber.org/protocol/muc#user',
  admin: 'http://jabber.org/protocol/muc#admin',
  owner: 'http://jabber.org/protocol/muc#owner',
  data: 'jabber:x:data',
  nick: 'http://jabber.org/protocol/nick',
  info: 'http://jabber.org/protocol/disco#info',
  focus: 'http://jitsi.org/protocol/focus',
  jitmeet: 'http://jitsi.org/jitmeet',
  ping: 'urn:xmpp:ping',
};
