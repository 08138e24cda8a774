// The panel of a user’s attempts beside a record: each opens, and the face of another can be put beside the one shown.

import { ask } from './api.js';
import { badge } from './badge.js';
import { putBeside, standsBeside } from './compare.js';
import { announce, el, panel } from './elements.js';
import { bind, kbd } from './keys.js';
import { load } from './loading.js';
import { toList, toRecord } from './place.js';
import { count, localShort } from './wording.js';

const ATTEMPTS = 20;

export function attemptsPanel(shown, { refused, signal }) {
  const part = el('div', {});
  const check = shown.LivenessCheck;
  let faces = null;
  const compare = (id) => putBeside(check, id, { refused, signal });
  load(part, {
    what: 'the user’s attempts',
    work: () => ask('RetrieveLivenessChecksQuery', { selfServiceUserId: `${shown.UserId}`, pageSize: `${ATTEMPTS}` }, signal),
    show: (page) => {
      faces = page.Items.filter((one) => one.HasImage && !isThis(one, check)).map(({ Id }) => `${Id}`);
      return attemptsOf(page, shown, compare);
    },
    refused,
    signal,
  });
  bind({ c: () => compareNext(faces, compare) }, signal);
  return panel('attempts', 'This user’s attempts', part);
}

/** One face after the other, from the newest to the oldest. */
function compareNext(faces, compare) {
  if (faces === null) return announce('The user’s attempts are not loaded yet');
  const next = faces[faces.indexOf(standsBeside()) + 1];
  if (next) compare(next);
  else announce('There is no other face of this user to compare with');
}

const isThis = (one, check) => `${one.Id}` === `${check.Id}`;

function attemptsOf(page, shown, compare) {
  const check = shown.LivenessCheck;
  const attempts = page.Items.map((one) => el('li', {},
    el('a', { href: toRecord(one.Id), 'aria-current': isThis(one, check) ? 'page' : null },
      el('span', {}, `Check ${one.Id}`), badge(one),
      el('span', { class: 'hint' }, el('time', { datetime: one.CreatedAt }, localShort(one.CreatedAt)),
        isThis(one, check) ? ', shown here' : null)),
    one.HasImage && !isThis(one, check) ? el('button', {
      type: 'button', class: 'beside', 'data-compare': `${one.Id}`, 'aria-label': `Compare with the face of check ${one.Id}`,
      click: () => compare(`${one.Id}`),
    }, 'Compare', kbd('C')) : null));
  const only = page.TotalCount === 1 ? el('p', { class: 'hint' }, 'This is the only one.') : null;
  const rest = page.TotalCount > page.Items.length
    ? el('p', {}, el('a', { href: toList({ selfServiceUserId: `${shown.UserId}` }) }, `All ${count(page.TotalCount)} attempts`)) : null;
  return [el('ol', { class: 'attempts' }, attempts), only, rest].filter((part) => part !== null);
}
