// The chat: lines to everybody, and to one person.

import { ChatLine } from '../room';
import { Occupant, displayName } from '../occupant';
import { h, keyed, setText, show } from './dom';
import { icon } from './icons';
import { panel } from './panel';

const MOST_LINES = 500;

export interface ChatPanel {
  element: HTMLElement;
  add(line: ChatLine): void;
  people(others: Occupant[]): void;
  open(to?: string): void;
  clear(): void;
}

export function chatPanel(say: (body: string, to: string) => void, close: () => void): ChatPanel {
  const log = h('div', { class: 'log', role: 'log', 'aria-live': 'polite', tabindex: '0',
    'aria-label': 'Chat messages', testid: 'chat-log' });
  const empty = h('p', { class: 'hint' }, 'No messages yet.');
  log.append(empty);
  const input = h('textarea', { rows: '2', maxlength: '4000', testid: 'chat-input',
    'aria-label': 'Your message', placeholder: 'Write a message',
    keydown: (event: KeyboardEvent) => {
      if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      form.requestSubmit();
    } });
  const to = h('select', { testid: 'chat-to', 'aria-label': 'Send to', change: () => markPrivate() });
  to.append(h('option', { value: '', 'data-key': '' }, 'Everybody'));
  const form = h('form', { class: 'say', submit: (event: SubmitEvent) => {
    event.preventDefault();
    const body = input.value.trim();
    if (body === '') return;
    input.value = '';
    say(body, to.value);
  } }, h('label', { class: 'to' }, 'To ', to),
  h('div', { class: 'row' }, input,
    h('button', { class: 'primary', testid: 'chat-send', 'aria-label': 'Send' }, icon('send'))));
  const element = panel('chat', h('h2', {}, 'Chat'), close, log, form);

  const markPrivate = (): void => { form.classList.toggle('private', to.value !== ''); };
  const add = (line: ChatLine): void => {
    show(empty, false);
    const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 60;
    log.append(build(line));
    while (log.children.length > MOST_LINES + 1) log.children[1]?.remove();
    if (atEnd || line.own) log.scrollTop = log.scrollHeight;
  };
  const people = (others: Occupant[]): void => {
    const chosen = to.value;
    const rest = [{ nick: '', name: 'Everybody' },
      ...others.map((o) => ({ nick: o.nick, name: displayName(o) }))];
    keyed(to, rest, (o) => o.nick, (o) => o.name, (o) => h('option', { value: o.nick }, o.name));
    to.value = rest.some((o) => o.nick === chosen) ? chosen : '';
    markPrivate();
  };
  return {
    element, add, people,
    open(nick) {
      if (nick !== undefined) to.value = nick;
      markPrivate();
      input.focus();
      log.scrollTop = log.scrollHeight;
    },
    clear() {
      log.textContent = '';
      show(empty, true);
      log.append(empty);
    },
  };
}

function build(line: ChatLine): HTMLElement {
  const time = line.when.toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' });
  const head = line.kind === 'system' ? 'From the server' : line.kind === 'error' ? 'Not sent'
    : line.kind === 'private' ? (line.own ? `You to ${line.to}, privately` : `${line.name}, privately`)
      : line.own ? `${line.name} (you)` : line.name;
  const body = h('p', { testid: 'chat-body' });
  setText(body, line.body);
  return h('article', {
    class: `line ${line.kind}${line.own ? ' own' : ''}`, testid: 'chat-line', 'data-kind': line.kind,
  }, h('header', {}, h('span', { testid: 'chat-name' }, head), h('time', {}, time)), body);
}
