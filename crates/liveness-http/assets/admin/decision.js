// Decisions on a check: those that were made, and the form for one's own. A reason that was begun is kept in this module's memory
// until it is sent, so that nothing which happens meanwhile takes it away.

import { ask } from './api.js';
import { badgeOf } from './badge.js';
import { CHOICE_KEYS, choiceField } from './choice.js';
import { el, panel } from './elements.js';
import { bind } from './keys.js';
import { leaveNotice, noticeOf } from './notice.js';
import { reasonField } from './reason_field.js';
import { name, signedInAt, subject } from './session.js';
import { decisionWord, later, local } from './wording.js';

/** What the keys of this form do. */
export const DECISION_KEYS = [...CHOICE_KEYS, ['E', 'Write the reason'], ['Ctrl Enter', 'Record the decision, from anywhere in its form']];

/** What was begun, by who began it and on which check. */
const drafts = new Map();
const draftOf = (id) => drafts.get(`${subject()} ${id}`) ?? { choice: null, reason: '' };
const keepDraft = (id, draft) => drafts.set(`${subject()} ${id}`, draft);
const dropDraft = (id) => drafts.delete(`${subject()} ${id}`);
export const forgetDrafts = () => drafts.clear();

const isMine = ({ By: by }) => by === subject();
const decisionsOf = (check) => check.Decisions ?? [];

/**
 * The panel of a check's decisions. `decided` is told the answer, `stale` that the check is no longer as it is shown, and
 * `refused` takes a sign-in that is good no longer.
 */
export function decisionPanel(check, { refused, decided, stale, signal }) {
  const made = decisionsOf(check);
  const isWaiting = made.some((one) => isMine(one) && !one.Counts) && !made.some((one) => one.Counts);
  return panel('decision', 'Decision',
    made.length === 0 ? el('p', {}, 'No decision counts yet.') : list(made),
    isWaiting ? el('p', { class: 'notice unsure', id: 'awaited' },
      'You have decided. It counts once another person has decided the same, without seeing your decision.')
      : form(check, { refused, decided, stale, signal }));
}

function list(made) {
  const inForce = made.findLast((one) => one.Counts);
  const standing = (one) => (!one.Counts ? 'Does not count: another person’s same decision is awaited.'
    : one === inForce ? 'In force.' : 'A later one has taken its place.');
  return el('ol', { class: 'decisions' }, made.map((one) => el('li', {},
    el('p', {}, badgeOf(decisionWord(one.Decision)), ' by ', el('bdi', {}, `${one.By}`), isMine(one) ? ' (you)' : null),
    el('p', {}, el('bdi', {}, one.Reason ?? '')),
    el('p', { class: 'hint' }, el('time', { datetime: one.At }, local(one.At)), `. ${standing(one)}`))));
}

function form(check, { refused, decided, stale, signal }) {
  const id = `${check.Id}`;
  const draft = draftOf(id);
  const keep = (change) => keepDraft(id, Object.assign(draft, change));
  const reason = reasonField('decision-reason', {
    value: draft.reason, hint: 'For the audit trail: up to 1,000 characters. It should name nobody.', changed: (text) => keep({ reason: text }),
  });
  const write = (text) => {
    keep({ reason: text });
    reason.input.value = text;
    reason.input.focus();
  };
  const choice = choiceField(draft.choice, { chosen: (one) => keep({ choice: one }), write });
  const refusal = el('p', { class: 'notice bad', id: 'decision-refusal', role: 'alert', hidden: true });
  const submit = async (event) => {
    event.preventDefault();
    refusal.hidden = true;
    const wrong = [choice, reason].find((part) => !part.isGood());
    if (wrong) return wrong.input.focus();
    if (self.hasAttribute('aria-busy')) return;
    self.setAttribute('aria-busy', 'true');
    try {
      const answer = await send(check, choice.value(), reason.value());
      dropDraft(id);
      decided(answer, reason.value());
    } catch (error) {
      self.removeAttribute('aria-busy');
      if (signal.aborted) return leaveNotice({ tone: 'bad', text: `Check ${id}: ${refusalOf(error)} What you wrote is kept there.` });
      if (error.status === 401 && refused(error)) return;
      if (error.status === 409) return stale(error);
      refusal.textContent = refusalOf(error);
      refusal.hidden = false;
    }
  };
  const keydown = (event) => event.key === 'Enter' && (event.ctrlKey || event.metaKey) && self.requestSubmit();
  const self = el('form', { class: 'decide', submit, keydown, novalidate: true, 'aria-label': 'Your decision' },
    choice.parts, reason.parts, choice.texts, refusal, el('div', { class: 'actions' }, choice.submit), whoDecides());
  bind({ ...choice.keys, e: () => reason.input.focus() }, signal);
  return self;
}

const whoDecides = () => el('p', { class: 'hint' },
  'You are ', el('bdi', {}, name()), signedInAt() === null ? ', signed in by a token.' : `, signed in at ${signedInAt()}.`,
  ' The decision stands in the audit trail under ', el('bdi', {}, subject()), '. It is added to those before, and changes none.');

/** The view may be left meanwhile: what was decided is recorded all the same, so the answer is waited for. */
const send = (check, decision, reason) => ask('ReviewLivenessCheckCommand', {
  id: `${check.Id}`, decision, reason, decisionsSeen: `${decisionsOf(check).length}`,
}, new AbortController().signal);

function refusalOf({ status, message, errors, retryAfter }) {
  if (status === 403) return `The server does not let you decide on this check. ${message}`;
  const what = errors.length > 0 ? errors.map((wrong) => `The ${wrong.field} ${wrong.message}.`).join(' ') : message;
  const isUnknown = status === 0 ? ' It may have been recorded all the same: then trying again says so.' : '';
  return `${what}${retryAfter > 1 ? ` Try again ${later(retryAfter)}.` : ''}${isUnknown}`;
}

/** Takes what was recorded into the check that is shown. */
export function takeIn(check, { decision, decidedAt, counts }, reason) {
  check.Decisions = [...decisionsOf(check), { Decision: decision, Reason: reason, By: subject(), At: decidedAt, Counts: counts }];
}

/** What became of a decision, in words. */
export function toldOf({ id, decision, counts }) {
  const what = `Check ${id}: ${decisionWord(decision).word.toLowerCase()}.`;
  return counts ? { tone: 'good', text: `${what} The decision is recorded, and counts.` }
    : { tone: 'unsure', text: `${what} Your decision is recorded. It counts once another person has decided the same.` };
}

/** What happened on a check since it was shown with so many decisions, in words; `error` is what the server said. */
export function meanwhile(check, seen, error) {
  const others = decisionsOf(check).slice(seen);
  if (others.length === 0) {
    return noticeOf({ tone: 'unsure', text: `Your decision was not recorded. ${error.message} What you wrote is kept below.` });
  }
  const told = others.flatMap((one) =>
    [isMine(one) ? 'You' : el('bdi', {}, `${one.By}`), ` decided: ${decisionWord(one.Decision).word.toLowerCase()}. `]);
  return noticeOf({ tone: 'unsure', text: ['This check was decided on meanwhile. ', ...told,
    'Nothing was overwritten, and your decision was not recorded. ',
    'The check is shown as it is now, and what you wrote is kept below.'] });
}
