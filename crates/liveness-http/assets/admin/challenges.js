// The panel of a record's challenges: those that this server issued, or that the phone says were asked, beside those that were
// completed, with the time of each where the phone tells it.

import { challengeTimes } from './challenge_times.js';
import { el, panel } from './elements.js';
import { challengeName, challenges, count, local } from './wording.js';

const STATES = {
  done: { tone: 'good', word: '✓ done' },
  missing: { tone: 'bad', word: '✕ missing' },
  'not asked': { tone: 'unsure', word: '? done, though it was not asked' },
  other: { tone: 'bad', word: '✕ another one' },
};
const badgeOf = (state) => el('span', { class: `badge ${STATES[state].tone}` }, STATES[state].word);

export function challengesPanel(check) {
  return panel('challenges', 'Challenges', ...(check.IssuedSession ? issuedParts(check) : askedParts(check)));
}

/** Side by side by their places, since the order counts. */
function issuedParts(check) {
  const { Challenges: issued, IssuedAt: from, ExpiresAt: to, SessionId: session } = check.IssuedSession;
  const done = check.CompletedChallenges ?? [];
  const timeOf = challengeTimes(check);
  const places = Array.from({ length: Math.max(issued.length, done.length) }, (_, place) => place);
  const none = () => el('span', { class: 'unknown' }, '–');
  const named = (name) => (name === undefined ? none() : el('bdi', {}, name));
  return [
    el('table', { class: 'issued' },
      el('thead', {}, el('tr', {}, ['Issued', 'Completed', 'When', ''].map((name) => el(name ? 'th' : 'td', name ? { scope: 'col' } : {}, name)))),
      el('tbody', {}, places.map((place) => el('tr', {},
        el('td', {}, named(issued[place])), el('td', {}, named(done[place])),
        el('td', {}, done[place] === undefined ? none() : timeOf(done[place], place) ?? none()),
        el('td', {}, badgeOf(stateOf(issued[place], done[place]))))))),
    check.CompletedChallenges === null ? el('p', {}, 'The phone did not say which were completed.') : null,
    el('p', { class: 'hint' }, 'This server issued them in this order, in session ', el('bdi', { class: 'code' }, session),
      `, on ${local(from)}, to be used until ${local(to)}.`),
  ];
}

function stateOf(issued, done) {
  if (done === undefined) return 'missing';
  if (issued === undefined) return 'not asked';
  return challengeName(issued) === challengeName(done) ? 'done' : 'other';
}

function askedParts(check) {
  const listed = challenges(check.Challenges, check.CompletedChallenges);
  const timeOf = challengeTimes(check);
  const asked = check.Challenges === null && check.ChallengeCount !== null
    ? el('p', {}, `${count(check.ChallengeCount)} were asked; the phone did not say which.`) : null;
  const nothing = listed.length === 0 && asked === null ? el('p', {}, 'The phone did not report any challenges.') : null;
  return [asked, nothing, listed.length === 0 ? null : el('ul', { class: 'challenges' }, listed.map(({ name, state }) => {
    const when = state === 'missing' ? null : timeOf(name, (check.CompletedChallenges ?? []).indexOf(name));
    return el('li', { class: state }, el('bdi', {}, name), when === null ? null : el('span', { class: 'hint' }, when), badgeOf(state));
  }))];
}
