// One check: the face and all that was recorded of it, and the user's other attempts beside it. The face is fetched here
// and nowhere else, and only when the record is opened.

import { ask } from './api.js';
import { el, facts, panel } from './elements.js';
import { facePanel } from './face.js';
import { badge } from './list.js';
import { load } from './loading.js';
import { keepingPanel } from './officer.js';
import { backToList, toList, toRecord } from './place.js';
import { purposeForm, purposeOfLook } from './purpose.js';
import { claims } from './session.js';
import { challenges, count, device, local, localShort, outcome, percent, seconds, utc } from './wording.js';

const ATTEMPTS = 20;
/** The fields that the API knows: what else an SDK sends is its own. */
const OF_CAPTURE = ['verificationResult', 'sessionDuration', 'lightingValue'];
const OF_RUN = [...OF_CAPTURE, 'timestamp', 'completedAt', 'challengeCount', 'completedChallenges', 'challenges', 'finalCapture'];
/** The name that a user has who was erased. */
const ERASED = /^erased-[0-9a-f]+$/;

/** The view of a record. Officers see besides what is kept of it, and can erase it. */
export function recordView(id, { isOfficer, refused, signal }) {
  const part = el('div', { class: 'record' });
  const open = () => load(part, {
    what: `check ${id}`,
    work: () => ask('GetLivenessCheckQuery', { id, ...purposeOfLook() }, signal),
    show: (shown) => partsOf(shown, { isOfficer, refused, signal, open }),
    told: (shown) => `Check ${id}: ${outcome(shown.LivenessCheck).word}`,
    refused: (error) => refused(error) || showMissing(part, id, error) || askWhy(part, error, open),
    signal,
  });
  open();
  return el('div', {},
    el('p', { class: 'back' }, el('a', { href: backToList() }, '← Back to the list')),
    el('h1', {}, `Check ${id}`),
    part);
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

function partsOf(shown, { isOfficer, refused, signal, open }) {
  const check = shown.LivenessCheck;
  const [face, keeping] = facePanels(shown, { isOfficer, refused, signal, open });
  return [
    el('p', { class: 'lead' }, badge(check), ' ', outcome(check).sentence),
    el('p', { class: 'hint' }, 'That you opened this record is in the audit trail, under ',
      el('bdi', {}, `${claims().sub ?? 'the name in your token'}`), '.'),
    el('div', { class: 'columns' },
      el('div', { class: 'column' }, face),
      el('div', { class: 'column wide' }, userPanel(shown), challengesPanel(check), sdkPanel(check), measuresPanel(check), originPanel(check)),
      el('div', { class: 'column' }, keeping ?? null, attemptsPanel(shown, { refused, signal }))),
  ];
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

function challengesPanel(check) {
  const states = { done: '✓ done', missing: '✕ missing', 'not asked': '? done, though it was not asked' };
  const tones = { done: 'good', missing: 'bad', 'not asked': 'unsure' };
  const listed = challenges(check.Challenges, check.CompletedChallenges);
  const asked = check.Challenges === null && check.ChallengeCount !== null
    ? el('p', {}, `${count(check.ChallengeCount)} were asked; the phone did not say which.`) : null;
  const nothing = listed.length === 0 && asked === null ? el('p', {}, 'The phone did not report any challenges.') : null;
  return panel('challenges', 'Challenges', asked, nothing,
    listed.length === 0 ? null : el('ul', { class: 'challenges' }, listed.map(({ name, state }) => el('li', { class: state },
      el('bdi', {}, name), el('span', { class: `badge ${tones[state]}` }, states[state])))));
}

function measuresPanel(check) {
  const rows = [
    ['Whole run', check.VerificationResult, check.SessionDuration, check.LightingValue],
    ['Final capture', check.FinalCaptureVerificationResult, check.FinalCaptureSessionDuration, check.FinalCaptureLightingValue],
    ['Image', check.ImageVerificationResult, check.ImageSessionDuration, check.ImageLightingValue],
  ];
  const unknown = () => el('span', { class: 'unknown' }, 'not given');
  return panel('measures', 'What the phone measured', el('table', { class: 'measures' },
    el('thead', {}, el('tr', {}, ['', 'Verdict', 'Duration', 'Lighting'].map((name) => el(name ? 'th' : 'td', name ? { scope: 'col' } : {}, name)))),
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

function attemptsPanel(shown, { refused, signal }) {
  const list = el('div', {});
  const of = { selfServiceUserId: `${shown.UserId}`, pageSize: `${ATTEMPTS}` };
  load(list, {
    what: 'the user’s attempts',
    work: () => ask('RetrieveLivenessChecksQuery', of, signal),
    show: (page) => attemptsOf(page, shown),
    refused,
    signal,
  });
  return panel('attempts', 'This user’s attempts', list);
}

function attemptsOf(page, shown) {
  const isThis = (check) => `${check.Id}` === `${shown.LivenessCheck.Id}`;
  const attempts = page.Items.map((check) => el('li', {},
    el('a', { href: toRecord(check.Id), 'aria-current': isThis(check) ? 'page' : null },
      el('span', {}, `Check ${check.Id}`), badge(check),
      el('span', { class: 'hint' }, el('time', { datetime: check.CreatedAt }, localShort(check.CreatedAt)),
        isThis(check) ? ', shown here' : null))));
  const only = page.TotalCount === 1 ? el('p', { class: 'hint' }, 'This is the only one.') : null;
  const rest = page.TotalCount > page.Items.length
    ? el('p', {}, el('a', { href: toList({ selfServiceUserId: `${shown.UserId}` }) }, `All ${count(page.TotalCount)} attempts`)) : null;
  return [el('ol', { class: 'attempts' }, attempts), only, rest].filter((part) => part !== null);
}
