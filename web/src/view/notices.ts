// Short words that pass by, read aloud to whoever does not see them.

import { h } from './dom';

const STAY_MS = 6_000;
const MOST = 3;

export function notice(words: string, kind = ''): void {
  const list = document.getElementById('notices');
  if (!list) return;
  const line = h('div', { class: 'notice', testid: 'notice', 'data-kind': kind || null }, words);
  list.append(line);
  while (list.children.length > MOST) list.firstElementChild?.remove();
  setTimeout(() => line.remove(), STAY_MS);
}

/** Takes away what has been read elsewhere. */
export function clearNotices(kind: string): void {
  for (const line of document.querySelectorAll(`.notice[data-kind="${kind}"]`)) line.remove();
}
