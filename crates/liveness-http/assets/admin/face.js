// The panel of a record's face: the face, or why there is none.

import { el, panel } from './elements.js';
import { bytes, local } from './wording.js';

export function facePanel(check) {
  if (check.HasImage) return panel('face', 'Face', figureOf(check), pathOf(check));
  return panel('face', 'Face', ...(check.Face?.ErasedAt ? erased(check.Face) : [notSent(check)]), pathOf(check));
}

const erased = (face) => [
  el('p', {}, `This face was erased on ${local(face.ErasedAt)}.`),
  face.ErasedBecause === null ? null : el('p', {}, 'Because: ', el('bdi', {}, face.ErasedBecause)),
];

const notSent = (check) => el('p', {}, check.ImagePath === null
  ? 'No image was sent with this check.'
  : 'No image was sent with this check, only the path of one that was uploaded elsewhere.');

function figureOf(check) {
  const [, type, content] = check.ImageBase64.match(/^data:([^;]*);base64,(.*)$/s) ?? [null, 'unknown', ''];
  const size = bytes(Math.floor(content.replace(/=+$/, '').length * 3 / 4));
  const about = el('figcaption', { class: 'hint' }, `${type}, ${size}`);
  const figure = el('figure', {}, about);
  const image = el('img', {
    src: check.ImageBase64, alt: `The face sent with check ${check.Id}`,
    load: () => { about.textContent = `${image.naturalWidth} × ${image.naturalHeight} pixels, ${type}, ${size}`; },
    error: () => image.replaceWith(el('p', { class: 'notice bad', id: 'face-broken' },
      'The image cannot be shown: the file that was sent is damaged or cut off. The record is as it was received.')),
  });
  figure.prepend(image);
  return figure;
}

const pathOf = (check) => (check.ImagePath === null ? null
  : el('p', { class: 'hint' }, 'Path: ', el('bdi', { class: 'code' }, check.ImagePath)));
