// How numbers, times and outcomes are said. English, whatever the browser's language, as the rest of the page.

const COUNT = new Intl.NumberFormat('en', { maximumFractionDigits: 2 });
const LOCAL = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'medium' });
const LOCAL_SHORT = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'short' });
const ZONE = LOCAL.resolvedOptions().timeZone;

export const count = (number) => COUNT.format(number);

/** 4200 milliseconds are 4.2 s. */
export const seconds = (millis) => (millis === null ? null : `${COUNT.format(millis / 1000)} s`);

/** 0.93 of 1 is 93 %. */
export const percent = (share) => (share === null ? null : `${COUNT.format(Math.round(share * 1000) / 10)} %`);

export const bytes = (number) => (number < 1024 ? `${number} bytes`
  : number < 1024 * 1024 ? `${COUNT.format(Math.round(number / 102.4) / 10)} KiB`
    : `${COUNT.format(Math.round(number / 104857.6) / 10)} MiB`);

export const local = (time) => (time === null ? null : `${LOCAL.format(new Date(time))} (${ZONE})`);
export const localShort = (time) => LOCAL_SHORT.format(new Date(time));
export const utc = (time) => (time === null ? null : time.replace('T', ' ').replace('Z', ' UTC'));

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
      return { tone: 'unsure', word: 'No verdict', sentence: 'The run succeeded, but the phone did not say whether it took the user for a real person.' };
  }
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
