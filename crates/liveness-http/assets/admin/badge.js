// A word on a ground of its tone. The sign before it says the tone without colour.

import { el } from './elements.js';
import { outcome } from './wording.js';

/** The outcome in a word. */
export const badge = (check) => badgeOf(outcome(check));

/** A word in its tone; the sign says it without colour. */
export function badgeOf({ tone, word }) {
  const sign = { good: '✓', bad: '✕', unsure: '?' }[tone];
  return el('span', { class: `badge ${tone}` }, el('span', { 'aria-hidden': 'true' }, sign), word);
}
