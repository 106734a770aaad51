// The page's start: which screen, and what a change of the meeting does to it.

import { readSettings, readToken, remembered, roomFromPath, roomNode, tokenName } from './config';
import { LocalMedia } from './media';
import { Meeting, Phase } from './meeting';
import { displayName } from './occupant';
import { Refusal, refusal } from './refusal';
import { closeDialogs, replace, show } from './view/dom';
import { Desk } from './view/desk';
import { clearNotices, coming, notice, standing } from './view/notices';
import { Screen, prejoin } from './view/prejoin';
import { connecting, cutOff, landing, left, refused, waiting } from './view/screens';

const REJOIN_MS = [2_000, 5_000, 10_000, 20_000];
// So long a lost connection is but a line at the edge.
const SHORTLY_AWAY_MS = 2_500;

/** For tests only: what the page knows, read-only. Nothing in the page uses it. */
interface Probe {
  state(): {
    phase: Phase;
    joined: boolean;
    nick: string;
    self: { name: string; role: string; affiliation: string } | null;
    occupants: { nick: string; name: string; role: string; affiliation: string; guest: boolean;
      audioMuted: boolean | null; videoMuted: boolean | null }[];
    call: string;
    refusal: Refusal | null;
  };
  readonly pc: RTCPeerConnection | null;
}

declare global {
  interface Window { gavel?: Probe }
}

const app = document.getElementById('app');

function startRoom(root: HTMLElement, roomName: string): void {
  const settings = readSettings();
  if (!settings) {
    replace(root, refused(refusal('configuration'), {
      signIn: '', again: () => location.reload(), withPassword: () => undefined, back: () => location.assign('/'),
    }));
    return;
  }
  const token = readToken(location);
  const given = tokenName(token);
  const signIn = settings.signIn.replace('{room}', roomNode(roomName));
  const media = new LocalMedia();
  let before: Screen | null = null;
  let rejoins = 0;
  let timer = 0;
  let present: () => void = () => undefined;

  const meeting: Meeting = new Meeting(settings, roomNode(roomName), token, media, {
    phase: (phase, why) => onPhase(phase, why),
    away: (away) => onAway(away),
    changed: () => desk.refresh(),
    call: (state) => desk.callState(state),
    media: (nick, tracks) => desk.remoteMedia(nick, tracks),
    chat: (line) => desk.chatLine(line),
    subject: (words) => desk.setSubject(words),
    notice,
    coming: (who, verb) => coming(displayName(who), verb),
  });
  const desk = new Desk(meeting, media, roomName, settings);
  media.onChange = () => {
    remembered.set('muted', media.isOn('audio') || media.trouble.audio !== '' ? '' : 'yes');
    remembered.set('dark', media.isOn('video') || media.trouble.video !== '' ? '' : 'yes');
    before?.refresh();
    meeting.mediaChanged();
  };

  const again = (password?: string): void => {
    clearTimeout(timer);
    void meeting.enter(meeting.name, password);
  };
  const ownName = (): string =>
    given || (settings.readOnlyName ? '' : meeting.name || remembered.get('name'));
  const prepare = (): void => {
    clearTimeout(timer);
    present();
    before = prejoin(media, {
      room: roomName,
      name: ownName(),
      readOnly: settings.readOnlyName,
      join(name) {
        // A name that a token gave is nobody's to remember.
        if (!settings.readOnlyName && name !== given) remembered.set('name', name);
        rejoins = 0;
        void meeting.enter(name, '');
      },
    });
    replace(root, before.element);
    before.element.querySelector<HTMLElement>(settings.readOnlyName ? 'button.primary' : '#name')?.focus();
  };
  const cancel = (): void => void meeting.leave().then(prepare);

  function onPhase(phase: Phase, why: Refusal | null): void {
    before = null;
    present();
    // Nothing of one screen may stand on the next.
    clearNotices();
    closeDialogs();
    switch (phase) {
      case 'connecting': replace(root, connecting(cancel)); break;
      case 'waiting': if (why) replace(root, waiting(why, signIn, cancel)); break;
      case 'joined':
        rejoins = 0;
        desk.reset();
        replace(root, desk.element);
        break;
      case 'left': replace(root, left(prepare)); break;
      case 'refused': if (why) onRefused(why); break;
      default:
    }
  }

  /** The meeting stays, with its pictures and sound; after a while a card before it says what is. */
  function onAway(away: boolean): void {
    present();
    if (!away || meeting.phase === 'left') return;
    closeDialogs();
    const line = standing('Reconnecting…', 'reconnecting');
    let card: HTMLElement | null = null;
    const later = window.setTimeout(() => {
      if (meeting.phase !== 'joined') return;
      line();
      card = cutOff(refusal('disconnected'), () => meeting.retry(), () => void meeting.leave());
      show(desk.element, false);
      root.append(card);
    }, SHORTLY_AWAY_MS);
    present = () => {
      clearTimeout(later);
      line();
      card?.remove();
      show(desk.element, true);
      present = () => undefined;
    };
  }

  function onRefused(why: Refusal): void {
    const delay = REJOIN_MS[rejoins];
    const lost = why.code === 'disconnected' || (why.code === 'unreachable' && rejoins > 0);
    replace(root, refused(lost && delay !== undefined
      ? { ...why, text: `${why.text} Trying again in ${delay / 1000} seconds.` } : why, {
      signIn,
      again: () => again(),
      withPassword: (password) => again(password),
      back: prepare,
    }));
    root.querySelector<HTMLElement>('input, button.primary')?.focus();
    if (!lost || delay === undefined) return;
    rejoins += 1;
    timer = window.setTimeout(() => again(), delay);
  }

  window.gavel = {
    state: () => {
      const self = meeting.room?.self;
      return {
        phase: meeting.phase,
        joined: meeting.phase === 'joined',
        nick: meeting.room?.nick ?? '',
        self: self ? { name: self.name, role: self.role, affiliation: self.affiliation } : null,
        occupants: (meeting.room?.people ?? []).map((o) => ({
          nick: o.nick, name: o.name, role: o.role, affiliation: o.affiliation, guest: o.guest,
          audioMuted: o.audioMuted ?? null, videoMuted: o.videoMuted ?? null,
        })),
        call: meeting.call?.state ?? '',
        refusal: meeting.refusal,
      };
    },
    get pc() { return meeting.call?.peer?.pc ?? null; },
  };

  // A page that the browser brings back from its cache has lost its connection.
  window.addEventListener('pageshow', (event) => { if (event.persisted) location.reload(); });
  window.addEventListener('hashchange', () => location.reload());
  prepare();
  // Without a screen before the meeting only a missing name can still stop somebody.
  const straightIn = !settings.prejoin && (ownName() !== '' || settings.readOnlyName);
  if (straightIn) void meeting.enter(ownName(), '');
  void media.open(remembered.get('muted') === '', remembered.get('dark') === '');
}

if (app) {
  const room = roomFromPath(location.pathname);
  if (room === '') {
    replace(app, landing());
  } else {
    document.title = `${room} · Gavel`;
    startRoom(app, room);
  }
}
