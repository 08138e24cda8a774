// What the page has for officers: what is kept of a check and its user, and the ways to erase it or to hold it. On a record, on
// the list of a user, and on a page of its own for those who may not see records.

import { eraseFace, eraseUser, liftHold, placeHold } from './deeds.js';
import { openDeed } from './dialog.js';
import { el, facts, panel } from './elements.js';
import { backToList } from './place.js';
import { local } from './wording.js';

/** The panel of a record; `after` is told what was done, as the change of the record that it is. */
export function keepingPanel(shown, { refused, signal, after }) {
  const { Face: face, Id: id } = shown.LivenessCheck;
  const [check, user] = [`${id}`, `${shown.UserId}`];
  const isKept = face !== null && face.ErasedAt === null;
  const held = face?.HeldSince ?? null;
  const way = (label, deed, change, tone = null) => button(label, tone, () => openDeed(deed, {
    refused, signal, after: ({ answer, reason }) => after(change(answer, reason)),
  }));
  return panel('keeping', 'Kept, erased, held',
    facts([
      ['Face', face === null ? 'none was sent' : isKept ? 'kept' : `erased on ${local(face.ErasedAt)}`],
      ...(face === null ? [] : [['SHA-256, as kept', el('bdi', { class: 'code' }, face.Sha256)]]),
      ['Legal hold', face === null ? 'not told without a face' : held === null ? 'none' : `since ${local(held)}`],
    ]),
    held === null ? null : el('p', { class: 'hint' }, 'While the hold is in force, nothing of this user can be erased.'),
    el('div', { class: 'ways' },
      isKept ? way('Erase this face …', eraseFace(check), (answer, reason) => ({ erased: answer.erasedAt, reason }), 'grave') : null,
      way('Erase this user …', eraseUser(user), () => ({ all: true }), 'grave'),
      held === null ? way('Place a legal hold …', placeHold(user), (answer) => ({ held: answer.heldSince })) : null,
      held !== null || face === null ? way('Lift the legal hold …', liftHold(user), () => ({ held: null })) : null));
}

/** The panel above the list of a user's checks. */
export function userPanel(user, { refused, signal, after }) {
  return panel('keeping', `User ${user}`,
    el('div', { class: 'ways' }, userWays((deed) => openDeed(deed(user), { refused, signal, after }))));
}

/** The page of officers, who act by number. `mayList` says whether they may see the list too. */
export function officerView({ mayList, refused, signal }) {
  const open = (deed) => openDeed(deed, { refused, signal, after: () => {} });
  const check = numberField('officer-check', 'Check id');
  const user = numberField('officer-user', 'User id');
  const submit = (event) => {
    event.preventDefault();
    check.given((id) => open(eraseFace(id)));
  };
  return el('div', {},
    mayList ? el('p', { class: 'back' }, el('a', { href: backToList() }, '← Back to the list')) : null,
    el('h1', {}, 'Erase and hold'),
    mayList ? null : el('p', {}, 'Your role is officer. Checks and faces are shown to administrators only, so you act by number.'),
    el('p', { class: 'hint' }, 'Whatever you do here is written to the audit trail under your name.'),
    el('form', { class: 'panel by-number', submit, novalidate: true, 'aria-labelledby': 'one-check' },
      el('h2', { id: 'one-check' }, 'A check'), check.parts,
      el('div', { class: 'ways' }, el('button', { type: 'submit', class: 'grave' }, 'Erase its face …'))),
    el('form', { class: 'panel by-number', submit: (event) => event.preventDefault(), novalidate: true, 'aria-labelledby': 'one-user' },
      el('h2', { id: 'one-user' }, 'A user'), user.parts,
      el('div', { class: 'ways' }, userWays((deed) => user.given((id) => open(deed(id)))))));
}

const userWays = (go) => [
  button('Erase the user …', 'grave', () => go(eraseUser)),
  button('Place a legal hold …', null, () => go(placeHold)),
  button('Lift the legal hold …', null, () => go(liftHold)),
];

const button = (label, tone, click) => el('button', { type: 'button', class: tone, click }, label);

/** A field for a number from 1; `given` goes on with a good one, as it was written. */
function numberField(id, label) {
  const problem = el('p', { class: 'problem', id: `${id}-problem`, role: 'alert' });
  const input = el('input', { id, inputmode: 'numeric', autocomplete: 'off', 'aria-describedby': `${id}-problem` });
  const go = (next) => {
    const text = input.value.trim();
    const isGood = /^[1-9]\d{0,18}$/.test(text);
    problem.textContent = isGood ? '' : `The ${label[0].toLowerCase()}${label.slice(1)} is a whole number from 1.`;
    if (isGood) {
      input.removeAttribute('aria-invalid');
      return next(text);
    }
    input.setAttribute('aria-invalid', 'true');
    input.focus();
  };
  return { parts: [el('label', { for: id }, label), input, problem], given: go };
}
