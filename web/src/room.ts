// A room as one occupant sees it: who is there, chat, and what a moderator may ask for.

import { NS, Xml, attr, bareOf, child, children, readError, resourceOf, text, x } from './xml';
import { Stream } from './xmpp';
import { Departure, Occupant, displayName, readDeparture, readOccupant } from './occupant';
import { Refusal, Refused, fromJoin, isRoomMissing, refusal } from './refusal';

const JOIN_MS = 20_000;
const LEAVE_MS = 1_500;

export interface ChatLine {
  kind: 'group' | 'private' | 'system' | 'error';
  from: string;
  /** The name the sender had when the line arrived. */
  name: string;
  /** For a private line: the name of the other side. */
  to: string;
  body: string;
  when: Date;
  /** Said before one came in, and read again from the room's history. */
  old: boolean;
  own: boolean;
}

/** What an occupant says about itself in each presence; a presence is always the whole state. */
export interface OwnState {
  name: string;
  audioMuted: boolean;
  videoMuted: boolean;
  sources: Record<string, { muted: boolean; videoType?: string }>;
}

export interface RoomEvents {
  changed(): void;
  joined(who: Occupant): void;
  left(who: Occupant, how: Departure): void;
  roleChanged(who: Occupant): void;
  chat(line: ChatLine): void;
  subject(words: string): void;
  muted(kind: 'audio' | 'video', actor: string): void;
  jingle(request: Element, jingle: Element, nick: string): void;
  /** The own stay ended without leave(). */
  ended(why: Refusal): void;
}

/** The room does not exist (yet): ask the focus again, then join again. */
export class RoomMissing extends Error {}

export class Room {
  readonly occupants = new Map<string, Occupant>();
  private state: OwnState = { name: '', audioMuted: true, videoMuted: true, sources: {} };
  private entered = false;
  private leaving = false;
  private settleJoin: ((error: Error | null) => void) | null = null;
  private onGone: () => void = () => undefined;

  constructor(
    private readonly stream: Stream,
    readonly jid: string,
    readonly nick: string,
    private readonly features: readonly string[],
    private readonly on: RoomEvents,
  ) {}

  get self(): Occupant | undefined {
    return this.occupants.get(this.nick);
  }

  /** Everybody who is a person: the focus is part of the server. */
  get people(): Occupant[] {
    return [...this.occupants.values()].filter((o) => !o.isFocus);
  }

  addressOf(nick: string): string {
    return `${this.jid}/${nick}`;
  }

  /** Rejects with Refused, or with RoomMissing. */
  join(state: OwnState, password: string): Promise<void> {
    this.state = state;
    return new Promise((resolve, reject) => {
      const timer = window.setTimeout(
        () => this.settleJoin?.(new Refused(refusal('no-answer'))), JOIN_MS);
      this.settleJoin = (error) => {
        clearTimeout(timer);
        this.settleJoin = null;
        if (error) reject(error);
        else resolve();
      };
      this.sendPresence(x('x', { xmlns: NS.muc }, password ? x('password', {}, password) : null));
    });
  }

  update(change: Partial<OwnState>): void {
    this.state = { ...this.state, ...change };
    if (this.entered) this.sendPresence();
  }

  /** False: there was no answer. */
  async leave(): Promise<boolean> {
    this.leaving = true;
    const gone = new Promise<boolean>((resolve) => { this.onGone = () => resolve(true); });
    this.stream.send(x('presence', {
      xmlns: NS.client, to: this.addressOf(this.nick), type: 'unavailable',
    }));
    if (!this.entered) return true;
    if (this.stream.isAway) return false;
    return Promise.race([gone, new Promise<boolean>((resolve) => {
      setTimeout(() => resolve(false), LEAVE_MS);
    })]);
  }

  say(body: string, to = ''): void {
    this.stream.send(x('message', {
      xmlns: NS.client,
      to: to ? this.addressOf(to) : this.jid,
      type: to ? 'chat' : 'groupchat',
    }, x('body', {}, body)));
    if (!to) return;
    this.on.chat({
      kind: 'private', from: this.nick, name: displayName(this.self),
      to: displayName(this.occupants.get(to)), body, when: new Date(), old: false, own: true,
    });
  }

  kick(nick: string, reason: string): Promise<Element> {
    return this.administer({ nick, role: 'none' }, reason);
  }

  grant(who: Occupant): Promise<Element> {
    return this.administer({ jid: bareOf(who.jid), affiliation: 'owner' });
  }

  revoke(who: Occupant): Promise<Element> {
    return this.administer({ jid: bareOf(who.jid), affiliation: 'none' });
  }

  mute(nick: string, kind: 'audio' | 'video'): Promise<Element> {
    const xmlns = kind === 'audio' ? NS.muteAudio : NS.muteVideo;
    return this.stream.iq('set', this.addressOf('focus'),
      x('mute', { xmlns, jid: this.addressOf(nick) }, 'true'));
  }

  /** Handles one stanza of this room; false where it is none of its business. */
  handle(stanza: Element): boolean {
    const from = attr(stanza, 'from');
    if (bareOf(from) !== this.jid) return false;
    const nick = resourceOf(from);
    switch (stanza.localName) {
      case 'presence': this.onPresence(stanza, nick); return true;
      case 'message': this.onMessage(stanza, nick); return true;
      case 'iq': return this.onRequest(stanza, nick);
      default: return false;
    }
  }

  private administer(item: Record<string, string>, reason = ''): Promise<Element> {
    return this.stream.iq('set', this.jid, x('query', { xmlns: NS.mucAdmin },
      x('item', item, reason ? x('reason', {}, reason) : null)));
  }

  private sendPresence(first?: Xml): void {
    const { name, audioMuted, videoMuted, sources } = this.state;
    this.stream.send(x('presence', { xmlns: NS.client, to: this.addressOf(this.nick) },
      first,
      name ? x('nick', { xmlns: NS.nick }, name) : null,
      x('audiomuted', {}, String(audioMuted)),
      x('videomuted', {}, String(videoMuted)),
      x('videoType', {}, 'camera'),
      x('SourceInfo', {}, JSON.stringify(sources))));
  }

  private onPresence(presence: Element, nick: string): void {
    const type = attr(presence, 'type');
    if (type === 'error') {
      const error = readError(presence);
      this.settleJoin?.(isRoomMissing(error) ? new RoomMissing() : new Refused(fromJoin(error)));
      return;
    }
    if (type === 'unavailable') {
      if (nick === this.nick) this.onOwnDeparture(readDeparture(presence));
      else if (nick !== '') this.onDeparture(nick, readDeparture(presence));
      return;
    }
    if (type !== '' || nick === '') return;
    const before = this.occupants.get(nick);
    const occupant = readOccupant(presence, nick, this.nick, before);
    if (!occupant) return;
    this.occupants.set(nick, occupant);
    if (nick === this.nick && !this.entered) {
      this.entered = true;
      this.settleJoin?.(null);
    } else if (this.entered && !before) {
      if (!occupant.isFocus) this.on.joined(occupant);
    } else if (this.entered && before && before.role !== occupant.role) {
      this.on.roleChanged(occupant);
    }
    if (this.entered) this.on.changed();
  }

  private onDeparture(nick: string, how: Departure): void {
    const who = this.occupants.get(nick);
    if (!who) return;
    this.occupants.delete(nick);
    if (!who.isFocus) this.on.left(who, how);
    this.on.changed();
  }

  private onOwnDeparture(how: Departure): void {
    this.onGone();
    if (this.leaving) return;
    const actor = this.occupants.get(how.actor);
    const by = actor ? `${displayName(actor)} ` : 'A moderator ';
    const why = how.reason ? ` Reason: ${how.reason}` : '';
    const ended: Refusal =
      how.destroyed ? refusal('destroyed', '', how.reason)
        : how.codes.includes('301') ? refusal('banned', '', `${by}banned you from this meeting.${why}`)
          : how.codes.includes('307') ? refusal('kicked', '', `${by}removed you.${why}`)
            : refusal('removed', '', how.reason);
    this.leaving = true;
    if (this.settleJoin) this.settleJoin(new Refused(ended));
    else this.on.ended(ended);
  }

  private onMessage(message: Element, nick: string): void {
    const type = attr(message, 'type');
    const line = (kind: ChatLine['kind'], name: string, body: string): ChatLine => ({
      kind, from: nick, name, to: '', body, when: stampOf(message),
      old: child(message, 'delay', NS.delay) !== null, own: nick === this.nick,
    });
    if (type === 'error') {
      const error = readError(message);
      this.on.chat(line('error', '', error.text || `Your message was not sent (${error.condition}).`));
      return;
    }
    const notice = nick === '' || nick === 'focus' ? systemNotice(message) : '';
    if (notice) {
      this.on.chat(line('system', '', notice));
      return;
    }
    const subject = child(message, 'subject');
    const body = child(message, 'body');
    if (subject && !body) this.on.subject(text(subject));
    if (!body || nick === '') return;
    const known = this.occupants.get(nick);
    const kept = text(child(message, 'display-name', NS.displayName));
    // History may come from somebody who left: then the server's note has the name.
    const name = known ? displayName(known) : kept || 'Somebody who left';
    const chat = line(type === 'groupchat' ? 'group' : 'private', name, text(body));
    if (chat.kind === 'private') chat.to = displayName(this.self);
    this.on.chat(chat);
  }

  private onRequest(iq: Element, nick: string): boolean {
    const payload = iq.firstElementChild;
    if (!payload) return false;
    if (attr(iq, 'type') === 'get') {
      if (payload.localName !== 'query' || payload.namespaceURI !== NS.discoInfo) return false;
      this.stream.reply(iq, x('query', { xmlns: NS.discoInfo, node: attr(payload, 'node') || null },
        x('identity', { category: 'client', type: 'web', name: 'Gavel' }),
        this.features.map((name) => x('feature', { var: name }))));
      return true;
    }
    if (payload.localName === 'jingle' && payload.namespaceURI === NS.jingle) {
      this.on.jingle(iq, payload, nick);
      return true;
    }
    const kind = payload.namespaceURI === NS.muteAudio ? 'audio'
      : payload.namespaceURI === NS.muteVideo ? 'video' : null;
    // Only the focus may switch something off here, and nobody can switch it on.
    if (payload.localName !== 'mute' || kind === null || nick !== 'focus') return false;
    this.stream.reply(iq);
    if (text(payload).trim() === 'true') {
      this.on.muted(kind, displayName(this.occupants.get(resourceOf(attr(payload, 'actor')))));
    }
    return true;
  }
}

function stampOf(message: Element): Date {
  const stamp = new Date(attr(child(message, 'delay', NS.delay), 'stamp'));
  return Number.isNaN(stamp.getTime()) ? new Date() : stamp;
}

/** The server's own words to one person, or ''. */
function systemNotice(message: Element): string {
  for (const element of children(message, 'json-message', NS.jitmeet)) {
    try {
      const parsed = JSON.parse(text(element)) as { type?: unknown; message?: unknown };
      if (parsed.type === 'system_chat_message' && typeof parsed.message === 'string') {
        return parsed.message;
      }
    } catch { /* not for us */ }
  }
  return '';
}
