// One person in the room, as the server's presence describes them.

import { NS, attr, child, children, text } from './xml';

export interface SourceState {
  muted: boolean;
  videoType: string;
}

export interface Occupant {
  /** The endpoint id: resource of the occupant's address, constant during a stay. */
  nick: string;
  /** The real JID, needed to grant and revoke. */
  jid: string;
  /** The name as the server sends it; '' where it sends none. */
  name: string;
  role: string;
  affiliation: string;
  /** Came without a verified identity, as far as presences tell. */
  guest: boolean;
  isSelf: boolean;
  isFocus: boolean;
  avatar: string;
  /** Undefined where the presence does not say. */
  audioMuted: boolean | undefined;
  videoMuted: boolean | undefined;
  sources: Map<string, SourceState>;
}

export const isModerator = (occupant: Occupant | undefined): boolean =>
  occupant?.role === 'moderator';

export const displayName = (occupant: Occupant | undefined): string =>
  occupant?.name || 'No name';

function readSources(presence: Element, nick: string): Map<string, SourceState> {
  const sources = new Map<string, SourceState>();
  const raw = text(child(presence, 'SourceInfo'));
  if (raw === '') return sources;
  try {
    const parsed = JSON.parse(raw) as Record<string, { muted?: unknown; videoType?: unknown }>;
    for (const [name, value] of Object.entries(parsed)) {
      if (!name.startsWith(`${nick}-`) || typeof value !== 'object' || value === null) continue;
      sources.set(name, {
        muted: value.muted === true,
        videoType: typeof value.videoType === 'string' ? value.videoType : 'camera',
      });
    }
  } catch { /* another client's broken text says nothing */ }
  return sources;
}

function mutedOf(presence: Element, sources: Map<string, SourceState>, source: string,
  legacy: string): boolean | undefined {
  const known = sources.get(source);
  if (known) return known.muted;
  const element = child(presence, legacy);
  return element ? text(element).trim() === 'true' : undefined;
}

function readAvatar(presence: Element): string {
  const user = child(child(presence, 'identity'), 'user');
  const url = text(child(user, 'avatar')).trim();
  return url.startsWith('https://') ? url : '';
}

/**
 * Whether somebody came as a guest. Only an identity says for certain that somebody did not; an affiliation is
 * given to guests too (by a moderator, or so that they may come back), so whoever was one stays one for the stay.
 */
function isGuest(presence: Element, affiliation: string, before: Occupant | undefined): boolean {
  if (child(presence, 'identity')) return false;
  return affiliation === 'none' || before?.guest === true;
}

/**
 * Reads an available presence; null where it carries no item and so describes nobody. `before` is what the last
 * presence of the same stay said.
 */
export function readOccupant(presence: Element, nick: string, ownNick: string,
  before?: Occupant): Occupant | null {
  const item = child(child(presence, 'x', NS.mucUser), 'item');
  if (!item) return null;
  const sources = readSources(presence, nick);
  const affiliation = attr(item, 'affiliation') || 'none';
  return {
    nick,
    jid: attr(item, 'jid'),
    name: text(child(presence, 'nick', NS.nick)).trim(),
    role: attr(item, 'role') || 'none',
    affiliation,
    guest: isGuest(presence, affiliation, before),
    isSelf: nick === ownNick,
    isFocus: nick === 'focus',
    avatar: readAvatar(presence),
    audioMuted: mutedOf(presence, sources, `${nick}-a0`, 'audiomuted'),
    videoMuted: mutedOf(presence, sources, `${nick}-v0`, 'videomuted'),
    sources,
  };
}

export interface Departure {
  codes: string[];
  actor: string;
  reason: string;
  destroyed: boolean;
}

/** Reads why an unavailable presence was sent. */
export function readDeparture(presence: Element): Departure {
  const user = child(presence, 'x', NS.mucUser);
  const item = child(user, 'item');
  const destroy = child(user, 'destroy');
  return {
    codes: children(user, 'status').map((s) => attr(s, 'code')),
    actor: attr(child(item, 'actor'), 'nick'),
    reason: text(child(item, 'reason')) || text(child(destroy, 'reason')),
    destroyed: destroy !== null,
  };
}
