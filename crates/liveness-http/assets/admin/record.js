// One check: the face, what the rules and people made of it, all that was recorded of it, and the user's other attempts beside
// it. The face is fetched when the record is opened, and when a decision finds that the record is no longer as it is shown.

import { ask } from './api.js';
import { attemptsPanel } from './attempts.js';
import { badge } from './badge.js';
import { challengesPanel } from './challenges.js';
import { goToFace } from './compare.js';
import { DECISION_KEYS, decisionPanel, meanwhile, takeIn, toldOf } from './decision.js';
import { el, facts, panel } from './elements.js';
import { facePanel } from './face.js';
import { FACE_KEYS } from './face_view.js';
import { bind, keysHelp } from './keys.js';
import { load } from './loading.js';
import { leaveNotice, noticeOf, takeNotice } from './notice.js';
import { keepingPanel } from './officer.js';
import { backToList, toList } from './place.js';
import { purposeForm, purposeOfLook } from './purpose.js';
import { subject } from './session.js';
import { verdictPanel } from './verdict.js';
import { noteDecided } from './waiting.js';
import { skipButton, toNext, wayBack } from './walk.js';
import { device, local, outcome, percent, seconds, utc } from './wording.js';

/** The fields that the API knows: what else an SDK sends is its own. */
const OF_CAPTURE = ['verificationResult', 'sessionDuration', 'lightingValue'];
const OF_RUN = [...OF_CAPTURE, 'timestamp', 'completedAt', 'challengeCount', 'completedChallenges', 'challenges', 'finalCapture'];
/** The name that a user has who was erased. */
const ERASED = /^erased-[0-9a-f]+$/;

/**
 * The view of a record. Officers see besides what is kept of it, and can erase it. `queue` is the one that it was opened from,
 * where the next check follows the decision; null for the list.
 */
export function recordView(id, { queue, isOfficer, refused, signal }) {
  const part = el('div', { class: 'record' });
  const common = { queue, isOfficer, refused, signal };
  /** `before` is what there is to say of what happened meanwhile, once it is known what the record is like now. */
  const open = (before = (now) => takeNotice() ?? decidedOn(now, queue)) => load(part, {
    what: `check ${id}`,
    work: () => ask('GetLivenessCheckQuery', { id, ...purposeOfLook() }, signal),
    show: (shown) => [before(shown.LivenessCheck), ...partsOf(shown, { ...common, open })].filter((one) => one !== null),
    told: (shown) => `Check ${id}: ${outcome(shown.LivenessCheck).word}`,
    refused: (error) => refused(error) || showMissing(part, id, error) || askWhy(part, error, () => open(before)),
    signal,
  });
  open();
  bind({ f: goToFace }, signal);
  return el('div', {},
    el('p', { class: 'back' }, wayBack(queue), skipButton(id, queue, { refused, signal })),
    el('h1', {}, `Check ${id}`),
    part,
    keysHelp([...DECISION_KEYS, ...(queue ? [['N', 'Leave it for later, and open the next']] : []),
      ['C', 'Put another face of the user beside this one, from the newest on'], ...FACE_KEYS, ['Esc', 'Back']]));
}

function showMissing(part, id, error) {
  if (error.status !== 404) return false;
  part.replaceChildren(el('div', { class: 'notice unsure', role: 'alert' }, el('p', {}, `There is no check ${id}.`)));
  return true;
}

/** The server shows no face without a purpose, or takes this one for none. */
function askWhy(part, error, open) {
  const wrong = error.errors?.find(({ field }) => field === 'purpose');
  if (error.status !== 400 || !wrong) return false;
  part.replaceChildren(purposeForm(wrong.message, () => open().then(() => document.querySelector('h1')?.focus())));
  part.querySelector('input').focus();
  return true;
}

function partsOf(shown, { queue, isOfficer, refused, signal, open }) {
  const check = shown.LivenessCheck;
  const [face, keeping] = facePanels(shown, { isOfficer, refused, signal, open });
  const decision = decisionOf(check, { queue, refused, signal, open });
  return [
    el('p', { class: 'lead' }, badge(check), ' ', outcome(check).sentence),
    el('p', { class: 'hint' }, 'That you opened this record is in the audit trail, under ',
      el('bdi', {}, subject()), '.'),
    el('div', { class: 'columns' },
      el('div', { class: 'column' }, face),
      el('div', { class: 'column wide' }, verdictPanel(check), challengesPanel(check), userPanel(shown), sdkPanel(check),
        measuresPanel(check), originPanel(check)),
      el('div', { class: 'column' }, decision, attemptsPanel(shown, { refused, signal }), keeping ?? null)),
  ];
}

/** Said of a check that was in the queue a moment ago. */
const decidedOn = (check, queue) => (queue && (check.Decisions ?? []).some((one) => one.Counts)
  ? noticeOf({ tone: 'unsure', text: 'This check is decided, and waits no longer.' }) : null);

/**
 * The panel of the decisions. What was decided is shown without another look at the record, or the next record is opened. If
 * somebody else was faster, the record is looked at again.
 */
function decisionOf(check, { queue, refused, signal, open }) {
  const seen = () => (check.Decisions ?? []).length;
  const decided = (answer, reason) => {
    if (queue) noteDecided(check.Id);
    if (signal.aborted) return leaveNotice(toldOf(answer));
    if (queue) return toNext(queue, { told: toldOf(answer), refused, signal });
    takeIn(check, answer, reason);
    const old = here;
    here = make();
    old.replaceWith(here);
    const heading = here.querySelector('h2');
    heading.after(noticeOf(toldOf(answer)));
    heading.tabIndex = -1;
    heading.focus();
  };
  const stale = (error) => {
    const before = seen();
    open((now) => meanwhile(now, before, error)).then(() => document.querySelector('h1')?.focus());
  };
  const make = () => decisionPanel(check, { refused, decided, stale, signal });
  let here = make();
  return here;
}

/**
 * The panel of the face, and for an officer the one of what is kept. What an officer has done is shown without another look at
 * the record, unless all of it is another.
 */
function facePanels(shown, { isOfficer, refused, signal, open }) {
  const check = shown.LivenessCheck;
  const after = (change) => {
    if (change.all) return open();
    if ('held' in change && check.Face) check.Face.HeldSince = change.held;
    if (change.erased) {
      Object.assign(check, { HasImage: false, ImageBase64: null });
      Object.assign(check.Face, { ErasedAt: change.erased, ErasedBecause: change.reason });
    }
    const before = panels;
    panels = make();
    before.forEach((panel, place) => panel.replaceWith(panels[place]));
  };
  const make = () => [facePanel(check), ...(isOfficer ? [keepingPanel(shown, { refused, signal, after })] : [])];
  let panels = make();
  return panels;
}

function userPanel(shown) {
  const text = (value) => (value === null ? null : el('bdi', {}, value));
  const check = shown.LivenessCheck;
  const parts = [shown.FirstName, shown.MiddleName, shown.LastName].filter((name) => name !== null).join(' ');
  const erased = ERASED.test(shown.UserId2 ?? '')
    ? el('p', {}, 'This user was erased: nothing names the person any more.') : null;
  return panel('user', 'User', erased, facts([
    ['Name', text(shown.DisplayName)],
    ...(parts === '' || parts === shown.DisplayName ? [] : [['First, middle and last name', text(parts)]]),
    ['Email address', text(shown.EmailAddress)],
    ['User id', el('span', {}, `${shown.UserId}`, shown.UserId2 === null ? '' : ' · ', text(shown.UserId2))],
    ['Pre-registration', check.PreRegistrationId === null ? null
      : el('a', { href: toList({ preRegistrationId: `${check.PreRegistrationId}` }) }, `${check.PreRegistrationId}`)],
    ['Check completed', shown.HasCompletedLivenessCheck
      ? 'Yes: the latest record is successful and verified'
      : 'No: the latest record is not successful and verified'],
  ]));
}

function measuresPanel(check) {
  const rows = [
    ['Whole run', check.VerificationResult, check.SessionDuration, check.LightingValue],
    ['Final capture', check.FinalCaptureVerificationResult, check.FinalCaptureSessionDuration, check.FinalCaptureLightingValue],
    ['Image', check.ImageVerificationResult, check.ImageSessionDuration, check.ImageLightingValue],
  ];
  const unknown = () => el('span', { class: 'unknown' }, 'not given');
  return panel('measures', 'What the phone measured', el('table', { class: 'measures' },
    el('thead', {}, el('tr', {}, ['', 'Result', 'Duration', 'Lighting'].map((name) => el(name ? 'th' : 'td', name ? { scope: 'col' } : {}, name)))),
    el('tbody', {}, rows.map(([name, result, millis, light]) => el('tr', {},
      el('th', { scope: 'row' }, name),
      [verdictOf(result), seconds(millis), percent(light)].map((value) => el('td', {}, value ?? unknown())))))),
  el('p', { class: 'hint' }, 'Lighting: 0 % is dark, 100 % is as well lit as can be.'));
}

const verdictOf = (result) => (result === null ? null
  : el('span', { class: `badge ${result ? 'good' : 'bad'}` }, result ? '✓ real face' : '✕ not a real face'));

function originPanel(check) {
  const { userAgent, devicePlatform, appVersion } = device(check.DeviceInfo);
  const text = (value) => (value ? el('bdi', {}, value) : null);
  const time = (value) => (value === null ? null : el('time', { datetime: value }, local(value), el('br'), utc(value)));
  return panel('origin', 'Where it came from', facts([
    ['Recorded, by the server’s clock', time(check.CreatedAt)],
    ['Completed, by the phone’s clock', time(check.CompletedAt)],
    ['Session', el('bdi', { class: 'code' }, check.SessionId)],
    ['Platform', text(devicePlatform)],
    ['App version', text(appVersion)],
    ['User agent', text(userAgent)],
    ['Address', text(check.ClientIp)],
  ]));
}

/** What an SDK adds of its own comes first: alarms are among it. */
function sdkPanel(check) {
  const sent = [['metadata', check.Metadata], ['imageMetadata', check.ImageMetadata]].filter(([, object]) => object !== null);
  if (sent.length === 0) return null;
  const own = [
    ...ownFields('metadata', check.Metadata, OF_RUN),
    ...ownFields('metadata.finalCapture', check.Metadata?.finalCapture, OF_CAPTURE),
    ...ownFields('imageMetadata', check.ImageMetadata, OF_CAPTURE),
  ];
  return panel('sdk', 'What else the phone reported',
    own.length === 0 ? el('p', {}, 'Nothing beyond what the other parts of this page show.') : facts(own),
    sent.map(([where, object]) => el('details', {}, el('summary', {}, `All of ${where}`),
      el('pre', {}, JSON.stringify(object, null, 2)))));
}

function ownFields(where, object, known) {
  const own = Object.entries(object ?? {}).filter(([name]) => !known.includes(name));
  return own.map(([name, value]) => [`${where}.${name}`,
    el('bdi', { class: 'code' }, typeof value === 'string' ? value : JSON.stringify(value))]);
}
