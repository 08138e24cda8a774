// The way through the queue, from one check to the next, and back from a check to where it was opened.

import { el } from './elements.js';
import { bind, kbd } from './keys.js';
import { leaveNotice } from './notice.js';
import { backToList, toQueue, toQueued } from './place.js';
import { nextOf, noteSkipped } from './waiting.js';
import { count } from './wording.js';

export const wayBackTo = (queue) => (queue ? toQueue(queue.verdict) : backToList());

export const wayBack = (queue) => el('a', { href: wayBackTo(queue) }, queue ? '← Back to the queue' : '← Back to the list');

/** Leaves a check for later, and opens the next; null where there is no queue. */
export function skipButton(id, queue, { refused, signal }) {
  if (!queue) return null;
  const skip = () => {
    noteSkipped(id);
    toNext(queue, { told: null, refused, signal });
  };
  bind({ n: skip }, signal);
  return el('button', { type: 'button', id: 'skip-check', 'aria-keyshortcuts': 'n', click: skip }, 'Leave it for later', kbd('N'));
}

/** Opens what comes next; `told` is said there. */
export async function toNext(queue, { told, refused, signal }) {
  let next = { id: null, count: 0 };
  try {
    next = await nextOf(queue.verdict, signal);
  } catch (error) {
    // The queue itself tries again, and tells what is wrong.
    if (signal.aborted) return;
    if (told) leaveNotice(told);
    if (refused(error)) return;
  }
  if (signal.aborted) return;
  const waiting = next.count === 0 ? '' : next.count === 1 ? '1 check waits.' : `${count(next.count)} checks wait.`;
  const rest = next.id === null && next.count > 0 ? ' You have been through all of them.' : '';
  const text = [told?.text, `${waiting}${rest}`].filter(Boolean).join(' ');
  if (text !== '') leaveNotice({ tone: told?.tone ?? 'plain', text });
  location.hash = next.id === null ? toQueue(queue.verdict) : toQueued(next.id, queue.verdict);
}
