// Settings during the meeting: the own name, where it may be changed, and the devices.

import { LocalMedia } from '../media';
import { h, replace, show } from './dom';
import { picker } from './devices';
import { panel } from './panel';

export interface SettingsPanel {
  element: HTMLElement;
  /** Shows the name that others see. */
  refresh(name: string): void;
}

export function settingsPanel(media: LocalMedia, readOnly: boolean, organised: boolean, rename: (name: string) => void,
  close: () => void): SettingsPanel {
  const input = h('input', { id: 'rename', testid: 'rename-input', maxlength: '60', required: true,
    readonly: readOnly, 'aria-describedby': 'rename-hint', autocomplete: 'off' });
  const form = h('form', { class: 'field', submit: (event: SubmitEvent) => {
    event.preventDefault();
    const name = input.value.trim();
    if (name !== '' && !readOnly) rename(name);
  } },
  h('label', { for: 'rename' }, 'Your name'),
  h('div', { class: 'row' }, input, !readOnly && h('button', { testid: 'rename-save' }, 'Save')),
  h('p', { class: 'hint', id: 'rename-hint', testid: 'rename-hint' },
    organised ? 'Your name is set by your organisation'
      : readOnly ? 'Names cannot be changed during the meeting.' : 'This is how the others see you.'));
  const pickers = [picker(media, 'audio', 'set'), picker(media, 'video', 'set')];
  const keys = h('dl', { class: 'keys' });
  const shortcuts: [string, string][] = [['M', 'Mute or unmute'], ['V', 'Camera on or off'], ['C', 'Chat'],
    ['P', 'People'], ['S', 'Settings'], ['Esc', 'Close a panel']];
  replace(keys, shortcuts.map(([key, words]) => [h('dt', {}, h('kbd', {}, key)), h('dd', {}, words)]));
  const element = panel('settings', h('h2', {}, 'Settings'), close,
    h('div', { class: 'body' }, form, pickers.map((p) => p.element), h('h3', {}, 'Keys'), keys));
  pickers.forEach((p) => show(p.element, false));
  return {
    element,
    refresh(name) {
      if (document.activeElement !== input) input.value = name;
      pickers.forEach((p) => p.refresh());
    },
  };
}
