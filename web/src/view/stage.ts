// The tiles: everybody in the room, with picture where there is one.

import { Occupant, displayName, isModerator } from '../occupant';
import { RemoteMedia } from '../peer';
import { h, setText, setVideo, show } from './dom';
import { tileGrid } from './grid';
import { icon } from './icons';

const MOST_TILES = 25;
const SPEAKING = 0.02;

interface Tile {
  element: HTMLElement;
  video: HTMLVideoElement;
  face: HTMLElement;
  faceStamp: string;
  name: HTMLElement;
  moderator: HTMLElement;
  guest: HTMLElement;
  micOff: HTMLElement;
  cameraOff: HTMLElement;
}

export interface StageState {
  occupants: Occupant[];
  selfVideo: MediaStreamTrack | null;
  selfAudioOn: boolean;
  markGuests: boolean;
  /** Who is connected, and what comes from them. */
  peerNick: string;
  media: RemoteMedia | null;
}

export class Stage {
  readonly element = h('div', { class: 'stage', testid: 'stage' });
  private readonly tiles = new Map<string, Tile>();
  private readonly more = h('div', { class: 'tile more', testid: 'tile-more' });
  private readonly audio = h('audio', { autoplay: true });
  private readonly listen = h('button', {
    class: 'primary listen', testid: 'listen-button', hidden: true, click: () => this.playAudio(),
  }, 'Click to hear the others');
  private audioTrack: MediaStreamTrack | null = null;
  private count = 0;

  constructor() {
    this.element.append(this.audio, this.listen);
    new ResizeObserver(() => this.layout()).observe(this.element);
  }

  render(state: StageState): void {
    const ordered = [...state.occupants].sort((a, b) => Number(a.isSelf) - Number(b.isSelf));
    // Of a big meeting the own tile is always shown.
    const shown = ordered.length <= MOST_TILES ? ordered
      : [...ordered.slice(0, MOST_TILES - 2), ...ordered.filter((o) => o.isSelf)];
    const wanted: string[] = [];
    for (const who of shown) {
      wanted.push(who.nick);
      this.renderTile(this.tile(who.nick), who, state);
      const shared = who.sources.get(`${who.nick}-v1`)?.muted !== true;
      if (who.nick === state.peerNick && state.media?.screen && shared) {
        wanted.push(`${who.nick}/screen`);
        this.renderScreen(this.tile(`${who.nick}/screen`), who, state.media.screen);
      }
    }
    // Moving a playing video in the document would stop it, so only its order changes.
    wanted.forEach((key, i) => this.tiles.get(key)?.element.style.setProperty('order', String(i)));
    this.more.style.setProperty('order', String(wanted.length));
    for (const [key, tile] of this.tiles) {
      if (wanted.includes(key)) continue;
      tile.video.srcObject = null;
      tile.element.remove();
      this.tiles.delete(key);
    }
    const hidden = ordered.length - shown.length;
    setText(this.more, `and ${hidden} more`);
    if (hidden > 0) this.element.append(this.more);
    else this.more.remove();
    this.count = wanted.length + (hidden > 0 ? 1 : 0);
    this.setAudio(state.media?.audio ?? null);
    this.layout();
  }

  /** Lights up whoever is heard at this moment. */
  speaking(nick: string, level: number): void {
    for (const [key, tile] of this.tiles) {
      tile.element.classList.toggle('speaking', key === nick && level > SPEAKING);
    }
  }

  clear(): void {
    this.tiles.forEach((tile) => tile.element.remove());
    this.tiles.clear();
    this.setAudio(null);
  }

  private tile(key: string): Tile {
    const known = this.tiles.get(key);
    if (known) return known;
    const video = h('video', { autoplay: true, playsinline: true, muted: true, testid: 'tile-video' });
    video.muted = true;
    const face = h('div', { class: 'face', 'aria-hidden': 'true' });
    const name = h('span', { class: 'name', testid: 'tile-name' });
    const moderator = h('span', { class: 'badge moderator', testid: 'tile-moderator', title: 'Moderator' },
      icon('star'), h('span', { class: 'sr' }, 'Moderator'));
    const guest = h('span', { class: 'badge guest', testid: 'tile-guest',
      title: 'Came without a verified identity' }, 'Guest');
    const micOff = h('span', { class: 'mark', testid: 'tile-mic-off', title: 'Muted' },
      icon('micOff'), h('span', { class: 'sr' }, 'Muted'));
    const cameraOff = h('span', { class: 'mark camera', testid: 'tile-camera-off', title: 'Camera is off' },
      icon('cameraOff'), h('span', { class: 'sr' }, 'Camera is off'));
    const element = h('figure', { class: 'tile', testid: 'tile', 'data-nick': key }, video, face,
      h('figcaption', {}, micOff, cameraOff, name, moderator, guest));
    const tile = { element, video, face, faceStamp: '', name, moderator, guest, micOff, cameraOff };
    this.tiles.set(key, tile);
    this.element.append(element);
    return tile;
  }

  private renderTile(tile: Tile, who: Occupant, state: StageState): void {
    const connected = who.nick === state.peerNick && state.media !== null;
    const track = who.isSelf ? state.selfVideo : connected ? state.media?.video ?? null : null;
    const audioMuted = who.isSelf ? !state.selfAudioOn : who.audioMuted ?? !connected;
    const cameraOff = who.isSelf ? !track : who.videoMuted ?? !connected;
    const hasPicture = track !== null && !cameraOff && (who.isSelf || !track.muted);
    setVideo(tile.video, hasPicture ? track : null);
    tile.video.classList.toggle('mirror', who.isSelf);
    tile.element.classList.toggle('self', who.isSelf);
    show(tile.video, hasPicture);
    show(tile.face, !hasPicture);
    this.renderFace(tile, who);
    setText(tile.name, who.isSelf ? `${displayName(who)} (you)` : displayName(who));
    tile.element.setAttribute('aria-label', displayName(who));
    show(tile.moderator, isModerator(who));
    show(tile.guest, state.markGuests && who.guest);
    show(tile.micOff, audioMuted);
    show(tile.cameraOff, cameraOff);
  }

  private renderScreen(tile: Tile, who: Occupant, track: MediaStreamTrack): void {
    setVideo(tile.video, track);
    tile.element.classList.add('screen');
    setText(tile.name, `${displayName(who)}’s screen`);
    for (const part of [tile.face, tile.moderator, tile.guest, tile.micOff, tile.cameraOff]) show(part, false);
  }

  private renderFace(tile: Tile, who: Occupant): void {
    const stamp = `${who.name}|${who.avatar}`;
    if (tile.faceStamp === stamp) return;
    tile.faceStamp = stamp;
    tile.face.textContent = '';
    tile.face.style.setProperty('--hue', String(hueOf(who.name || who.nick)));
    const initials = h('span', {}, initialsOf(who.name));
    tile.face.append(initials);
    if (who.avatar === '') return;
    const image = h('img', { src: who.avatar, alt: '', referrerpolicy: 'no-referrer' });
    image.onload = () => initials.remove();
    image.onerror = () => image.remove();
    tile.face.append(image);
  }

  private setAudio(track: MediaStreamTrack | null): void {
    if (this.audioTrack === track) return;
    this.audioTrack = track;
    this.audio.srcObject = track ? new MediaStream([track]) : null;
    if (track) this.playAudio();
    else show(this.listen, false);
  }

  private playAudio(): void {
    this.audio.play().then(() => show(this.listen, false), (error: unknown) => {
      // Browsers may want a click first; other failures mean that there is nothing to play.
      show(this.listen, error instanceof DOMException && error.name === 'NotAllowedError');
    });
  }

  private layout(): void {
    const { clientWidth: width, clientHeight: height, style } = this.element;
    if (width === 0 || this.count === 0) return;
    const gap = parseFloat(getComputedStyle(this.element).columnGap) || 0;
    const grid = tileGrid(this.count, { width, height }, gap);
    const rowWidth = grid.columns * (grid.width + gap) - gap;
    style.setProperty('--tile-width', `${grid.width}px`);
    style.setProperty('--tile-height', `${grid.height}px`);
    // The sides hold so much free that no row takes more tiles than the grid has columns.
    style.setProperty('--side', `${Math.max(0, Math.floor((width - rowWidth) / 2))}px`);
  }
}

function initialsOf(name: string): string {
  const words = name.split(/\s+/).filter((w) => /[\p{L}\p{N}]/u.test(w));
  const letters = words.slice(0, 2).map((w) => Array.from(w.replace(/[^\p{L}\p{N}]/gu, ''))[0] ?? '');
  return letters.join('').toUpperCase() || '·';
}

function hueOf(words: string): number {
  let hash = 7;
  for (const c of words) hash = (hash * 31 + (c.codePointAt(0) ?? 0)) % 360;
  return hash;
}
