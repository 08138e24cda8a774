// A field for the reason of what somebody does, and fields that say beside themselves what is wrong with them.

import { el } from './elements.js';

const LONGEST = 1000;

/** A reason is one paragraph: what would break the line becomes a space while it is written. */
export function reasonField(id, { value: before = '', hint, changed = () => {} }) {
  const flatten = () => {
    if (/\p{Cc}/u.test(input.value)) {
      const place = input.selectionStart;
      input.value = input.value.replace(/\p{Cc}/gu, ' ');
      input.setSelectionRange(place, place);
    }
    changed(input.value);
  };
  const input = el('textarea', {
    id, rows: 3, required: true, autocomplete: 'off', input: flatten, 'aria-describedby': `${id}-problem ${id}-hint`,
  });
  input.value = before;
  const value = () => input.value.trim();
  const wrong = () => {
    const length = [...value()].length;
    return length === 0 ? 'Say why.' : length > LONGEST ? `The reason has ${length} characters. 1,000 is the most.` : '';
  };
  return checked(id, input, 'Reason', { value, wrong, hint });
}

/** A field with its label, its hint, and what is wrong with it. */
export function checked(id, input, label, { value, wrong, hint }) {
  const problem = el('p', { class: 'problem', id: `${id}-problem`, role: 'alert' });
  const isGood = () => {
    problem.textContent = wrong();
    if (problem.textContent === '') input.removeAttribute('aria-invalid');
    else input.setAttribute('aria-invalid', 'true');
    return problem.textContent === '';
  };
  const parts = [el('label', { for: id }, label), input, problem, hint ? el('p', { class: 'hint', id: `${id}-hint` }, hint) : null];
  return { input, parts, value, isGood };
}
