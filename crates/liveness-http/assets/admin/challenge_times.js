// The time of each challenge, where a phone tells it in fields of its own. SDKs have no common form for that, so what looks like a
// time beside what looks like a challenge is taken, and shown as what it is: a time of day, or a duration.

import { challengeName, seconds, timeOfDay } from './wording.js';

const NAMES = ['challenge', 'challengeType', 'type', 'name', 'action'];
const TIMED = /(times?|timestamps?|durations?|elapsed|millis|ms|seconds|at)$/i;
/** Milliseconds since the epoch have more digits than any duration. */
const SINCE_EPOCH = 1e11;

/** Gives the time of a completed challenge, by its name and its place; null where none is told. */
export function challengeTimes(check) {
  const done = check.CompletedChallenges ?? [];
  const known = new Set([...done, ...(check.Challenges ?? []), ...(check.IssuedSession?.Challenges ?? [])].map(challengeName));
  const byName = new Map();
  const byPlace = [];
  for (const [key, value] of Object.entries(check.Metadata ?? {}).filter(([name]) => /challenge|action/i.test(name))) {
    if (Array.isArray(value)) value.forEach((one, place) => take(one, key, () => { if (value.length === done.length) return place; }));
    else for (const [name, one] of Object.entries(isObject(value) ? value : {})) take(one, key, () => {}, name);
  }
  return (name, place) => byName.get(challengeName(name))?.shift() ?? byPlace[place] ?? null;

  /** Takes a value: under its name, if it says a challenge that is known, or else by its place. */
  function take(one, key, placeOf, under = null) {
    const name = under ?? nameIn(one);
    const text = isObject(one) ? timesIn(one) : TIMED.test(key) || under !== null ? said(one, key) : null;
    if (text === null) return;
    if (name !== null && known.has(challengeName(name))) byName.set(challengeName(name), [...(byName.get(challengeName(name)) ?? []), text]);
    else if (name === null && placeOf() !== undefined) byPlace[placeOf()] = text;
  }
}

const isObject = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);
const nameIn = (one) => (isObject(one) ? NAMES.map((name) => one[name]).find((text) => typeof text === 'string') ?? null : null);

/** All times in an object; more than one are told with their names. */
function timesIn(object) {
  const times = Object.entries(object).filter(([key]) => TIMED.test(key))
    .map(([key, value]) => [key, said(value, key)]).filter(([, text]) => text !== null);
  if (times.length === 0) return null;
  return times.length === 1 ? times[0][1] : times.map(([key, text]) => `${key} ${text}`).join(', ');
}

/** A time in words; null for what is none. */
function said(value, key) {
  const isTime = typeof value === 'string' && /^\d{4}-\d\d-\d\dT/.test(value) && !Number.isNaN(Date.parse(value));
  if (isTime || (typeof value === 'number' && value >= SINCE_EPOCH && value < 1e14)) return timeOfDay(value);
  if (typeof value !== 'number' || value < 0 || value >= SINCE_EPOCH) return null;
  return seconds(/seconds$/i.test(key) ? value * 1000 : value);
}
