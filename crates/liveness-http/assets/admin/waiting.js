// What waits for a decision, oldest first, and which of it comes next for this reviewer.

import { ask } from './api.js';

/** What the queue can be of, by the verdicts that the API has. */
export const QUEUES = { review: 'To be looked at', rejected: 'Rejected by the rules' };

/** Checks that this reviewer has decided on, which may wait for another person still, and those that they have left for later. */
const decided = new Set();
const skipped = new Set();

/** A page of what waits. */
export const waiting = (verdict, pageNumber, signal) =>
  ask('RetrieveLivenessChecksQuery', { verdict, decision: 'none', order: 'oldest', pageNumber: `${pageNumber}` }, signal);

export const isPassedBy = (id) => decided.has(`${id}`) || skipped.has(`${id}`);
export const hasDecided = (id) => decided.has(`${id}`);
export const noteDecided = (id) => decided.add(`${id}`);
export const noteSkipped = (id) => skipped.add(`${id}`);
/** What was left for later comes again. */
export const beginAnew = () => skipped.clear();

/** The check that comes next, as `{ id, count }`. `id` is null when this reviewer is through; `count` is how many wait. */
export async function nextOf(verdict, signal) {
  for (let number = 1; ; number += 1) {
    const page = await waiting(verdict, number, signal);
    const next = page.Items.find(({ Id }) => !isPassedBy(Id));
    if (next || !page.HasNextPage) return { id: next ? `${next.Id}` : null, count: page.TotalCount };
  }
}

/** As if nobody had been here. */
export function forgetWaiting() {
  decided.clear();
  skipped.clear();
}
