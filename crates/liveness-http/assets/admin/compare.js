// Another face of the same user beside the one that is shown. It is fetched when it is asked for, as a look of its own with a
// purpose of its own, so that the audit trail tells of it.

import { ask } from './api.js';
import { announce, el } from './elements.js';
import { faceOf } from './face.js';
import { load } from './loading.js';
import { purposeOfComparison } from './purpose.js';

/** Puts the face of an attempt beside the one of `check`, in place of one that stands there. */
export function putBeside(check, attempt, { refused, signal }) {
  const faces = document.querySelector('#face .faces');
  const slot = el('div', { class: 'slot' });
  const close = () => {
    slot.remove();
    announce('The other face is put away');
    document.querySelector(`[data-compare="${attempt}"]`)?.focus();
  };
  faces.replaceChildren(faces.firstElementChild, slot);
  return load(slot, {
    what: `the face of check ${attempt}`,
    work: () => ask('GetLivenessCheckQuery', { id: attempt, purpose: purposeOfComparison(check.Id) }, signal),
    show: (shown) => [faceOf(shown.LivenessCheck), el('button', { type: 'button', class: 'put-away', click: close }, 'Put it away')],
    told: () => `The face of check ${attempt} stands beside that of check ${check.Id}`,
    refused,
    signal,
  });
}

/** The number of the check whose face stands beside; null where there is one face only. */
export function standsBeside() {
  const stage = document.querySelector('#face .slot .stage');
  return stage === null ? null : stage.id.replace('face-', '');
}

/** Moves the focus to the face, or from it to the other one. */
export function goToFace() {
  const stages = [...document.querySelectorAll('#face .stage')];
  const place = stages.indexOf(document.activeElement);
  stages[(place + 1) % stages.length]?.focus();
}
