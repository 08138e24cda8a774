// A face that can be looked at closely: nearer, turned, lighter. By mouse, by buttons, and by keys while the face has the focus.
// Nothing of the image itself is changed.

import { announce, el } from './elements.js';
import { kbd } from './keys.js';
import { count } from './wording.js';

const PLAIN = { zoom: 1, x: 0, y: 0, turn: 0, brightness: 100, contrast: 100 };
const NEAREST = 12;
const STEP = 1.25;
const PAN = 40;
/** What the keys do while a face has the focus. */
export const FACE_KEYS = [
  ['F', 'Go to the face, and to the other one'], ['+ -', 'Nearer, and farther'], ['← ↑ → ↓', 'Move it'],
  [', .', 'Turn it by 90°; with Shift by 5°'], ['B V', 'Lighter, and darker'], ['K J', 'More contrast, and less'], ['0', 'As it was'],
];

/** The parts of a view: the stage, and its tools. `label` names the face. */
export function faceView(image, { id, label }) {
  const look = { ...PLAIN };
  const change = (changes) => {
    Object.assign(look, changes);
    settle(look, stage, image);
    draw(look, stage, image);
    for (const [name, slider] of Object.entries(sliders)) slider.value = look[name];
    if (told.textContent === inWords(look)) return;
    told.textContent = inWords(look);
    announce(`${label}: ${inWords(look)}`);
  };
  const zoom = (factor, at = { x: 0, y: 0 }) => {
    const to = Math.min(NEAREST, Math.max(1, look.zoom * factor));
    const ratio = to / look.zoom;
    change({ zoom: to, x: at.x - (at.x - look.x) * ratio, y: at.y - (at.y - look.y) * ratio });
  };
  const turn = (degrees) => change({ turn: (look.turn + degrees + 360) % 360 });
  const lighten = (name, by) => change({ [name]: Math.min(300, Math.max(20, look[name] + by)) });
  const keys = {
    '+': () => zoom(STEP), '=': () => zoom(STEP), '-': () => zoom(1 / STEP), 0: () => change(PLAIN),
    ArrowLeft: () => change({ x: look.x + PAN }), ArrowRight: () => change({ x: look.x - PAN }),
    ArrowUp: () => change({ y: look.y + PAN }), ArrowDown: () => change({ y: look.y - PAN }),
    ',': () => turn(-90), '.': () => turn(90), '<': () => turn(-5), '>': () => turn(5), ';': () => turn(-5), ':': () => turn(5),
    b: () => lighten('brightness', 10), v: () => lighten('brightness', -10),
    k: () => lighten('contrast', 10), j: () => lighten('contrast', -10),
  };
  const keydown = (event) => {
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    if (event.ctrlKey || event.metaKey || event.altKey || !Object.hasOwn(keys, key)) return;
    event.preventDefault();
    keys[key]();
  };
  const stage = el('div', {
    class: 'stage', id, tabindex: '0', role: 'group', 'aria-label': `${label}: keys act on it`, keydown,
    ...byMouse(() => stage, look, { change, zoom }),
  }, image);
  const told = el('p', { class: 'hint look' }, inWords(look));
  const slider = (name, word) => {
    const input = el('input', {
      type: 'range', id: `${id}-${name}`, min: 20, max: 300, step: 10, value: 100, input: () => change({ [name]: Number(input.value) }),
    });
    return [input, el('div', { class: 'slider' }, el('label', { for: input.id }, word), input)];
  };
  const [brightness, ofBrightness] = slider('brightness', 'Brightness');
  const [contrast, ofContrast] = slider('contrast', 'Contrast');
  const sliders = { brightness, contrast };
  const tool = (word, says, key, act) => el('button', { type: 'button', 'aria-label': `${says}: ${label}`, title: says, click: act }, word, kbd(key));
  return [stage, el('div', { class: 'tools', role: 'group', 'aria-label': `How you see it: ${label}` },
    tool('Nearer', 'Nearer', '+', keys['+']), tool('Farther', 'Farther', '-', keys['-']),
    tool('↺', 'Turn to the left', ',', keys[',']), tool('↻', 'Turn to the right', '.', keys['.']),
    tool('Reset', 'As it was', '0', keys[0]), ofBrightness, ofContrast), told];
}

const inWords = ({ zoom, turn, brightness, contrast }) => [
  `${count(Math.round(zoom * 100))} %`, turn === 0 ? null : `turned by ${turn}°`,
  brightness === 100 ? null : `brightness ${brightness} %`, contrast === 100 ? null : `contrast ${contrast} %`,
].filter((part) => part !== null).join(', ');

/** How wide and how high the image is on the stage, once it is turned, and by how much it is made smaller or larger to fit. */
function fitted({ turn }, stage, image) {
  const [width, height] = [stage.clientWidth, stage.clientHeight];
  const shown = Math.min(width / (image.naturalWidth || 1), height / (image.naturalHeight || 1));
  const [w, h] = [image.naturalWidth * shown, image.naturalHeight * shown];
  const [cos, sin] = [Math.abs(Math.cos(turn * Math.PI / 180)), Math.abs(Math.sin(turn * Math.PI / 180))];
  const [wide, high] = [w * cos + h * sin, w * sin + h * cos];
  const fit = wide > 0 && high > 0 ? Math.min(width / wide, height / high) : 1;
  return { fit, wide: wide * fit, high: high * fit };
}

/** Keeps the image on the stage. */
function settle(look, stage, image) {
  const { wide, high } = fitted(look, stage, image);
  const bound = (value, size, room) => {
    const most = Math.max(0, (size * look.zoom - room) / 2);
    return Math.min(most, Math.max(-most, value));
  };
  look.x = bound(look.x, wide, stage.clientWidth);
  look.y = bound(look.y, high, stage.clientHeight);
}

function draw(look, stage, image) {
  const { fit } = fitted(look, stage, image);
  image.style.transform = `translate(${look.x}px, ${look.y}px) rotate(${look.turn}deg) scale(${fit * look.zoom})`;
  image.style.filter = `brightness(${look.brightness}%) contrast(${look.contrast}%)`;
  stage.classList.toggle('near', look.zoom > 1);
}

/** Dragging moves, the wheel zooms while the face has the focus, and a double click zooms where it is. */
function byMouse(stage, look, { change, zoom }) {
  let from = null;
  const at = (event) => {
    const box = stage().getBoundingClientRect();
    return { x: event.clientX - box.left - box.width / 2, y: event.clientY - box.top - box.height / 2 };
  };
  return {
    pointerdown: (event) => {
      from = { x: event.clientX - look.x, y: event.clientY - look.y };
      stage().setPointerCapture(event.pointerId);
    },
    pointermove: (event) => from && change({ x: event.clientX - from.x, y: event.clientY - from.y }),
    pointerup: () => { from = null; },
    pointercancel: () => { from = null; },
    dragstart: (event) => event.preventDefault(),
    dblclick: (event) => (look.zoom > 1 ? change({ zoom: 1, x: 0, y: 0 }) : zoom(3, at(event))),
    wheel: (event) => {
      if (document.activeElement !== stage()) return;
      event.preventDefault();
      zoom(event.deltaY < 0 ? STEP : 1 / STEP, at(event));
    },
  };
}
