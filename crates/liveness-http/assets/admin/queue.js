// The queue: what waits for a decision, oldest first, how much it is, and the way into the first of it.

import { el, panel } from './elements.js';
import { bind, kbd, keysHelp } from './keys.js';
import { checksTable } from './list.js';
import { load } from './loading.js';
import { takeNotice } from './notice.js';
import { toQueue, toQueued } from './place.js';
import { QUEUES, beginAnew, hasDecided, waiting } from './waiting.js';
import { ago, count } from './wording.js';

/** The view of the queue of a verdict; `opened` is the record that one comes back from. */
export function queueView({ verdict }, { opened, refused, signal }) {
  beginAnew();
  const results = el('div', { id: 'results' });
  load(results, {
    what: 'what waits',
    work: () => waiting(verdict, 1, signal),
    show: (page) => resultsOf(page, verdict),
    told: (page) => heading(page.TotalCount),
    refused,
    signal,
  }).then(() => {
    if (opened && !signal.aborted) results.querySelector(`tbody a[href="${toQueued(opened, verdict)}"]`)?.focus();
  });
  bind({ n: () => results.querySelector('#first')?.click() }, signal);
  return el('div', {}, el('h1', {}, 'Queue'), takeNotice(), ways(verdict), results,
    keysHelp([['N', 'Open the oldest'], ['Tab', 'Go on to the next thing'], ['Enter', 'Open what has the focus']]));
}

const ways = (verdict) => el('nav', { class: 'ways', 'aria-label': 'Which checks' },
  Object.entries(QUEUES).map(([one, word]) =>
    el('a', { class: 'button', href: toQueue(one), 'aria-current': one === verdict ? 'page' : null }, word)));

const heading = (number) => (number === 0 ? 'Nothing waits' : number === 1 ? '1 check waits' : `${count(number)} checks wait`);

function resultsOf(page, verdict) {
  if (page.TotalCount === 0) {
    return [panel('nothing', heading(0), el('p', {}, verdict === 'review'
      ? 'No check waits for a person to look at it.' : 'Of what the rules have rejected, all is decided.'))];
  }
  const first = page.Items.find(({ Id }) => !hasDecided(Id));
  const table = checksTable(page.Items, {
    caption: [el('strong', {}, page.TotalCount > page.Items.length ? `The first ${page.Items.length}` : 'All of them'), ', oldest first'],
    to: (id) => toQueued(id, verdict),
  });
  return [
    panel('waiting', heading(page.TotalCount),
      el('p', {}, `The oldest has waited ${ago(page.Items[0].CreatedAt)}.`),
      first ? el('p', {}, el('a', { class: 'button primary', id: 'first', 'aria-keyshortcuts': 'n', href: toQueued(first.Id, verdict) },
        `Open check ${first.Id}`, kbd('N'))) : el('p', {}, 'You have decided on all of these. They wait for another person.')),
    table,
  ];
}
