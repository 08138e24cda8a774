// The dialog of what an officer does: it says what will happen, asks for a reason, and shows the receipt. What cannot be undone
// asks besides for the number of what is meant.

import { ask } from './api.js';
import { refusalOf } from './deeds.js';
import { el } from './elements.js';
import { checked, reasonField } from './reason_field.js';
import { receiptOf } from './receipt.js';

/**
 * Opens the dialog. `refused` takes a sign-in that is good no longer. `after` is told the answer and the reason once the
 * receipt was seen. The dialog closes when `signal` says that the user is elsewhere, unless the server is still at work.
 */
export function openDeed(deed, { refused, after, signal }) {
  const opener = document.activeElement;
  let outcome = null;
  const cancel = (event) => isBusy(dialog) && event.preventDefault();
  const close = () => {
    dialog.remove();
    if (signal.aborted) return;
    if (outcome) after(outcome);
    focusAgain(opener);
  };
  const dialog = el('dialog', { class: 'deed', 'aria-labelledby': 'deed-heading', 'aria-describedby': 'deed-tells', cancel, close });
  const done = (answer, reason) => {
    outcome = { answer, reason };
    dialog.removeAttribute('aria-describedby');
    dialog.replaceChildren(...receiptOf(deed, outcome, () => dialog.close()));
    dialog.querySelector('h2').focus();
  };
  const given = (error) => refused(error) && (dialog.close(), true);
  dialog.append(formOf(deed, { given, done, close: () => dialog.close() }));
  signal.addEventListener('abort', () => isBusy(dialog) || dialog.close(), { once: true });
  document.body.append(dialog);
  dialog.showModal();
  dialog.querySelector('textarea').focus();
}

const isBusy = (dialog) => dialog.querySelector('[aria-busy]') !== null;

/** Where the keyboard goes on: where it was, or in what has taken that place. */
function focusAgain(opener) {
  const next = opener.isConnected ? opener : document.querySelector('#keeping h2') ?? document.querySelector('h1');
  if (next !== opener) next.tabIndex = -1;
  next.focus();
}

function formOf(deed, { given, done, close }) {
  const reason = reasonField('reason', { hint: 'For the audit trail: up to 1,000 characters. It should name nobody.' });
  const typed = deed.typed === null ? null : typedField(deed.typed);
  const refusal = el('p', { class: 'notice bad', id: 'deed-refusal', role: 'alert', hidden: true });
  const button = el('button', { type: 'submit', class: deed.forGood ? 'danger' : 'primary' }, deed.button);
  const submit = async (event) => {
    event.preventDefault();
    refusal.hidden = true;
    const wrong = [reason, typed].filter((part) => part !== null && !part.isGood());
    if (wrong.length > 0) return wrong[0].input.focus();
    if (form.hasAttribute('aria-busy')) return;
    form.setAttribute('aria-busy', 'true');
    try {
      done(await send(deed, reason.value()), reason.value());
    } catch (error) {
      form.removeAttribute('aria-busy');
      if (error.status === 401 && given(error)) return;
      refusal.textContent = refusalOf(deed, error);
      refusal.hidden = false;
    }
  };
  const form = el('form', { submit, novalidate: true },
    el('h2', { id: 'deed-heading' }, deed.title),
    el('div', { id: 'deed-tells' },
      deed.tells.map((text) => el('p', {}, text)),
      deed.forGood ? el('p', { class: 'notice bad' }, el('strong', {}, 'This cannot be undone.')) : null),
    reason.parts, typed?.parts ?? [], refusal,
    el('div', { class: 'actions' }, button, el('button', { type: 'button', class: 'cancel', click: close }, 'Cancel')));
  return form;
}

/** The view may be left meanwhile: what was asked for is done all the same, so the answer is waited for. */
const send = (deed, reason) => ask(deed.message, { ...deed.fields, reason }, new AbortController().signal);

function typedField(number) {
  const input = el('input', {
    id: 'typed', inputmode: 'numeric', autocomplete: 'off', required: true, 'aria-describedby': 'typed-problem',
  });
  const value = () => input.value.trim();
  return checked('typed', input, `Type ${number} to confirm`, {
    value, wrong: () => (value() === number ? '' : `This is not ${number}.`), hint: null,
  });
}
