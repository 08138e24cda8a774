// The panel of a record's face: the face, or why there is none. Another face can stand beside it (compare.js).

import { el, panel } from './elements.js';
import { faceView } from './face_view.js';
import { bytes, local, localShort } from './wording.js';

export const facePanel = (check) => panel('face', 'Face', el('div', { class: 'faces' }, faceOf(check)));

/** A check's face with the tools to see it well. Its heading is shown where there are two. */
export function faceOf(check) {
  const heading = el('h3', {}, `Check ${check.Id}, `, el('time', { datetime: check.CreatedAt }, localShort(check.CreatedAt)));
  const face = check.HasImage ? [figureOf(check)] : check.Face?.ErasedAt ? erased(check.Face) : [notSent(check)];
  return el('div', { class: 'one-face' }, heading, face, pathOf(check));
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
  const label = `The face sent with check ${check.Id}`;
  const image = el('img', {
    src: check.ImageBase64, alt: label, draggable: 'false',
    load: () => {
      about.textContent = `${image.naturalWidth} × ${image.naturalHeight} pixels, ${type}, ${size}`;
      stage.style.aspectRatio = `${image.naturalWidth} / ${image.naturalHeight}`;
    },
    error: () => figure.replaceChildren(el('p', { class: 'notice bad' },
      'The image cannot be shown: the file that was sent is damaged or cut off. The record is as it was received.'), about),
  });
  const [stage, ...tools] = faceView(image, { id: `face-${check.Id}`, label });
  const figure = el('figure', {}, stage, about, tools);
  return figure;
}

const pathOf = (check) => (check.ImagePath === null ? null
  : el('p', { class: 'hint' }, 'Path: ', el('bdi', { class: 'code' }, check.ImagePath)));
