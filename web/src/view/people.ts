// The roster: names, roles and guest marks as the server sends them, and what a moderator may do.

import { Occupant, displayName, isModerator } from '../occupant';
import { h, keyed, setText, show } from './dom';
import { IconName, icon } from './icons';
import { panel } from './panel';

export interface PeopleActions {
  mute(who: Occupant): void;
  stopCamera(who: Occupant): void;
  muteAll(): void;
  kick(who: Occupant): void;
  grant(who: Occupant): void;
  revoke(who: Occupant): void;
  write(who: Occupant): void;
  close(): void;
}

export interface PeoplePanel {
  element: HTMLElement;
  render(people: Occupant[], self: Occupant | undefined, markGuests: boolean): void;
}

export function peoplePanel(actions: PeopleActions, mayGrant: boolean, mayKick: boolean): PeoplePanel {
  const title = h('h2', {}, 'People');
  const list = h('ul', { class: 'people', testid: 'people-list' });
  const muteAll = h('button', { testid: 'mute-all', click: () => actions.muteAll() }, 'Mute everybody else');
  const foot = h('footer', {}, muteAll);
  const element = panel('people', title, () => actions.close(), list, foot);
  return {
    element,
    render(people, self, markGuests) {
      const canModerate = isModerator(self);
      setText(title, `People (${people.length})`);
      show(foot, canModerate && people.length > 1);
      const ordered = [...people].sort((a, b) =>
        Number(b.isSelf) - Number(a.isSelf) || Number(isModerator(b)) - Number(isModerator(a))
        || displayName(a).localeCompare(displayName(b)));
      keyed(list, ordered, (o) => o.nick,
        (o) => JSON.stringify([o.name, o.role, o.affiliation, o.guest, o.audioMuted, o.videoMuted,
          markGuests, canModerate]),
        (o) => person(o, canModerate, markGuests, actions, mayGrant, mayKick));
    },
  };
}

function person(who: Occupant, canModerate: boolean, markGuests: boolean, actions: PeopleActions,
  mayGrant: boolean, mayKick: boolean): HTMLElement {
  const name = displayName(who);
  const button = (testid: string, words: string, picture: IconName, act: () => void,
    disabled = false, look = 'plain'): HTMLElement => h('button', {
    class: look, testid, click: act, title: words, 'aria-label': `${words}: ${name}`, disabled,
  }, icon(picture));
  const tools: HTMLElement[] = [];
  if (!who.isSelf) tools.push(button('person-write', 'Write privately', 'chat', () => actions.write(who)));
  if (canModerate && !who.isSelf) {
    tools.push(
      button('person-mute', 'Mute', 'micOff', () => actions.mute(who), who.audioMuted === true),
      button('person-camera-off', 'Stop camera', 'cameraOff', () => actions.stopCamera(who), who.videoMuted === true));
  }
  if (canModerate && !isModerator(who) && mayGrant) {
    tools.push(button('person-grant', 'Make moderator', 'star', () => actions.grant(who)));
  } else if (canModerate && isModerator(who)) {
    tools.push(button('person-revoke', who.isSelf ? 'Stop being moderator' : 'Take moderator role away',
      'starOff', () => actions.revoke(who)));
  }
  if (canModerate && !who.isSelf && mayKick) {
    tools.push(button('person-kick', 'Remove from the meeting', 'remove', () => actions.kick(who),
      false, 'plain remove'));
  }
  return h('li', { testid: 'person', 'data-nick': who.nick, 'data-role': who.role,
    'data-affiliation': who.affiliation },
  h('div', { class: 'who' },
    h('span', { class: 'name', testid: 'person-name' }, name),
    who.isSelf && h('span', { class: 'hint' }, '(you)'),
    markGuests && who.guest && h('span', { class: 'badge guest', testid: 'person-guest',
      title: 'Came without a verified identity' }, 'Guest')),
  h('div', { class: 'tools' },
    h('span', { class: 'role', testid: 'person-role' }, isModerator(who) ? 'Moderator' : 'Participant'),
    tools));
}

/** Asks before somebody is put out; resolves with the reason, or null. */
export function askToRemove(who: Occupant): Promise<string | null> {
  return new Promise((resolve) => {
    const reason = h('input', { id: 'kick-reason', testid: 'kick-reason', maxlength: '200', autocomplete: 'off' });
    const dialog = h('dialog', { testid: 'kick-dialog', 'aria-label': 'Remove from the meeting' },
      h('form', { method: 'dialog' },
        h('h2', {}, `Remove ${displayName(who)}?`),
        h('label', { for: 'kick-reason' }, 'Reason (optional)'),
        reason,
        h('div', { class: 'actions' },
          h('button', { value: 'yes', class: 'danger', testid: 'kick-confirm' }, 'Remove'),
          h('button', { value: '', testid: 'kick-cancel' }, 'Cancel'))));
    dialog.addEventListener('close', () => {
      dialog.remove();
      resolve(dialog.returnValue === 'yes' ? reason.value.trim() : null);
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}
