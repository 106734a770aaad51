// Every way in which a meeting can be refused or can end, in words for the person in front of it.

import type { StanzaError } from './xml';

export type RefusalCode =
  | 'token-required' | 'token-expired' | 'token-early' | 'token-invalid' | 'room-mismatch'
  | 'password' | 'waiting-for-host' | 'full' | 'banned' | 'kicked' | 'destroyed' | 'lobby'
  | 'name-required' | 'room-name' | 'rate-limited' | 'conflict' | 'not-allowed'
  | 'disconnected' | 'unreachable' | 'no-answer' | 'configuration' | 'removed';

export interface Refusal {
  code: RefusalCode;
  title: string;
  text: string;
  /** The server's own words, for whoever has to look into it. */
  detail: string;
}

export class Refused extends Error {
  constructor(readonly refusal: Refusal) {
    super(refusal.title);
  }
}

const WORDS: Record<RefusalCode, [title: string, text: string]> = {
  'token-required': ['You need an invitation',
    'This server only lets in people with a personal link. Ask the organiser to send you one.'],
  'token-expired': ['Your invitation has expired',
    'The link you used is no longer valid. Ask the organiser for a new one.'],
  'token-early': ['Your invitation is not valid yet',
    'The link you used starts to work later. Come back at the time of the meeting.'],
  'token-invalid': ['Your invitation was not accepted',
    'The link you used is damaged or was not made for this server. Ask the organiser for a new one.'],
  'room-mismatch': ['Your invitation is for another meeting',
    'The link you used opens a different room. Check the address, or ask the organiser.'],
  password: ['This meeting has a password', 'Type the password that the organiser gave you.'],
  'waiting-for-host': ['Waiting for the host',
    'The meeting has not started. You will be let in as soon as the host is here.'],
  full: ['The meeting is full', 'No more people can join at the moment. Try again when somebody has left.'],
  banned: ['You cannot enter this meeting', 'A moderator has closed this meeting to you.'],
  kicked: ['You were removed from the meeting', ''],
  removed: ['You are no longer in the meeting', 'The server took you out of the room.'],
  destroyed: ['The meeting has ended', 'It was closed for everybody.'],
  lobby: ['This meeting has a waiting room',
    'A moderator must let people in, and this page cannot knock yet. Ask a moderator for the password.'],
  'name-required': ['Please type your name', 'This meeting wants to know who is coming in.'],
  'room-name': ['This is not a possible room name', 'Choose another name for the meeting.'],
  'rate-limited': ['Too many attempts', 'Wait a moment and try again.'],
  conflict: ['Somebody else has your place', 'Try again to join with a fresh connection.'],
  'not-allowed': ['You were not let in', 'The server refused to let you into this meeting.'],
  disconnected: ['You were disconnected', 'The connection to the server was lost.'],
  unreachable: ['The server cannot be reached',
    'Check your network. The server may also be down for a moment.'],
  'no-answer': ['The server does not answer', 'The connection stands, but the meeting did not open.'],
  configuration: ['The page could not be set up',
    'The server did not send its configuration. Reload the page to try again.'],
};

export function refusal(code: RefusalCode, detail = '', text = ''): Refusal {
  const [title, usual] = WORDS[code];
  return { code, title, text: text || usual, detail };
}

/** A refused login: the text is the only thing a client is told. */
export function fromLogin(condition: string, words: string): Refusal {
  const code: RefusalCode =
    /token required/i.test(words) ? 'token-required'
      : /by exp|expired/i.test(words) ? 'token-expired'
        : /by nbf/i.test(words) ? 'token-early'
          : /banned/i.test(words) ? 'banned'
            : /rate limit/i.test(words) || condition === 'resource-constraint' ? 'rate-limited'
              : 'token-invalid';
  return refusal(code, words || condition);
}

/** A refused join of the room. */
export function fromJoin(error: StanzaError): Refusal {
  const detail = error.text || error.condition;
  switch (error.condition) {
    case 'not-authorized': return refusal('password', error.text);
    case 'registration-required': return refusal('lobby', error.text);
    case 'not-acceptable': return refusal('name-required', error.text);
    case 'service-unavailable': return refusal('full', error.text);
    case 'forbidden': return refusal('banned', error.text);
    case 'conflict': return refusal('conflict', detail);
    case 'jid-malformed': return refusal('room-name', detail);
    case 'resource-constraint': return refusal('rate-limited', detail);
    default: break;
  }
  const mismatch = error.extra.includes('room-mismatch') || error.extra.includes('invalid-regex')
    || /does not match the room|mismatched|wildcard/i.test(error.text);
  return refusal(mismatch ? 'room-mismatch' : 'not-allowed', detail);
}

/** Whether a refused join only says that the room is not open yet, so that asking again may help. */
export function isRoomMissing(error: StanzaError): boolean {
  return error.condition === 'not-allowed'
    && (error.extra.includes('room-does-not-exist') || error.text === 'Room creation is restricted');
}
