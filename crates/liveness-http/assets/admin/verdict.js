// The verdict of this server on a report: its outcome, the rules that spoke, and what it cannot tell.

import { badgeOf } from './badge.js';
import { el, panel } from './elements.js';
import { sentenceOf } from './reasons.js';
import { verdictWord } from './wording.js';

const LEADS = {
  accepted: 'No rule speaks against this report.',
  review: 'A person has to look at this report.',
  rejected: 'By the rules, this report does not count.',
};
const EFFECTS = {
  note: { tone: 'plain', word: 'Noted' },
  review: { tone: 'unsure', word: 'To be looked at' },
  reject: { tone: 'bad', word: 'Rejects' },
};

export function verdictPanel(check) {
  const verdict = check.Verdict;
  if (!verdict) return panel('verdict', 'Verdict', el('p', {}, 'This report was recorded before the server judged reports.'), limits());
  return panel('verdict', 'Verdict',
    el('p', {}, badgeOf(verdictWord(verdict.Outcome)), ' ', LEADS[verdict.Outcome] ?? ''),
    verdict.Reasons.length === 0 ? null : el('ul', { class: 'reasons' }, verdict.Reasons.map((reason) => reasonOf(reason, check))),
    limits(),
    el('p', { class: 'hint' }, 'Judged when it was recorded, by the policy ',
      el('bdi', { class: 'code', title: verdict.Policy }, `${verdict.Policy}`.slice(0, 12)), '.'));
}

const limits = () => el('p', { class: 'hint', id: 'limits' },
  el('strong', {}, 'Nobody has seen whether this is a living person.'),
  ' The rules judge what the phone reports. A phone that was tampered with can report anything.');

function reasonOf(reason, check) {
  const { tone, word } = EFFECTS[reason.Effect] ?? { tone: 'plain', word: reason.Effect };
  const sentence = sentenceOf(reason, check);
  return el('li', {},
    el('span', { class: `badge ${tone}` }, word), ' ',
    sentence === null ? el('bdi', {}, asItIs(reason)) : el('bdi', {}, sentence),
    el('bdi', { class: 'code hint' }, `${reason.Code}`));
}

/** A reason that this page has no sentence for. */
function asItIs({ Saw: saw, Bound: bound }) {
  const parts = [saw === null ? null : `It saw ${written(saw)}.`, bound === null ? null : `Its bound is ${written(bound)}.`];
  return parts.filter((part) => part !== null).join(' ') || 'This rule spoke.';
}

const written = (value) => (typeof value === 'string' ? value : JSON.stringify(value));
