// Before the meeting: a look at oneself, the name, the devices.

import { Kind, LocalMedia, troubleWords } from '../media';
import { h, setText, setVideo, show } from './dom';
import { picker, toggle } from './devices';

export interface PrejoinOptions {
  room: string;
  name: string;
  readOnly: boolean;
  join(name: string): void;
}

export interface Screen {
  element: HTMLElement;
  refresh(): void;
}

export function prejoin(media: LocalMedia, options: PrejoinOptions): Screen {
  const video = h('video', { class: 'mirror', muted: true, autoplay: true, playsinline: true,
    testid: 'preview', 'aria-label': 'Your camera' });
  video.muted = true;
  const blank = h('p', { class: 'blank', testid: 'preview-note' });
  const trouble = h('p', { class: 'hint', testid: 'device-note', role: 'status' });
  const flip = (kind: Kind) => () => void media.set(kind, !media.isOn(kind));
  const mic = toggle(media, 'audio', 'toggle-mic', flip('audio'));
  const camera = toggle(media, 'video', 'toggle-camera', flip('video'));
  const pickers = [picker(media, 'audio', 'pre'), picker(media, 'video', 'pre')];
  const input = h('input', {
    id: 'name', testid: 'name-input', maxlength: '60', autocomplete: 'name', required: true,
    readonly: options.readOnly, 'aria-describedby': options.readOnly ? 'name-reason' : null,
    value: options.name, placeholder: 'How others will see you',
  });
  const join = (event: SubmitEvent): void => {
    event.preventDefault();
    options.join(input.value.trim());
  };
  // A name that is set elsewhere may also be one that this page cannot read.
  if (options.readOnly) input.required = false;
  const form = h('form', { class: 'card', submit: join },
    h('h1', { testid: 'prejoin-room' }, options.room),
    h('label', { for: 'name' }, 'Your name'),
    input,
    options.readOnly && h('p', { class: 'hint', id: 'name-reason', testid: 'name-reason' },
      'Your name is set by your organisation'),
    pickers.map((p) => p.element),
    trouble,
    h('button', { class: 'primary', testid: 'join-button' }, 'Join'));
  const element = h('main', { class: 'prejoin', testid: 'prejoin' },
    h('div', { class: 'preview' }, video, blank,
      h('div', { class: 'preview-bar' }, mic.element, camera.element)),
    form);

  let offered = '';
  const refresh = (): void => {
    const track = media.tracks.video;
    setVideo(video, track);
    show(video, track !== null);
    show(blank, track === null);
    setText(blank, troubleWords('video', media.trouble.video) || 'Your camera is off');
    const words = [troubleWords('audio', media.trouble.audio), troubleWords('video', media.trouble.video)]
      .filter((w) => w !== '');
    setText(trouble, words.length > 0 ? `${words.join(' ')} You can join without.` : '');
    show(trouble, words.length > 0);
    mic.refresh();
    camera.refresh();
    // Devices have names only after one of them has been allowed.
    const known = `${media.tracks.audio?.id ?? ''} ${track?.id ?? ''}`;
    if (known !== offered) pickers.forEach((p) => p.refresh());
    offered = known;
  };
  pickers.forEach((p) => show(p.element, false));
  refresh();
  return { element, refresh };
}
