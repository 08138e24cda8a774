// How numbers, times, outcomes, verdicts and decisions are said. English, whatever the browser's language, as the rest of the page.

const COUNT = new Intl.NumberFormat('en', { maximumFractionDigits: 2 });
const LOCAL = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'medium' });
const LOCAL_SHORT = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'short' });
const CLOCK = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit', fractionalSecondDigits: 3 });
const ZONE = LOCAL.resolvedOptions().timeZone;

export const count = (number) => COUNT.format(number);

/** 4200 milliseconds are 4.2 s. */
export const seconds = (millis) => (millis === null ? null : `${COUNT.format(millis / 1000)} s`);

/** 0.93 of 1 is 93 %. */
export const percent = (share) => (share === null ? null : `${COUNT.format(Math.round(share * 1000) / 10)} %`);

export const bytes = (number) => (number < 1024 ? `${number} bytes`
  : number < 1024 * 1024 ? `${COUNT.format(Math.round(number / 102.4) / 10)} KiB`
    : `${COUNT.format(Math.round(number / 104857.6) / 10)} MiB`);

/** 900 milliseconds, as a reviewer compares them with others. */
export const inMillis = (millis) => `${COUNT.format(millis)} ms`;

export const local = (time) => (time === null ? null : `${LOCAL.format(new Date(time))} (${ZONE})`);
export const localShort = (time) => LOCAL_SHORT.format(new Date(time));
export const utc = (time) => (time === null ? null : time.replace('T', ' ').replace('Z', ' UTC'));

/** The time of day, to the millisecond where it is known so exactly. */
export const timeOfDay = (time) => CLOCK.format(new Date(time));

/** How long ago a time is: 3 minutes. */
export function ago(time) {
  const minutes = Math.max(0, Math.round((Date.now() - new Date(time)) / 60_000));
  const [size, unit] = minutes < 120 ? [1, 'minute'] : minutes < 2880 ? [60, 'hour'] : [1440, 'day'];
  const number = Math.round(minutes / size);
  return `${count(number)} ${unit}${number === 1 ? '' : 's'}`;
}

/** A duration of milliseconds in the unit that suits it: 12 s, 7 min, 3 h, 5 days. */
export function duration(millis) {
  const [size, unit] = [[86_400_000, 'days'], [3_600_000, 'h'], [60_000, 'min'], [1000, 's']].find(([one]) => millis >= 2 * one) ?? [1000, 's'];
  return `${COUNT.format(Math.round(millis / size * 10) / 10)} ${unit}`;
}

/** When to try again, after so many seconds. */
export function later(wait) {
  if (wait <= 120) return `in ${wait} seconds`;
  const [size, unit] = wait <= 7200 ? [60, 'minutes'] : [3600, 'hours'];
  return `in ${Math.ceil(wait / size)} ${unit}, after ${localShort(Date.now() + wait * 1000)}`;
}

/** What came of a check: a word, a sentence, and which tone they have. */
export function outcome(check) {
  if (!check.IsSuccessful) {
    return { tone: 'bad', word: 'Failed', sentence: 'The phone reported that the run did not succeed.' };
  }
  switch (check.VerificationResult) {
    case true:
      return { tone: 'good', word: 'Passed', sentence: 'The run succeeded, and the phone took the user for a real person.' };
    case false:
      return { tone: 'bad', word: 'Not verified', sentence: 'The run succeeded, but the phone did not take the user for a real person.' };
    default:
      return { tone: 'unsure', word: 'No result', sentence: 'The run succeeded, but the phone did not say whether it took the user for a real person.' };
  }
}

/** What the rules made of a check, by the word that the API has for it. */
export function verdictWord(verdict) {
  const words = {
    accepted: { tone: 'good', word: 'Accepted' },
    review: { tone: 'unsure', word: 'To be looked at' },
    rejected: { tone: 'bad', word: 'Rejected' },
  };
  return words[verdict] ?? { tone: 'unsure', word: `${verdict}` };
}

/** What a person decided, by the word that the API has for it. */
export function decisionWord(decision) {
  const words = {
    approve: { tone: 'good', word: 'Approved' },
    reject: { tone: 'bad', word: 'Rejected' },
    ask_again: { tone: 'unsure', word: 'Asked again' },
  };
  return words[decision] ?? { tone: 'unsure', word: `${decision}` };
}

/** The three things that a phone says of itself; or the text, where they are not to be read from it. */
export function device(info) {
  try {
    const { userAgent, devicePlatform, appVersion } = JSON.parse(info) ?? {};
    return { userAgent, devicePlatform, appVersion };
  } catch {
    return { userAgent: info };
  }
}

/** What a challenge's name says, as the server compares it: `ChallengeType.turnLeft`, `turn_left` and `TURN-LEFT` are one. */
export const challengeName = (name) => name.split('.').at(-1).replace(/[_\- ]/g, '').toUpperCase();

/** Every challenge that was asked, and whether it was done; then what was done without being asked. */
export function challenges(asked, done) {
  const left = [...(done ?? [])];
  const answered = (asked ?? []).map((name) => {
    const place = left.indexOf(name);
    if (place >= 0) left.splice(place, 1);
    return { name, state: place >= 0 ? 'done' : 'missing' };
  });
  return [...answered, ...left.map((name) => ({ name, state: asked ? 'not asked' : 'done' }))];
}
