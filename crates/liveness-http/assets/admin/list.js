// The list of checks: a page of records without their faces, and the way to other pages. Its filters are in filters.js.

import { ask } from './api.js';
import { badge, badgeOf } from './badge.js';
import { el, panel } from './elements.js';
import { filterForm, isFiltered, showProblems } from './filters.js';
import { load } from './loading.js';
import { userPanel } from './officer.js';
import { rememberList, toList, toRecord } from './place.js';
import { challenges, count, decisionWord, device, localShort, utc, verdictWord } from './wording.js';

const SIZES = ['10', '20', '50', '100'];

/** The view of a list; `opened` is the record that one comes back from. Officers can erase the user whose checks it has. */
export function listView(list, { opened, isOfficer, refused, signal }) {
  rememberList(list);
  const form = filterForm(list, { pageSize: size(list), go });
  const results = el('div', { id: 'results' });
  const open = () => load(results, {
    what: 'the checks',
    work: () => ask('RetrieveLivenessChecksQuery', list, signal),
    show: (page) => resultsOf(page, list),
    told: (page) => (page.Items.length === 0 ? emptiness(page, list).heading : `Checks ${range(page)}`),
    refused: (error) => refused(error) || showsBeside(form, results, error),
    signal,
  });
  open().then(() => {
    if (opened && !signal.aborted) results.querySelector(`a[href="${toRecord(opened)}"]`)?.focus();
  });
  const user = isOfficer && /^[1-9]\d{0,18}$/.test(list.selfServiceUserId) ? list.selfServiceUserId : null;
  return el('div', {}, el('h1', {}, 'Liveness checks'), form,
    user === null ? null : userPanel(user, { refused, signal, after: open }), results);
}

/** A size that was made up in the address is not taken along. */
const size = (list) => (SIZES.includes(list.pageSize) ? list.pageSize : null);

/** Goes there, or loads it again when it is here. */
function go(hash) {
  if (hash === location.hash) dispatchEvent(new HashChangeEvent('hashchange'));
  else location.hash = hash;
}

function showsBeside(form, results, error) {
  const isShown = showProblems(form, error.errors ?? []);
  if (isShown) results.replaceChildren();
  return isShown;
}

function resultsOf(page, list) {
  if (page.Items.length > 0) return [checksTable(page.Items, { caption: [el('strong', {}, range(page)), ', newest first'], to: toRecord }), paging(page, list)];
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

/** A table of checks; `to` makes the address of one. */
export function checksTable(checks, { caption, to }) {
  const columns = ['Check', 'Recorded', 'User', 'Outcome', 'Verdict', 'Challenges', 'Face', 'Session', 'Device'];
  return el('table', { class: 'panel checks', role: 'table' },
    el('caption', {}, caption),
    el('thead', { role: 'rowgroup' }, el('tr', { role: 'row' },
      columns.map((name) => el('th', { scope: 'col', role: 'columnheader' }, name)))),
    el('tbody', { role: 'rowgroup' }, checks.map((check) => el('tr', { role: 'row' },
      cells(check, to).map((content, place) => el('td', { role: 'cell', 'data-name': columns[place] }, content))))));
}

function cells(check, to) {
  const { devicePlatform, appVersion } = device(check.DeviceInfo);
  const unknown = () => el('span', { class: 'unknown' }, '–');
  return [
    el('a', { href: to(check.Id), class: 'open', 'aria-label': `Check ${check.Id}` }, `${check.Id}`),
    el('time', { datetime: check.CreatedAt, title: utc(check.CreatedAt) }, localShort(check.CreatedAt)),
    person(check),
    badge(check),
    judged(check) ?? unknown(),
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

/** The verdict, and what a person decided. */
function judged({ Verdict: verdict, Decision: decision }) {
  if (!verdict && !decision) return null;
  return [
    verdict ? badgeOf(verdictWord(verdict)) : null,
    decision ? el('span', { class: 'small decided' }, `By a person: ${decisionWord(decision).word.toLowerCase()}`) : null,
  ];
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
