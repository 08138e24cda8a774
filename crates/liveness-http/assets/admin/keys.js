// Single keys, which act in the view that is shown. No key acts while one types into a field, while a dialog is open, or once
// the reviewer has switched them off (WCAG 2.2, 2.1.4). Each is shown where it acts.

import { el } from './elements.js';

const FIELDS = 'textarea, select, input:not([type="checkbox"], [type="radio"], [type="range"])';
/** The keys of the view that is shown, by what they do. */
const acts = new Map();
let areOn = true;

/** Whether a key is meant for the page, and not for a field, a dialog or the browser. */
export function isFree(event) {
  return !event.defaultPrevented && !event.isComposing && !event.ctrlKey && !event.metaKey && !event.altKey
    && !event.target.closest?.(FIELDS) && !document.querySelector('dialog');
}

/** Lets keys act until `signal` says that the view is left: `{ a: () => … }`, by what is on the key, in lower case. */
export function bind(keys, signal) {
  for (const [key, act] of Object.entries(keys)) acts.set(key, act);
  signal.addEventListener('abort', () => {
    for (const [key, act] of Object.entries(keys)) if (acts.get(key) === act) acts.delete(key);
  }, { once: true });
}

/** A key as it is shown on a button. It is not read aloud with it: `aria-keyshortcuts` is for that. */
export const kbd = (key) => el('kbd', { 'aria-hidden': 'true' }, key);

/** What the keys of a view do, and the way to switch them off. `pairs` are keys and words. */
export function keysHelp(pairs) {
  const change = (event) => { areOn = event.target.checked; };
  return el('details', { class: 'panel', id: 'keys' }, el('summary', {}, 'Keys'),
    el('dl', {}, pairs.map(([keys, word]) => el('div', {},
      el('dt', {}, keys.split(' ').map((key) => [el('kbd', {}, key), ' ']).flat()), el('dd', {}, word)))),
    el('p', {}, el('input', { type: 'checkbox', id: 'keys-on', checked: areOn, change }),
      el('label', { for: 'keys-on' }, 'Single keys act on this page')),
    el('p', { class: 'hint' }, 'While you type into a field, no key acts but Ctrl Enter.'));
}

document.addEventListener('keydown', (event) => {
  if (!areOn || event.repeat || !isFree(event)) return;
  const act = acts.get(event.key.toLowerCase());
  if (!act) return;
  event.preventDefault();
  act();
});
