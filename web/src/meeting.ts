// A stay in one meeting: login, conference request, join, call, and everything that can end it.

import { NS, attr, child, children, nodeOf, x } from './xml';
import { IqError, Stream } from './xmpp';
import { ChatLine, Room, RoomMissing } from './room';
import { Departure, Occupant, displayName, isModerator } from './occupant';
import { Call, CallState } from './call';
import { RemoteMedia } from './peer';
import { Refusal, Refused, refusal } from './refusal';
import { Kind, LocalMedia } from './media';
import { Settings, websocketUrl } from './config';

const HOST_POLL_MS = 4_000;
const ROOM_TRIES = 2;
// So long somebody who comes in anew waits for the seat left behind to be given up.
const SEAT_MS = 3_000;
const NEWS_PEOPLE = 16;
// Some clients ask what a participant can do before they call it.
const FEATURES = [
  NS.discoInfo, NS.jingle, NS.rtp, 'urn:xmpp:jingle:apps:rtp:audio', 'urn:xmpp:jingle:apps:rtp:video',
  NS.ice, NS.dtls, 'urn:ietf:rfc:4588', 'urn:ietf:rfc:5761', 'urn:ietf:rfc:5888',
  'http://jitsi.org/source-name',
];

export type Phase = 'out' | 'connecting' | 'waiting' | 'joined' | 'refused' | 'left';

export interface MeetingView {
  phase(phase: Phase, why: Refusal | null): void;
  /** The connection is lost and tried again, or was found again. */
  away(away: boolean): void;
  changed(): void;
  call(state: CallState): void;
  media(nick: string, media: RemoteMedia | null): void;
  chat(line: ChatLine): void;
  subject(words: string): void;
  notice(words: string): void;
  coming(who: Occupant, verb: 'joined' | 'left'): void;
}

export class Meeting {
  phase: Phase = 'out';
  refusal: Refusal | null = null;
  room: Room | null = null;
  call: Call | null = null;
  /** Where names come from verified tokens, whoever has none is marked. */
  marksGuests = false;
  private stream: Stream | null = null;
  /** Until nothing of the last stay is left at the server. */
  private parting: Promise<void> = Promise.resolve();
  private attempt = 0;
  private typedName = '';
  private password = '';
  /** The sources stand in the presence only while a session carries them. */
  private announced = false;
  /** The last typed name and what the server made of it. */
  private told = '';
  private seenSelf: Occupant | null = null;
  private wakeUp: () => void = () => undefined;

  constructor(
    private readonly settings: Settings,
    private readonly node: string,
    private readonly token: string,
    private readonly media: LocalMedia,
    private readonly view: MeetingView,
  ) {
    window.addEventListener('pagehide', () => this.stream?.vanish());
  }

  get name(): string {
    return this.typedName;
  }

  async enter(name: string, password = this.password): Promise<void> {
    this.hangUp();
    const attempt = ++this.attempt;
    this.typedName = name;
    this.password = password;
    this.setPhase('connecting');
    try {
      await this.connect(attempt);
    } catch (error) {
      if (attempt !== this.attempt) return;
      this.hangUp();
      const why = error instanceof Refused ? error.refusal : refusal('no-answer', String(error));
      if (why.code === 'password' && password !== '') {
        why.text = 'That was not the password. Try again.';
      }
      this.setPhase('refused', why);
    }
  }

  async leave(): Promise<void> {
    this.attempt += 1;
    this.wakeUp();
    this.call?.stop();
    this.setPhase('left');
    const heard = await this.room?.leave();
    this.hangUp(heard === false);
  }

  /** While the connection is lost: does not wait any longer before it is tried again. */
  retry(): void {
    this.stream?.hurry();
  }

  rename(name: string): void {
    this.typedName = name;
    this.room?.update({ name });
  }

  /** To be called after every change of the own devices. */
  mediaChanged(): void {
    this.call?.send(this.media.tracks);
    this.room?.update(this.ownState());
    this.view.changed();
  }

  /** Runs a moderator's request and shows what the server says against it. */
  async ask(request: Promise<unknown>, done = ''): Promise<void> {
    try {
      await request;
      if (done) this.tell(done);
    } catch (error) {
      const words = error instanceof IqError && error.error.text ? error.error.text
        : error instanceof IqError && error.error.condition === 'forbidden'
          ? 'Only moderators may do that.' : 'The server refused.';
      this.tell(words);
    }
  }

  private async connect(attempt: number): Promise<void> {
    await Promise.race([this.parting, pause(SEAT_MS)]);
    if (attempt !== this.attempt) return;
    const stream = await Stream.open(
      websocketUrl(this.settings, this.node, this.token), this.settings.domain);
    if (attempt !== this.attempt) {
      void stream.close();
      return;
    }
    this.stream = stream;
    stream.onLost = (why, startAnew) => {
      if (startAnew && this.phase === 'joined') void this.enter(this.typedName);
      else this.end(why);
    };
    stream.onAway = (away) => this.view.away(away);
    // The endpoint id: clients of this protocol take it from the account that the server made.
    const nick = nodeOf(stream.jid).replace(/[^0-9a-f]/g, '').slice(0, 8);
    const room = new Room(stream, `${this.node}@${this.settings.muc}`, nick, FEATURES, {
      changed: () => this.changed(),
      joined: (who) => this.tellComing(who, 'joined'),
      left: (who, how) => this.onLeft(who, how),
      roleChanged: (who) => this.onRole(who),
      chat: (line) => { if (this.phase === 'joined') this.view.chat(line); },
      subject: (words) => this.view.subject(words),
      muted: (kind, actor) => this.onMuted(kind, actor),
      jingle: (request, jingle, from) => {
        if (this.call) this.call.handle(request, jingle, from);
        else stream.refuse(request, 'item-not-found');
      },
      ended: (why) => this.end(why),
    });
    stream.onStanza = (stanza) => room.handle(stanza);
    const call = this.makeCall(stream, room);
    this.call = call;
    void call.loadServers(this.settings.domain);
    await this.joinRoom(stream, room, attempt);
    if (attempt !== this.attempt) return;
    // Nothing may be awaited from here to update(): the other side calls at once.
    this.room = room;
    this.setPhase('joined');
    this.noticeName(room);
    call.update();
  }

  private makeCall(stream: Stream, room: Room): Call {
    const { peerToPeer, stunServers } = this.settings;
    return new Call(stream, room, peerToPeer, stunServers, this.media.tracks, {
      state: (state) => this.view.call(state),
      media: (nick, media) => this.view.media(nick, media),
      announced: (active) => {
        this.announced = active;
        room.update(this.ownState());
      },
    });
  }

  private async joinRoom(stream: Stream, room: Room, attempt: number): Promise<void> {
    for (let tries = 1; attempt === this.attempt; tries++) {
      await this.requestConference(stream, room, attempt);
      if (attempt !== this.attempt) return;
      try {
        await room.join({ ...this.ownState(), name: this.typedName }, this.password);
        return;
      } catch (error) {
        if (!(error instanceof RoomMissing)) throw error;
        if (attempt !== this.attempt) return;
      }
      // The room may just have closed; if it stays away, somebody else has to open it.
      if (tries < ROOM_TRIES) await pause(500 + Math.random() * 500);
      else await this.waitForHost('Room creation is restricted');
    }
  }

  /** Asks the focus to open the room; waits while only a host may do that. */
  private async requestConference(stream: Stream, room: Room, attempt: number): Promise<void> {
    let delay = 1_000;
    while (attempt === this.attempt) {
      try {
        const answer = await stream.iq('set', this.settings.focus,
          x('conference', { xmlns: NS.focus, room: room.jid },
            x('property', { name: 'rtcstatsEnabled', value: 'false' })));
        const conference = child(answer, 'conference', NS.focus);
        this.marksGuests = children(conference, 'property').some((p) =>
          attr(p, 'name') === 'authentication' && attr(p, 'value') === 'true');
        if (attr(conference, 'ready') === 'true') return;
        await pause(delay);
        delay = Math.min(delay * 2, 30_000);
      } catch (error) {
        if (!(error instanceof IqError)) throw error;
        const { condition, text } = error.error;
        if (condition !== 'not-authorized') {
          const code = condition === 'resource-constraint' ? 'rate-limited'
            : condition === 'remote-server-timeout' ? 'no-answer'
              : condition === 'jid-malformed' ? 'room-name'
                : condition === 'forbidden' ? 'banned' : 'not-allowed';
          throw new Refused(refusal(code, text || condition));
        }
        if (attempt !== this.attempt) return;
        await this.waitForHost(text);
      }
    }
  }

  private waitForHost(detail: string): Promise<void> {
    if (this.phase !== 'waiting') this.setPhase('waiting', refusal('waiting-for-host', detail));
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, HOST_POLL_MS);
      this.wakeUp = () => { clearTimeout(timer); resolve(); };
    });
  }

  private ownState(): { audioMuted: boolean; videoMuted: boolean;
    sources: Record<string, { muted: boolean; videoType?: string }> } {
    const audioMuted = !this.media.isOn('audio');
    const videoMuted = !this.media.isOn('video');
    const nick = this.room?.nick ?? '';
    const sources = this.announced ? {
      [`${nick}-a0`]: { muted: audioMuted },
      [`${nick}-v0`]: { muted: videoMuted, videoType: 'camera' },
    } : {};
    return { audioMuted, videoMuted, sources };
  }

  private changed(): void {
    if (this.phase !== 'joined') return;
    this.call?.update();
    if (this.room) this.noticeName(this.room);
    this.view.changed();
  }

  /** Says so when others see another name than the one that was typed. */
  private noticeName(room: Room): void {
    const self = room.self;
    // Only a presence of one's own says what became of a name, and it is said once for each name typed.
    if (!self || self === this.seenSelf) return;
    this.seenSelf = self;
    const pair = `${this.typedName}\n${self.name}`;
    const { name } = self;
    if (pair === this.told) return;
    this.told = pair;
    if (name === '' || this.typedName === '' || name === this.typedName) return;
    this.tell(`Others see you as “${name}”`);
  }

  /** What is heard after the end, such as that the last request got no answer, is no news. */
  private tell(words: string): void {
    if (this.phase === 'joined') this.view.notice(words);
  }

  private tellComing(who: Occupant, verb: 'joined' | 'left'): void {
    if (this.phase === 'joined' && !this.isCrowd) this.view.coming(who, verb);
  }

  /** So many people that coming and going is no news. */
  private get isCrowd(): boolean {
    return (this.room?.occupants.size ?? 0) > NEWS_PEOPLE;
  }

  private onLeft(who: Occupant, { codes, actor }: Departure): void {
    if (codes.includes('307') || codes.includes('301')) {
      const by = this.room?.occupants.get(actor);
      this.tell(`${displayName(who)} was removed${by ? ` by ${displayName(by)}` : ''}`);
    } else {
      this.tellComing(who, 'left');
    }
  }

  private onRole(who: Occupant): void {
    const now = isModerator(who);
    this.tell(who.isSelf
      ? (now ? 'You are now a moderator' : 'You are no longer a moderator')
      : `${displayName(who)} is ${now ? 'now' : 'no longer'} a moderator`);
  }

  private onMuted(kind: Kind, actor: string): void {
    if (!this.media.isOn(kind)) return;
    void this.media.set(kind, false);
    this.tell(kind === 'audio' ? `${actor} muted you` : `${actor} switched your camera off`);
  }

  private end(why: Refusal): void {
    this.attempt += 1;
    this.hangUp();
    this.setPhase('refused', why);
  }

  private hangUp(silent = false): void {
    this.wakeUp();
    this.call?.stop();
    const stream = this.stream;
    if (this.room && stream && this.phase === 'joined') {
      stream.send(x('presence', {
        xmlns: NS.client, type: 'unavailable', to: this.room.addressOf(this.room.nick),
      }));
    }
    this.stream = null;
    this.room = null;
    this.call = null;
    this.announced = false;
    this.told = '';
    this.seenSelf = null;
    if (stream) this.parting = stream.close(silent);
  }

  private setPhase(phase: Phase, why: Refusal | null = null): void {
    this.phase = phase;
    this.refusal = why;
    this.view.phase(phase, why);
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
