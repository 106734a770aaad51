// What the panels beside the stage have in common: a title and a way to close them.

import { Child, h } from './dom';
import { icon } from './icons';

/** A closed panel; its parts are named "<name>-panel" and "<name>-close" for tests. */
export function panel(name: string, title: HTMLElement, close: () => void, ...rest: Child[]): HTMLElement {
  const words = name.charAt(0).toUpperCase() + name.slice(1);
  return h('aside', { class: 'panel', 'aria-label': words, testid: `${name}-panel`, hidden: true },
    h('header', {}, title,
      h('button', { class: 'plain', click: close, 'aria-label': `Close ${name}`, testid: `${name}-close` },
        icon('close'))),
    rest);
}
