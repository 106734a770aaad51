// Short words that pass by, read aloud to whoever does not see them.

import { h, setText } from './dom';

const STAY_MS = 6_000;
const MOST = 3;

/** "news" and "chat" can also be read elsewhere; "answer" is about what one did or what was done to one. */
export type NoticeKind = 'answer' | 'chat' | 'news';

/** Stands until it is taken away by what is returned. */
export function standing(words: string, testid: string): () => void {
  const line = h('div', { class: 'notice', testid }, words);
  document.getElementById('notices')?.prepend(line);
  return () => line.remove();
}

/** People who came or went one shortly after the other share a line. */
interface Group {
  line: HTMLElement;
  names: string[];
  timer: number;
}

const groups = new Map<string, Group>();

export function notice(words: string, kind: NoticeKind = 'answer'): void {
  const line = add(words, kind);
  setTimeout(() => line.remove(), STAY_MS);
}

/** Says that somebody joined or left, in one line with those who did the same just before. */
export function coming(name: string, verb: 'joined' | 'left'): void {
  let group = groups.get(verb);
  if (!group?.line.isConnected) {
    group = { line: add('', 'news'), names: [], timer: 0 };
    groups.set(verb, group);
  }
  const { line, names } = group;
  names.push(name);
  setText(line, `${names.length > 2 ? `${names.length} people` : names.join(' and ')} ${verb}`);
  clearTimeout(group.timer);
  group.timer = window.setTimeout(() => line.remove(), STAY_MS);
}

/** Takes away what has been read elsewhere, or everything. */
export function clearNotices(kind?: NoticeKind): void {
  const which = kind ? `.notice[data-kind="${kind}"]` : '.notice';
  for (const line of document.querySelectorAll(which)) line.remove();
}

function add(words: string, kind: NoticeKind): HTMLElement {
  const line = h('div', { class: 'notice', testid: 'notice', 'data-kind': kind }, words);
  const list = document.getElementById('notices');
  list?.append(line);
  while (list && list.children.length > MOST) list.firstElementChild?.remove();
  return line;
}
