// What can be decided: the buttons to choose by, quick texts for the reason of each choice, and the keys of both.

import { el } from './elements.js';
import { kbd } from './keys.js';

/** By the API's word: the button, its key, and reasons that are often given. */
const CHOICES = {
  approve: {
    word: 'Approve',
    key: 'A',
    texts: [
      'The face is clear, and nothing speaks against the run.',
      'It is the same face as in earlier attempts.',
      'The light explains what the rules noted.',
    ],
  },
  reject: {
    word: 'Reject',
    key: 'R',
    texts: [
      'The image shows a screen or a print.',
      'It is not the face of earlier attempts.',
      'The image was made or changed by software.',
    ],
  },
  ask_again: {
    word: 'Ask again',
    key: 'S',
    texts: [
      'The face is too dark or too blurred to judge.',
      'The face is partly covered.',
      'Challenges are missing.',
    ],
  },
};
/** What the keys do. */
export const CHOICE_KEYS = [
  ...Object.values(CHOICES).map(({ word, key }) => [key, word]), ['1 2 3', 'Take a quick text as the reason'],
];

/**
 * The buttons of the choices, the quick texts of the one that is chosen, and the button that records it. `chosen` is told each
 * choice, and `write` a quick text.
 */
export function choiceField(before, { chosen, write }) {
  let choice = before;
  const problem = el('p', { class: 'problem', id: 'decision-problem', role: 'alert' });
  const texts = el('div', { class: 'texts', role: 'group', 'aria-label': 'Quick texts for the reason' });
  const submit = el('button', { type: 'submit', class: 'primary', 'aria-keyshortcuts': 'Control+Enter' });
  const choose = (one) => {
    choice = one;
    chosen(one);
    problem.textContent = '';
    show();
    buttons[one].focus();
  };
  const buttons = mapped(CHOICES, ({ word, key }, one) =>
    el('button', { type: 'button', 'aria-keyshortcuts': key, click: () => choose(one) }, word, kbd(key)));
  const show = () => {
    for (const [one, button] of Object.entries(buttons)) button.setAttribute('aria-pressed', `${one === choice}`);
    const { word = 'Decide', texts: quick = [] } = CHOICES[choice] ?? {};
    texts.replaceChildren(...quick.map((text, place) =>
      el('button', { type: 'button', class: 'quick', click: () => write(text) }, text, kbd(`${place + 1}`))));
    submit.replaceChildren(word, kbd('Ctrl Enter'));
  };
  const isGood = () => {
    problem.textContent = choice === null ? 'Choose what you decide.' : '';
    return choice !== null;
  };
  show();
  const all = el('div', { class: 'ways', role: 'group', 'aria-label': 'What you decide' }, Object.values(buttons));
  return { input: buttons.approve, parts: [all, problem], texts, submit, isGood, value: () => choice, keys: keysOf(texts, choose) };
}

const keysOf = (texts, choose) => ({
  ...Object.fromEntries(Object.entries(CHOICES).map(([choice, { key }]) => [key.toLowerCase(), () => choose(choice)])),
  ...Object.fromEntries([0, 1, 2].map((place) => [`${place + 1}`, () => texts.children[place]?.click()])),
});

const mapped = (object, make) => Object.fromEntries(Object.entries(object).map(([key, value]) => [key, make(value, key)]));
