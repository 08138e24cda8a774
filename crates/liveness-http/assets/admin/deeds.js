// What an officer can do: in words before it is done, as a message, and in words when it was refused or done.

import { later, utc } from './wording.js';

const UNKNOWN_DAY = 'not yet known';

/** Erases the face of a check. */
export const eraseFace = (id) => ({
  message: 'EraseFaceCommand',
  fields: { id },
  title: `Erase the face of check ${id}`,
  tells: [
    'The face is gone at once: nobody can look at it again, neither here nor by the API.',
    'Backups from before may hold it until the day that the receipt names, or until they are destroyed.',
    'The record stays, without its face, and so does the audit trail. The trail says who erased it, when and why.',
  ],
  typed: id,
  forGood: true,
  button: 'Erase the face for good',
  done: 'The face is erased',
  receipt: (answer) => [
    ['Check', `${answer.id}`],
    ['SHA-256 of the face, as it was kept', answer.faceSha256],
    ['Erased at', utc(answer.erasedAt)],
    ['Unreadable everywhere from', utc(answer.unreadableFrom) ?? UNKNOWN_DAY],
  ],
  refusals: {
    409: 'A legal hold is in force for this user, so nothing was erased. When the reason for the hold is over, lift it first.',
    410: 'This face was erased before. Nothing is left of it to erase.',
  },
});

/** Erases all faces of a user, and what names the person. */
export const eraseUser = (userId) => ({
  message: 'EraseUserCommand',
  fields: { userId },
  title: `Erase user ${userId}`,
  tells: [
    'All faces of this user are gone at once, and so is what names the person: in the list of users, in the records and in the audit trail.',
    'The records stay, and do not say any more who it was.',
    'Backups from before may hold the faces until the day that the receipt names, and the names until they are destroyed.',
  ],
  typed: userId,
  forGood: true,
  button: 'Erase the user for good',
  done: 'The user is erased',
  receipt: (answer) => [
    ['User', `${answer.userId}`],
    ['Records that do not say any more who it was', `${answer.records}`],
    ['Faces that were erased', `${answer.faces}`],
    ['Erased at', utc(answer.erasedAt)],
    ...(answer.faces === 0 ? [] : [['Unreadable everywhere from', utc(answer.unreadableFrom) ?? UNKNOWN_DAY]]),
  ],
  refusals: {
    409: 'A legal hold is in force for this user, so nothing was erased. When the reason for the hold is over, lift it first.',
    410: 'This user was erased before, and has recorded nothing since. Nothing is left to erase.',
  },
});

/** Keeps all that is kept of a user from being erased. */
export const placeHold = (userId) => ({
  message: 'PlaceLegalHoldCommand',
  fields: { userId },
  title: `Place a legal hold on user ${userId}`,
  tells: [
    'While the hold is in force, nothing of this user is erased: not by an officer, and not because its time is over.',
    'An officer can lift the hold at any time.',
  ],
  typed: null,
  forGood: false,
  button: 'Place the hold',
  done: 'The hold is placed',
  receipt: (answer) => [['User', `${answer.userId}`], ['Held since', utc(answer.heldSince)]],
  refusals: {
    409: 'A legal hold is in force for this user already. It stays as it is.',
    410: 'The erasure of this user has begun, so there is nothing left to hold.',
  },
});

/** Ends a hold. */
export const liftHold = (userId) => ({
  message: 'LiftLegalHoldCommand',
  fields: { userId },
  title: `Lift the legal hold on user ${userId}`,
  tells: [
    'From then on, faces and records of this user can be erased again: by an officer, or because their time is over.',
    'What would have been erased during the hold may be erased soon.',
  ],
  typed: null,
  forGood: false,
  button: 'Lift the hold',
  done: 'The hold is lifted',
  receipt: (answer) => [['User', `${answer.userId}`], ['Lifted at', utc(answer.liftedAt)]],
  refusals: { 404: 'No legal hold is in force for this user.' },
});

/** Why the server did not do it, for the officer. */
export function refusalOf(deed, error) {
  const { status, message, errors, retryAfter } = error;
  if (deed.refusals[status]) return deed.refusals[status];
  if (status === 403) return 'The server does not take you for an officer: your token lacks that role. Nothing was done.';
  const what = errors.length > 0 ? errors.map((wrong) => `The ${wrong.field} ${wrong.message}.`).join(' ') : message;
  const when = retryAfter > 1 ? ` Try again ${later(retryAfter)}.` : '';
  const isUnknown = status === 0 ? ' It may have been done all the same: then trying again says so.' : '';
  return `${what}${when}${isUnknown}`;
}
