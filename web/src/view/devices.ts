// Choosing a camera and a microphone, before and during the meeting.

import { Kind, LocalMedia, troubleWords } from '../media';
import { h, replace, show } from './dom';
import { icon } from './icons';

const LABELS: Record<Kind, string> = { audio: 'Microphone', video: 'Camera' };

export interface Picker {
  element: HTMLElement;
  refresh(): void;
}

export function picker(media: LocalMedia, kind: Kind, prefix: string): Picker {
  const id = `${prefix}-${kind}`;
  const select = h('select', { id, testid: `${prefix}-${kind}-select`,
    change: () => void media.choose(kind, select.value) });
  const element = h('div', { class: 'field' }, h('label', { for: id }, LABELS[kind]), select);
  const refresh = async (): Promise<void> => {
    const devices = await media.devices(kind);
    const chosen = media.chosen[kind] || media.tracks[kind]?.getSettings().deviceId || '';
    replace(select, devices.map((d, i) =>
      h('option', { value: d.deviceId, selected: d.deviceId === chosen }, d.label || `${LABELS[kind]} ${i + 1}`)));
    show(element, devices.length > 0);
  };
  return { element, refresh: () => void refresh() };
}

export interface Toggle {
  element: HTMLButtonElement;
  refresh(): void;
}

/** The button that switches a device; pressed means that it is sending. */
export function toggle(media: LocalMedia, kind: Kind, testid: string, press: () => void): Toggle {
  const words = h('span', { class: 'label' }, LABELS[kind]);
  const picture = h('span', {});
  const element = h('button', { class: 'round', type: 'button', testid, click: press,
    'aria-label': LABELS[kind] }, picture, words);
  let drawn: boolean | null = null;
  const refresh = (): void => {
    const on = media.isOn(kind);
    const act = kind === 'audio' ? (on ? 'Mute' : 'Unmute') : (on ? 'Stop camera' : 'Start camera');
    element.title = troubleWords(kind, media.trouble[kind]) || `${act} (${kind === 'audio' ? 'M' : 'V'})`;
    if (on === drawn) return;
    drawn = on;
    replace(picture, icon(kind === 'audio' ? (on ? 'mic' : 'micOff') : (on ? 'camera' : 'cameraOff')));
    element.classList.toggle('off', !on);
    element.setAttribute('aria-pressed', String(on));
  };
  refresh();
  return { element, refresh };
}
