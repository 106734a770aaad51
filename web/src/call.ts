// Who is connected to whom: with exactly one other person there is a peer-to-peer session, else none.

import { NS, attr, child, children, x } from './xml';
import { Stream } from './xmpp';
import { Room } from './room';
import { LocalTracks, Peer, RemoteMedia } from './peer';

// Somebody who reloads is there twice for a moment; a third person who leaves may come back.
const SETTLE_MS = 700;
const RETRY_MS = [1_000, 3_000, 6_000, 12_000, 30_000];

export type CallState = 'alone' | 'connecting' | 'connected' | 'failed' | 'crowd' | 'off';

export interface CallEvents {
  state(state: CallState): void;
  media(nick: string, media: RemoteMedia | null): void;
  /** Whether sources are to be announced in presence. */
  announced(active: boolean): void;
}

export class Call {
  peer: Peer | null = null;
  state: CallState = 'alone';
  private nick = '';
  private timer = 0;
  private attempts = 0;
  private stopped = false;
  /** Whether somebody came or went a moment ago, and may be back in the next. */
  private unsettled = false;
  private iceServers: RTCIceServer[];

  constructor(
    private readonly stream: Stream,
    private readonly room: Room,
    private readonly enabled: boolean,
    stunServers: RTCIceServer[],
    private tracks: LocalTracks,
    private readonly on: CallEvents,
  ) {
    this.iceServers = stunServers;
  }

  /** Asks the server for relays; without an answer the call works on what it has. */
  async loadServers(domain: string): Promise<void> {
    try {
      const answer = await this.stream.iq('get', domain, x('services', { xmlns: NS.services }), 5_000);
      const services = children(child(answer, 'services'), 'service');
      this.iceServers = this.iceServers.concat(services.map(readService).filter(isServer));
    } catch { /* none offered */ }
  }

  /** To be called whenever somebody came or went. */
  update(): void {
    if (this.stopped) return;
    const others = this.room.people.filter((o) => !o.isSelf);
    const only = others.length === 1 ? others[0] : undefined;
    if (this.nick !== '' && this.nick !== only?.nick) this.drop(only !== undefined || others.length === 0);
    if (!only || !this.enabled) {
      clearTimeout(this.timer);
      this.setState(others.length === 0 ? 'alone' : this.enabled ? 'crowd' : 'off');
      return;
    }
    if (this.nick === only.nick) return;
    this.nick = only.nick;
    this.attempts = 0;
    this.setState('connecting');
    this.schedule(this.unsettled ? SETTLE_MS : 0);
    this.unsettled = false;
  }

  send(tracks: LocalTracks): void {
    this.tracks = tracks;
    this.peer?.send(tracks);
  }

  /** A Jingle request from an occupant. */
  handle(request: Element, jingle: Element, from: string): void {
    const action = attr(jingle, 'action');
    if (action === 'session-initiate') {
      this.onInitiate(request, jingle, from);
    } else if (this.peer && this.peer.sid === attr(jingle, 'sid')
        && this.peer.address === this.room.addressOf(from)) {
      this.peer.handle(request, jingle);
    } else {
      this.stream.refuse(request, 'item-not-found', x('unknown-session', { xmlns: NS.jingleErrors }));
    }
  }

  stop(): void {
    this.stopped = true;
    this.drop(false);
  }

  private onInitiate(request: Element, jingle: Element, from: string): void {
    if (from !== this.nick || this.stopped) {
      this.stream.reply(request);
      this.stream.iq('set', this.room.addressOf(from), x('jingle', {
        xmlns: NS.jingle, action: 'session-terminate', sid: attr(jingle, 'sid'),
        initiator: attr(request, 'from'),
      }, x('reason', {}, x('decline')))).catch(() => undefined);
      return;
    }
    // Both sides offered: the smaller id keeps its offer.
    if (this.peer?.initiator && this.room.nick < from) {
      this.stream.refuse(request, 'conflict', x('tie-break', { xmlns: NS.jingleErrors }));
      return;
    }
    this.stream.reply(request);
    this.peer?.close();
    clearTimeout(this.timer);
    this.begin(attr(jingle, 'sid'), false).answer(jingle);
  }

  private schedule(delay: number): void {
    clearTimeout(this.timer);
    // The smaller endpoint id starts; the other one waits to be called.
    if (this.room.nick >= this.nick) return;
    this.timer = window.setTimeout(() => {
      const sid = Array.from(crypto.getRandomValues(new Uint8Array(6)),
        (b) => b.toString(16).padStart(2, '0')).join('');
      this.begin(sid, true).initiate();
    }, delay);
  }

  private begin(sid: string, initiator: boolean): Peer {
    const nick = this.nick;
    this.setState('connecting');
    const peer = new Peer(this.stream, this.room.addressOf(this.room.nick), this.room.addressOf(nick),
      sid, initiator, this.room.nick, this.tracks, this.iceServers, {
        media: (media) => { if (this.peer === peer) this.on.media(nick, media); },
        connected: () => {
          if (this.peer !== peer) return;
          this.attempts = 0;
          this.setState('connected');
        },
        over: (condition) => { if (this.peer === peer) this.onOver(condition); },
      });
    this.peer = peer;
    this.on.announced(true);
    return peer;
  }

  /** The session ended although both are still here. */
  private onOver(condition: string): void {
    this.peer = null;
    this.on.media(this.nick, null);
    if (this.stopped || this.nick === '') return;
    const delay = RETRY_MS[this.attempts];
    if (delay === undefined || condition === '') {
      this.setState('failed');
      return;
    }
    this.attempts += 1;
    this.setState('connecting');
    this.schedule(delay);
  }

  private drop(settle: boolean): void {
    clearTimeout(this.timer);
    const peer = this.peer;
    const nick = this.nick;
    this.peer = null;
    this.nick = '';
    this.unsettled = settle;
    if (peer) {
      if (this.room.occupants.has(nick)) peer.terminate('success');
      else peer.close();
      this.on.announced(false);
    }
    if (nick !== '') this.on.media(nick, null);
  }

  private setState(state: CallState): void {
    if (state === 'crowd') this.unsettled = true;
    this.state = state;
    this.on.state(state);
  }
}

function readService(service: Element): RTCIceServer | null {
  const type = attr(service, 'type');
  const host = attr(service, 'host');
  if (!/^(stun|turn)s?$/.test(type) || host === '') return null;
  const port = attr(service, 'port');
  const transport = attr(service, 'transport');
  let urls = `${type}:${host}${port ? `:${port}` : ''}`;
  if (type.startsWith('turn') && transport) urls += `?transport=${transport}`;
  const username = attr(service, 'username');
  return username ? { urls, username, credential: attr(service, 'password') } : { urls };
}

const isServer = (server: RTCIceServer | null): server is RTCIceServer => server !== null;
