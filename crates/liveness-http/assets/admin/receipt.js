// The receipt of what an officer did: on the page, and as a text to take along.

import { el, facts } from './elements.js';
import { claims } from './session.js';

/** What takes the place of the form in the dialog. */
export function receiptOf(deed, { answer, reason }, close) {
  const rows = [...deed.receipt(answer), ['Reason', reason], ['By', `${claims().sub ?? 'unnamed'}`]];
  const list = facts(rows.map(([name, text]) => [name, el('bdi', { class: /^[0-9a-f]{64}$/.test(text) ? 'code' : null }, text)]));
  list.id = 'receipt';
  const told = el('p', { class: 'hint', id: 'copied', role: 'status' });
  const text = [deed.done, ...rows.map(([name, value]) => `${name}: ${value}`)].join('\n');
  return [
    el('h2', { id: 'deed-heading', tabindex: '-1' }, deed.done),
    el('p', { class: 'hint' }, 'The audit trail has this receipt too.'),
    list,
    el('div', { class: 'actions' },
      el('button', { type: 'button', class: 'primary', id: 'copy', click: () => copy(text, list, told) }, 'Copy the receipt'),
      el('button', { type: 'button', class: 'close', click: close }, 'Close'),
      told),
  ];
}

/** Browsers have a clipboard only for pages by HTTPS or of this machine. Elsewhere the text is marked. */
async function copy(text, list, told) {
  try {
    await navigator.clipboard.writeText(text);
    told.textContent = 'Copied.';
  } catch {
    getSelection().selectAllChildren(list);
    told.textContent = 'It is marked now: copy it by the keyboard.';
  }
}
