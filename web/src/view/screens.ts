// The screens beside the meeting itself: landing, waiting, refused, left.

import { Refusal } from '../refusal';
import { h } from './dom';

const TRYING_MS = 1_000;

export function landing(): HTMLElement {
  const input = h('input', {
    id: 'room', testid: 'landing-room', required: true, autocomplete: 'off', maxlength: '120',
    placeholder: 'weekly-planning', spellcheck: 'false',
  });
  const go = (event: SubmitEvent): void => {
    event.preventDefault();
    const name = input.value.trim();
    if (name !== '') location.assign(`/${encodeURIComponent(name)}`);
  };
  const form = h('form', { class: 'card', submit: go },
    h('h1', {}, 'Gavel'),
    h('p', { class: 'lead' }, 'Meet in a room of your own. Name it, and share the address.'),
    h('label', { for: 'room' }, 'Room name'),
    input,
    h('button', { class: 'primary', testid: 'landing-go' }, 'Go to the room'));
  return h('main', { class: 'centre', testid: 'landing' }, form);
}

function message(testid: string, title: string, text: string, detail: string,
  ...actions: (HTMLElement | null)[]): HTMLElement {
  return h('main', { class: 'centre', testid },
    h('div', { class: 'card', role: 'alert' },
      h('h1', { testid: 'refusal-title' }, title),
      h('p', { testid: 'refusal-text' }, text),
      detail && h('p', { class: 'detail', testid: 'refusal-detail' }, detail),
      h('div', { class: 'actions' }, actions)));
}

export function connecting(cancel: () => void): HTMLElement {
  return h('main', { class: 'centre', testid: 'connecting' },
    h('div', { class: 'card', role: 'status' },
      h('div', { class: 'spinner' }), h('h1', {}, 'Joining…'),
      h('div', { class: 'actions' }, h('button', { click: cancel }, 'Cancel'))));
}

/** The way to the organisation's own login, where there is one. */
function signInLink(url: string): HTMLElement | null {
  return url === '' ? null : h('a', { class: 'button', href: url, testid: 'sign-in' }, 'Sign in');
}

export function waiting(why: Refusal, signIn: string, cancel: () => void): HTMLElement {
  return h('main', { class: 'centre', testid: 'waiting' },
    h('div', { class: 'card', role: 'status' },
      h('div', { class: 'spinner' }),
      h('h1', { testid: 'refusal-title' }, why.title),
      h('p', { testid: 'refusal-text' }, why.text),
      h('div', { class: 'actions' }, signInLink(signIn),
        h('button', { click: cancel, testid: 'cancel-button' }, 'Cancel'))));
}

export interface Ways {
  signIn: string;
  again(): void;
  withPassword(password: string): void;
  back(): void;
}

export function refused(why: Refusal, ways: Ways): HTMLElement {
  if (why.code === 'password') return askPassword(why, ways);
  // Nothing helps somebody whose token does not open this room but another link.
  const final = ['token-required', 'token-expired', 'token-invalid', 'room-mismatch', 'banned',
    'room-name'].includes(why.code);
  const again = why.code === 'disconnected' || why.code === 'kicked' || why.code === 'removed'
    || why.code === 'destroyed' ? 'Rejoin' : 'Try again';
  const login = why.code === 'token-required' || why.code === 'token-expired' ? ways.signIn : '';
  return message('refusal', why.title, why.text, why.detail,
    signInLink(login),
    final ? null : h('button', { class: 'primary', click: () => ways.again(), testid: 'rejoin-button' }, again),
    h('button', { click: () => ways.back(), testid: 'back-button' }, 'Back'));
}

/** Before the meeting while its connection is lost and tried again. */
export function cutOff(why: Refusal, retry: () => void, leave: () => void): HTMLElement {
  const now = h('button', { class: 'primary', testid: 'rejoin-button' }, 'Try now');
  now.addEventListener('click', () => {
    now.disabled = true;
    setTimeout(() => { now.disabled = false; }, TRYING_MS);
    retry();
  });
  return h('main', { class: 'centre', testid: 'refusal' },
    h('div', { class: 'card', role: 'alert' },
      h('div', { class: 'spinner' }),
      h('h1', { testid: 'refusal-title' }, why.title),
      h('p', { testid: 'refusal-text' }, `${why.text} Trying again in a moment.`),
      h('div', { class: 'actions' }, now, h('button', { click: leave, testid: 'back-button' }, 'Leave'))));
}

function askPassword(why: Refusal, ways: Ways): HTMLElement {
  const input = h('input', {
    id: 'password', type: 'password', testid: 'password-input', required: true, autocomplete: 'off',
  });
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    ways.withPassword(input.value);
  };
  return h('main', { class: 'centre', testid: 'refusal' },
    h('form', { class: 'card', submit },
      h('h1', { testid: 'refusal-title' }, why.title),
      h('p', { testid: 'refusal-text', role: 'alert' }, why.text),
      h('label', { for: 'password' }, 'Password'),
      input,
      h('div', { class: 'actions' },
        h('button', { class: 'primary', testid: 'password-submit' }, 'Enter'),
        h('button', { type: 'button', click: () => ways.back(), testid: 'back-button' }, 'Back'))));
}

export function left(rejoin: () => void): HTMLElement {
  return h('main', { class: 'centre', testid: 'left' },
    h('div', { class: 'card' },
      h('h1', {}, 'You left the meeting'),
      h('div', { class: 'actions' },
        h('button', { class: 'primary', click: rejoin, testid: 'rejoin-button' }, 'Rejoin'))));
}
