// What one view leaves to be said by the next, such as what has become of the check before.

import { el } from './elements.js';

let left = null;

/** Leaves a notice: `{ tone, text }`. */
export function leaveNotice(notice) {
  left = notice;
}

/** The notice that was left, as an element; null where there is none. It is said once. */
export function takeNotice() {
  const notice = left;
  left = null;
  return notice === null ? null : noticeOf(notice);
}

export const noticeOf = ({ tone, text }) => el('div', { class: `notice ${tone}`, role: 'alert' }, el('p', {}, text));
