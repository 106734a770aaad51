// The meeting's screen: tiles, toolbar, panels and keys.

import { Meeting } from '../meeting';
import { Settings } from '../config';
import { Kind, LocalMedia } from '../media';
import { CallState } from '../call';
import { ChatLine } from '../room';
import { RemoteMedia } from '../peer';
import { Occupant, displayName, isModerator } from '../occupant';
import { h, isTyping, setText, show } from './dom';
import { IconName, icon } from './icons';
import { Stage } from './stage';
import { chatPanel } from './chat';
import { PeopleActions, askToRemove, peoplePanel } from './people';
import { settingsPanel } from './settings';
import { toggle } from './devices';
import { clearNotices, notice } from './notices';

const LEVEL_MS = 250;

const CALL_WORDS: Record<CallState, string> = {
  alone: 'You are the only one here. Share the address of this page.',
  connecting: 'Connecting sound and picture…',
  connected: '',
  failed: 'Sound and picture could not be connected. Chat works.',
  crowd: 'Sound and picture work between two people for now',
  off: 'This server connects no sound and picture between two people.',
};

type PanelName = 'chat' | 'people' | 'settings';

export class Desk {
  readonly element: HTMLElement;
  private readonly stage = new Stage();
  private readonly note = h('p', { class: 'note', testid: 'call-note', role: 'status' });
  private readonly subject = h('span', { class: 'subject', testid: 'room-subject' });
  private readonly count = h('span', { class: 'count', testid: 'people-count' });
  private readonly dot = h('span', { class: 'dot', hidden: true, testid: 'chat-unread' },
    h('span', { class: 'sr' }, 'New messages'));
  private readonly chat = chatPanel((body, to) => this.meeting.room?.say(body, to), () => this.open(null));
  private readonly people;
  private readonly settings;
  private readonly mic;
  private readonly camera;
  private readonly buttons: Record<PanelName, HTMLButtonElement>;
  private panel: PanelName | null = null;
  private peerNick = '';
  private remote: RemoteMedia | null = null;
  private scheduled = false;

  constructor(
    private readonly meeting: Meeting,
    private readonly media: LocalMedia,
    room: string,
    settings: Settings,
  ) {
    this.people = peoplePanel(this.peopleActions(), settings.mayGrant, settings.mayKick);
    this.settings = settingsPanel(media, settings.readOnlyName || settings.fixedProfile,
      settings.readOnlyName, (name) => meeting.rename(name), () => this.open(null));
    this.mic = toggle(media, 'audio', 'mic-button', () => this.flip('audio'));
    this.camera = toggle(media, 'video', 'camera-button', () => this.flip('video'));
    this.buttons = {
      chat: this.panelButton('chat', 'Chat', 'C', 'chat'),
      people: this.panelButton('people', 'People', 'P', 'people'),
      settings: this.panelButton('settings', 'Settings', 'S', 'settings'),
    };
    this.buttons.chat.append(this.dot);
    this.buttons.people.append(this.count);
    const leave = h('button', { class: 'round danger', testid: 'leave-button', title: 'Leave', 'aria-label': 'Leave',
      click: () => void meeting.leave() }, icon('leave'), h('span', { class: 'label' }, 'Leave'));
    this.element = h('div', { class: 'desk', testid: 'meeting' },
      h('header', { class: 'bar' }, h('h1', { testid: 'room-title' }, room), this.subject),
      h('div', { class: 'middle' },
        h('main', { class: 'scene' }, this.note, this.stage.element),
        this.chat.element, this.people.element, this.settings.element),
      h('nav', { class: 'toolbar', 'aria-label': 'Meeting controls' },
        this.mic.element, this.camera.element, this.buttons.chat, this.buttons.people,
        this.buttons.settings, leave));
    window.addEventListener('keydown', (event) => this.onKey(event));
    window.setInterval(() => this.level(), LEVEL_MS);
  }

  private peopleActions(): PeopleActions {
    return {
      mute: (who) => this.mute(who, 'audio'),
      stopCamera: (who) => this.mute(who, 'video'),
      muteAll: () => this.muteAll(),
      kick: (who) => void this.kick(who),
      grant: (who) => this.act((room) => room.grant(who)),
      revoke: (who) => this.act((room) => room.revoke(who)),
      write: (who) => { this.open('chat'); this.chat.open(who.nick); },
      close: () => this.open(null),
    };
  }

  /** Draws what changed, at most once a frame. */
  refresh(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    setTimeout(() => { this.scheduled = false; this.render(); }, 16);
  }

  /** A new stay begins: nothing of the last one may stand. */
  reset(): void {
    this.stage.clear();
    this.chat.clear();
    this.peerNick = '';
    this.remote = null;
    setText(this.subject, '');
    this.open(null);
    this.refresh();
  }

  callState(state: CallState): void {
    setText(this.note, CALL_WORDS[state]);
    this.note.dataset.state = state;
    show(this.note, CALL_WORDS[state] !== '');
    this.refresh();
  }

  remoteMedia(nick: string, media: RemoteMedia | null): void {
    if (media === null && nick !== this.peerNick) return;
    this.peerNick = media ? nick : '';
    this.remote = media ? { ...media } : null;
    this.refresh();
  }

  chatLine(line: ChatLine): void {
    this.chat.add(line);
    if (this.panel === 'chat' || line.own || line.old) return;
    show(this.dot, true);
    if (line.kind === 'system' || line.kind === 'error') notice(line.body, 'chat');
    else notice(`${line.name}: ${line.body.length > 80 ? `${line.body.slice(0, 80)}…` : line.body}`, 'chat');
  }

  setSubject(words: string): void {
    setText(this.subject, words);
  }

  private render(): void {
    const room = this.meeting.room;
    this.mic.refresh();
    this.camera.refresh();
    if (!room) return;
    const people = room.people;
    const markGuests = this.meeting.marksGuests;
    this.stage.render({
      occupants: people, selfVideo: this.media.tracks.video, selfAudioOn: this.media.isOn('audio'),
      markGuests, peerNick: this.peerNick, media: this.remote,
    });
    this.people.render(people.map((o) => (o.isSelf ? this.withOwnDevices(o) : o)), room.self, markGuests);
    this.chat.people(people.filter((o) => !o.isSelf));
    setText(this.count, String(people.length));
    if (this.panel === 'settings') this.settings.refresh(room.self?.name ?? '');
  }

  private withOwnDevices(self: Occupant): Occupant {
    return { ...self, audioMuted: !this.media.isOn('audio'), videoMuted: !this.media.isOn('video') };
  }

  private panelButton(name: PanelName, words: string, key: string, picture: IconName): HTMLButtonElement {
    return h('button', { class: 'round', testid: `${name}-button`, 'aria-expanded': 'false', 'aria-label': words,
      title: `${words} (${key})`, click: () => this.open(this.panel === name ? null : name) },
    icon(picture), h('span', { class: 'label' }, words));
  }

  private open(name: PanelName | null): void {
    const before = this.panel;
    this.panel = name;
    const panels = { chat: this.chat.element, people: this.people.element, settings: this.settings.element };
    for (const key of Object.keys(panels) as PanelName[]) {
      show(panels[key], key === name);
      this.buttons[key].setAttribute('aria-expanded', String(key === name));
    }
    if (name === 'chat') {
      show(this.dot, false);
      clearNotices('chat');
      this.chat.open();
    } else if (name !== null) {
      panels[name].querySelector<HTMLElement>('input, button')?.focus();
    } else if (before !== null) {
      this.buttons[before].focus();
    }
    if (name === 'settings') this.settings.refresh(this.meeting.room?.self?.name ?? '');
  }

  private onKey(event: KeyboardEvent): void {
    if (!this.element.isConnected || document.querySelector('dialog[open]')) return;
    if (event.key === 'Escape' && this.panel !== null) {
      this.open(null);
      return;
    }
    if (isTyping(event.target) || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
    const open = (name: PanelName): void => {
      event.preventDefault();
      this.open(this.panel === name ? null : name);
    };
    switch (event.key.toLowerCase()) {
      case 'm': this.flip('audio'); break;
      case 'v': this.flip('video'); break;
      case 'c': open('chat'); break;
      case 'p': open('people'); break;
      case 's': open('settings'); break;
      default:
    }
  }

  private flip(kind: Kind): void {
    const wanted = !this.media.isOn(kind);
    void this.media.set(kind, wanted).then((done) => {
      if (done || !this.element.isConnected) return;
      notice(kind === 'audio' ? 'There is no microphone to use' : 'There is no camera to use');
    });
  }

  private act(request: (room: NonNullable<Meeting['room']>) => Promise<unknown>, done = ''): void {
    const room = this.meeting.room;
    if (room) void this.meeting.ask(request(room), done);
  }

  private mute(who: Occupant, kind: Kind): void {
    this.act((room) => room.mute(who.nick, kind), kind === 'audio'
      ? `You muted ${displayName(who)}` : `You switched ${displayName(who)}’s camera off`);
  }

  private muteAll(): void {
    this.act((room) => Promise.all(room.people
      .filter((o) => !o.isSelf && o.audioMuted !== true).map((o) => room.mute(o.nick, 'audio'))),
    'You muted everybody else');
  }

  private async kick(who: Occupant): Promise<void> {
    const reason = await askToRemove(who);
    if (reason !== null && isModerator(this.meeting.room?.self)) {
      this.act((room) => room.kick(who.nick, reason));
    }
  }

  private level(): void {
    const receiver = this.meeting.call?.peer?.pc.getReceivers().find((r) => r.track.kind === 'audio');
    const level = receiver?.getSynchronizationSources?.()[0]?.audioLevel ?? 0;
    this.stage.speaking(this.peerNick, level);
  }
}
