// The filters of the list: a form, which the address fills, and which makes an address.

import { dayBefore, dayOf, endOf, startOf, zone } from './days.js';
import { announce, el } from './elements.js';
import { FILTERS, toList } from './place.js';

const LABELS = {
  selfServiceUserId: 'User id', preRegistrationId: 'Pre-registration id', sessionId: 'Session id',
  from: 'First day', to: 'Last day', isSuccessful: 'Outcome', hasImage: 'Face',
  verdict: 'Verdict', decision: 'Decision',
};
/** What one chooses from, by the value that the API has for it. */
const CHOICES = {
  isSuccessful: { '': 'Any', true: 'The run succeeded', false: 'The run failed' },
  hasImage: { '': 'Any', true: 'With a face', false: 'Without a face' },
  verdict: { '': 'Any', accepted: 'Accepted', review: 'To be looked at', rejected: 'Rejected by the rules' },
  decision: { '': 'Any', none: 'Not decided', approve: 'Approved', reject: 'Rejected', ask_again: 'Asked again' },
};
/** How a day becomes an instant and is read back. The last day is meant whole. */
const DAYS = { from: [startOf, dayOf], to: [endOf, dayBefore] };

export const isFiltered = (list) => FILTERS.some((name) => list[name]);

/** The form of a list; `go` is told the address of what is asked for, in pages of `pageSize`. */
export function filterForm(list, { pageSize, go }) {
  const submit = (event) => {
    event.preventDefault();
    const unfinished = FILTERS.find((name) => form.elements[name].validity.badInput);
    if (unfinished) return tell(form, [{ field: unfinished, message: 'must be a whole date, or none' }]);
    go(toList({ ...Object.fromEntries(FILTERS.map((name) => [name, given(form, list, name)])), pageSize }));
  };
  const form = el('form', { class: 'panel filters', role: 'search', 'aria-label': 'Filter the checks', submit, novalidate: true },
    FILTERS.map((name) => el('div', { class: 'field' },
      el('label', { for: name }, LABELS[name]), control(list, name),
      el('p', { class: 'problem', id: `${name}-problem` }))),
    el('div', { class: 'actions' },
      el('button', { type: 'submit', class: 'primary' }, 'Filter'),
      isFiltered(list) ? el('a', { href: toList({ pageSize }) }, 'Clear the filters') : null),
    el('p', { class: 'hint', id: 'days-hint' }, `A day is from midnight to midnight in ${zone()}. The last one is included.`));
  return form;
}

function control(list, name) {
  const common = { id: name, name, 'aria-describedby': `${name}-problem${DAYS[name] ? ' days-hint' : ''}` };
  if (CHOICES[name]) {
    return el('select', common, Object.entries(CHOICES[name]).map(([value, word]) =>
      el('option', { value, selected: value === (list[name] ?? '') }, word)));
  }
  // The year has four digits.
  if (DAYS[name]) return el('input', { ...common, type: 'date', value: shownDay(list, name), max: '9999-12-31' });
  return el('input', {
    ...common, value: list[name] ?? '', autocomplete: 'off', spellcheck: 'false',
    inputmode: name === 'sessionId' ? null : 'numeric',
  });
}

const shownDay = (list, name) => DAYS[name][1](list[name]);

/** A day that nobody has changed stays the instant that it was: a link from another time zone means the same records. */
function given(form, list, name) {
  const value = form.elements[name].value.trim();
  if (!DAYS[name] || value === '') return value;
  return value === shownDay(list, name) ? list[name] : DAYS[name][0](value);
}

/** What the server finds wrong with the filters is said beside them. False where something else is wrong too. */
export function showProblems(form, errors) {
  // In the order of the form, so that the first of them gets the focus.
  const found = FILTERS.flatMap((name) => errors.filter(({ field }) => field === name));
  if (found.length === 0 || found.length < errors.length) return false;
  tell(form, found);
  return true;
}

function tell(form, problems) {
  for (const { field, message } of problems) {
    form.elements[field].setAttribute('aria-invalid', 'true');
    form.querySelector(`#${field}-problem`).textContent = `The ${lowered(LABELS[field])} ${message}.`;
  }
  announce(`The filter is not valid: ${problems.map(({ field }) => LABELS[field]).join(', ')}`);
  form.elements[problems[0].field].focus();
}

const lowered = (label) => label[0].toLowerCase() + label.slice(1);
