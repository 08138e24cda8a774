// The list of checks: filters, a page of records without their faces, and the way to other pages.

import { ask } from './api.js';
import { announce, el, panel } from './elements.js';
import { load } from './loading.js';
import { FILTERS, rememberList, toList, toRecord } from './place.js';
import { challenges, count, device, localShort, outcome, utc } from './wording.js';

const LABELS = { selfServiceUserId: 'User id', preRegistrationId: 'Pre-registration id', sessionId: 'Session id' };
const SIZES = ['10', '20', '50', '100'];

/** The view of a list; `opened` is the record that one comes back from. */
export function listView(list, { opened, refused, signal }) {
  rememberList(list);
  const form = filterForm(list);
  const results = el('div', { id: 'results' });
  load(results, {
    what: 'the checks',
    work: () => ask('RetrieveLivenessChecksQuery', list, signal),
    show: (page) => resultsOf(page, list),
    told: (page) => (page.Items.length === 0 ? emptiness(page, list).heading : `Checks ${range(page)}`),
    refused: (error) => refused(error) || showProblems(form, results, error),
    signal,
  }).then(() => {
    if (opened && !signal.aborted) results.querySelector(`a[href="${toRecord(opened)}"]`)?.focus();
  });
  return el('div', {}, el('h1', {}, 'Liveness checks'), form, results);
}

function filterForm(list) {
  const fields = FILTERS.map((name) => el('div', { class: 'field' },
    el('label', { for: name }, LABELS[name]),
    el('input', {
      id: name, name, value: list[name] ?? '', autocomplete: 'off', spellcheck: 'false',
      inputmode: name === 'sessionId' ? null : 'numeric', 'aria-describedby': `${name}-problem`,
    }),
    el('p', { class: 'problem', id: `${name}-problem` })));
  const submit = (event) => {
    event.preventDefault();
    const given = FILTERS.map((name) => [name, form.elements[name].value.trim()]);
    go(toList({ ...Object.fromEntries(given), pageSize: size(list) }));
  };
  const form = el('form', { class: 'panel filters', role: 'search', 'aria-label': 'Filter the checks', submit, novalidate: true },
    fields,
    el('div', { class: 'actions' },
      el('button', { type: 'submit', class: 'primary' }, 'Filter'),
      isFiltered(list) ? el('a', { href: toList({ pageSize: size(list) }) }, 'Clear the filters') : null));
  return form;
}

const isFiltered = (list) => FILTERS.some((name) => list[name]);

/** A size that was made up in the address is not taken along. */
const size = (list) => (SIZES.includes(list.pageSize) ? list.pageSize : null);

/** Goes there, or loads it again when it is here. */
function go(hash) {
  if (hash === location.hash) dispatchEvent(new HashChangeEvent('hashchange'));
  else location.hash = hash;
}

/** What the server finds wrong with the filters is said beside them. Whatever else is wrong is not for here. */
function showProblems(form, results, error) {
  const errors = error.errors ?? [];
  // In the order of the form, so that the first of them gets the focus.
  const found = FILTERS.flatMap((name) => errors.filter(({ field }) => field === name));
  if (found.length === 0 || found.length < errors.length) return false;
  for (const { field, message } of found) {
    form.elements[field].setAttribute('aria-invalid', 'true');
    form.querySelector(`#${field}-problem`).textContent = `The ${LABELS[field].toLowerCase()} ${message}.`;
  }
  results.replaceChildren();
  announce(`The filter is not valid: ${found.map(({ field }) => LABELS[field]).join(', ')}`);
  form.elements[found[0].field].focus();
  return true;
}

function resultsOf(page, list) {
  if (page.Items.length > 0) return [table(page), paging(page, list)];
  const { heading, text, way } = emptiness(page, list);
  return [panel('nothing', heading, el('p', {}, text), way)];
}

/** 41–60 of 1,234 */
function range({ PageNumber, PageSize, TotalCount, Items }) {
  const first = (PageNumber - 1) * PageSize + 1;
  return `${count(first)}–${count(first + Items.length - 1)} of ${count(TotalCount)}`;
}

/** Why a list is empty, and the way out of it. */
function emptiness(page, list) {
  if (page.TotalCount > 0) {
    return {
      heading: 'This page is past the end',
      text: `The last of ${count(page.TotalCount)} checks is on page ${count(page.TotalPages)}.`,
      way: el('a', { href: toList({ ...list, pageNumber: '1' }) }, 'Go to the first page'),
    };
  }
  if (isFiltered(list)) {
    return {
      heading: 'No check matches',
      text: 'There are no records to which all of these filters apply.',
      way: el('a', { href: toList({ pageSize: size(list) }) }, 'Clear the filters'),
    };
  }
  return { heading: 'There are no checks yet', text: 'Records appear here as soon as a phone has reported its first run.', way: null };
}

function table(page) {
  const columns = ['Check', 'Recorded', 'User', 'Outcome', 'Challenges', 'Face', 'Session', 'Device'];
  return el('table', { class: 'panel checks', role: 'table' },
    el('caption', {}, el('strong', {}, range(page)), ', newest first'),
    el('thead', { role: 'rowgroup' }, el('tr', { role: 'row' },
      columns.map((name) => el('th', { scope: 'col', role: 'columnheader' }, name)))),
    el('tbody', { role: 'rowgroup' }, page.Items.map((check) => el('tr', { role: 'row' },
      cells(check).map((content, place) => el('td', { role: 'cell', 'data-name': columns[place] }, content))))));
}

function cells(check) {
  const { devicePlatform, appVersion } = device(check.DeviceInfo);
  const unknown = () => el('span', { class: 'unknown' }, '–');
  return [
    el('a', { href: toRecord(check.Id), class: 'open', 'aria-label': `Check ${check.Id}` }, `${check.Id}`),
    el('time', { datetime: check.CreatedAt, title: utc(check.CreatedAt) }, localShort(check.CreatedAt)),
    person(check),
    badge(check),
    done(check) ?? unknown(),
    check.HasImage ? 'yes' : el('span', { class: 'unknown' }, 'no'),
    el('bdi', { class: 'code' }, check.SessionId),
    devicePlatform || appVersion ? el('bdi', {}, [devicePlatform, appVersion].filter(Boolean).join(' ')) : unknown(),
  ];
}

function person(check) {
  const name = check.DisplayName ?? check.EmailAddress ?? check.UserId2;
  return [
    name ? el('bdi', { class: 'name' }, name) : null,
    el('a', { href: toList({ selfServiceUserId: `${check.SelfServiceUserId}` }), class: 'small', title: 'Only this user' },
      `user ${check.SelfServiceUserId}`),
  ];
}

/** The outcome in a word; the sign says it without colour. */
export function badge(check) {
  const { tone, word } = outcome(check);
  const sign = { good: '✓', bad: '✕', unsure: '?' }[tone];
  return el('span', { class: `badge ${tone}` }, el('span', { 'aria-hidden': 'true' }, sign), word);
}

/** Lists do not hold which challenges were asked, only how many. */
function done(check) {
  const completed = check.CompletedChallenges === null ? null : challenges(null, check.CompletedChallenges).length;
  if (completed === null) return check.ChallengeCount === null ? null : `${count(check.ChallengeCount)} asked`;
  return check.ChallengeCount === null ? `${count(completed)} done` : `${count(completed)} of ${count(check.ChallengeCount)}`;
}

function paging(page, list) {
  const step = (text, number, isThere, rel) => (isThere
    ? el('a', { class: 'button', rel, href: toList({ ...list, pageNumber: `${number}` }) }, text)
    : el('span', { class: 'button', 'aria-disabled': 'true' }, text));
  const sizes = new Set([...SIZES, `${page.PageSize}`]);
  const change = (event) => go(toList({ ...list, pageNumber: '1', pageSize: event.target.value }));
  return el('nav', { class: 'paging', 'aria-label': 'Pages' },
    step('First', 1, page.HasPreviousPage, null),
    step('Previous', page.PageNumber - 1, page.HasPreviousPage, 'prev'),
    el('span', {}, `Page ${count(page.PageNumber)} of ${count(page.TotalPages)}`),
    step('Next', page.PageNumber + 1, page.HasNextPage, 'next'),
    el('label', {}, 'Checks a page ',
      el('select', { id: 'pageSize', change }, [...sizes].sort((a, b) => a - b).map((number) =>
        el('option', { value: number, selected: number === `${page.PageSize}` }, number)))));
}
