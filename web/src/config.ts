// What the page knows before it speaks: the served configuration, the room in its address, the token.

export interface ServedConfig {
  hosts?: { domain?: string; muc?: string; focus?: string };
  websocket?: string;
  p2p?: { enabled?: boolean; stunServers?: { urls: string }[] };
  readOnlyName?: boolean;
  disableProfile?: boolean;
  tokenAuthUrl?: string;
  prejoinConfig?: { enabled?: boolean };
  remoteVideoMenu?: { disableGrantModerator?: boolean; disableKick?: boolean };
}

declare global {
  interface Window { config?: ServedConfig }
}

export interface Settings {
  domain: string;
  muc: string;
  focus: string;
  websocket: string;
  peerToPeer: boolean;
  stunServers: RTCIceServer[];
  readOnlyName: boolean;
  /** The name may be typed before the meeting but not changed in it. */
  fixedProfile: boolean;
  prejoin: boolean;
  mayGrant: boolean;
  mayKick: boolean;
  /** Where to sign in for a token, '' where the server names no place; "{room}" stands for the room. */
  signIn: string;
}

/** The settings of /config.js, or null where it could not be loaded. */
export function readSettings(): Settings | null {
  const config = window.config;
  const domain = config?.hosts?.domain;
  if (!config || !domain) return null;
  const scheme = location.protocol === 'https:' ? 'wss' : 'ws';
  return {
    domain,
    muc: (config.hosts?.muc ?? `conference.${domain}`).toLowerCase(),
    focus: config.hosts?.focus ?? `focus.${domain}`,
    websocket: config.websocket ?? `${scheme}://${location.host}/xmpp-websocket`,
    peerToPeer: config.p2p?.enabled !== false,
    stunServers: (config.p2p?.stunServers ?? []).map((s) => ({ urls: s.urls })),
    readOnlyName: config.readOnlyName === true,
    fixedProfile: config.disableProfile === true,
    prejoin: config.prejoinConfig?.enabled !== false,
    mayGrant: config.remoteVideoMenu?.disableGrantModerator !== true,
    mayKick: config.remoteVideoMenu?.disableKick !== true,
    signIn: /^https?:\/\//.test(config.tokenAuthUrl ?? '') ? config.tokenAuthUrl ?? '' : '',
  };
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** The room named by the page's path as people write it, or '' on the landing page. */
export function roomFromPath(path: string): string {
  const parts = path.split('/').filter((p) => p !== '');
  return decode(parts[parts.length - 1] ?? '').trim();
}

/** The room's node on the wire; every client of this protocol must compute the same one. */
export function roomNode(name: string): string {
  return encodeURIComponent(name.normalize('NFKC').toLowerCase()).toLowerCase();
}

/** The token of the address: the fragment, which never reaches a server log, wins over the query. */
export function readToken(where: { hash: string; search: string }): string {
  const fragment = new URLSearchParams(where.hash.replace(/^#/, '')).get('jwt');
  return (fragment ?? new URLSearchParams(where.search).get('jwt') ?? '').replace(/^"|"$/g, '');
}

/** The name that a token gives its bearer, read but not verified: the server decides. */
export function tokenName(token: string): string {
  const payload = token.split('.')[1];
  if (!payload) return '';
  try {
    const binary = atob(payload.replace(/-/g, '+').replace(/_/g, '/'));
    const bytes = Uint8Array.from(binary, (c) => c.charCodeAt(0));
    const claims = JSON.parse(new TextDecoder().decode(bytes)) as
      { name?: unknown; context?: { user?: { name?: unknown } } };
    const name = claims.context?.user?.name ?? claims.name;
    return typeof name === 'string' ? name.trim() : '';
  } catch {
    return '';
  }
}

export function websocketUrl(settings: Settings, node: string, token: string): string {
  const url = `${settings.websocket}?room=${node}`;
  return token === '' ? url : `${url}&token=${encodeURIComponent(token)}`;
}

// Remembered choices of this browser; private windows may refuse storage.
export const remembered = {
  get(key: string): string {
    try {
      return localStorage.getItem(`gavel.${key}`) ?? '';
    } catch {
      return '';
    }
  },
  set(key: string, value: string): void {
    try {
      localStorage.setItem(`gavel.${key}`, value);
    } catch { /* nothing to remember in */ }
  },
};
