// Why the person who is signed in looks at faces, such as a ticket's number. It is in this module's memory until they sign out,
// and goes to the audit trail with each record that is opened.

import { el } from './elements.js';

const LONGEST = 1000;

let purpose = '';

/** What a look at a record says besides its number. */
export const purposeOfLook = () => (purpose === '' ? {} : { purpose });

/** Why another face of a user is looked at: to compare it with the one of a check, for the purpose that was said. */
export function purposeOfComparison(id) {
  const why = `To compare with check ${id}`;
  const whole = purpose === '' ? why : `${purpose} (${why})`;
  return [...whole].length <= LONGEST ? whole : purpose;
}

export function forgetPurpose() {
  purpose = '';
}

/** The field in the head of the page, where the purpose can be said and changed at any time. */
export function purposeField() {
  const input = field('purpose', { input: () => { purpose = input.value.trim(); }, placeholder: 'Ticket, case …' });
  return el('div', { class: 'purpose' }, el('label', { for: 'purpose', title: 'It goes to the audit trail with each check that you open' },
    'Why you look'), input);
}

/** Asks for a purpose where the server shows nothing without one; `go` asks again. `wrong` is what the server says of the field. */
export function purposeForm(wrong, go) {
  const problem = el('p', { class: 'problem', id: 'purpose-asked-problem', role: 'alert' });
  const input = field('purpose-asked', { 'aria-describedby': 'purpose-asked-problem purpose-asked-hint' });
  const tell = (text) => {
    input.setAttribute('aria-invalid', 'true');
    problem.textContent = text;
    input.focus();
  };
  const submit = (event) => {
    event.preventDefault();
    const text = input.value.trim();
    if (text === '') return tell('Say why you look.');
    purpose = text;
    document.getElementById('purpose').value = text;
    go();
  };
  if (purpose !== '') tell(`The purpose ${wrong}.`);
  return el('form', { class: 'panel asked', submit, novalidate: true, 'aria-labelledby': 'purpose-heading' },
    el('h2', { id: 'purpose-heading' }, 'Why do you look at this check?'),
    el('p', {}, 'This server shows a face only to those who say why. Nothing was shown yet.'),
    el('label', { for: 'purpose-asked' }, 'Purpose, such as a ticket’s number'), input, problem,
    el('p', { class: 'hint', id: 'purpose-asked-hint' },
      'It goes to the audit trail with each check that you open, and stays in the head of this page until you sign out.'),
    el('button', { type: 'submit', class: 'primary' }, 'Show the check'));
}

const field = (id, attributes) => el('input', {
  id, value: purpose, maxlength: LONGEST, autocomplete: 'off', spellcheck: 'false', ...attributes,
});
