// Shows what is asked for, while it is asked for and when it fails. A failure names the request, so that it can be found
// in the log, and can be tried again.

import { announce, el } from './elements.js';
import { later } from './wording.js';

const LIMITED = 'The server lets one person look at only so many faces in a day, and send only so many requests at a time. '
  + 'You have reached that number.';

/**
 * Fills a part of the page with what `work` answers, as `show` makes it. What `refused` takes is not shown as a failure.
 * Nothing is shown any more once `signal` says that the user is elsewhere. `told` says what the answer is, for who does not
 * see it; nothing is said of what stands beside the matter.
 */
export async function load(part, { what, work, show, told = null, refused = () => false, signal }) {
  part.setAttribute('aria-busy', 'true');
  part.replaceChildren(el('p', { class: 'loading' }, `Loading ${what} …`));
  if (told) announce(`Loading ${what}`);
  try {
    const answer = await work(signal);
    if (signal.aborted) return;
    part.replaceChildren(...show(answer));
    if (told) announce(told(answer));
  } catch (error) {
    if (signal.aborted) return;
    if (told) announce('');
    if (refused(error)) return;
    const again = () => load(part, { what, work, show, told, refused, signal }).then(() => part.querySelector('button, a')?.focus());
    part.replaceChildren(failure(what, error, again));
  } finally {
    part.removeAttribute('aria-busy');
  }
}

/** What is shown of a failure, with a way to try again. */
export function failure(what, error, again) {
  return el('div', { class: 'notice bad', role: 'alert' },
    el('p', {}, el('strong', {}, `Loading ${what} failed. `), error.message),
    error.errors?.length > 0 ? el('ul', {}, error.errors.map(({ field, message }) => el('li', {}, `${field} ${message}`))) : null,
    error.status === 429 ? el('p', {}, LIMITED) : null,
    error.retryAfter > 1 ? el('p', {}, `Try again ${later(error.retryAfter)}.`) : null,
    error.requestId ? el('p', { class: 'small' }, 'Request ', el('code', {}, error.requestId)) : null,
    el('button', { type: 'button', class: 'retry', click: again }, 'Try again'));
}
