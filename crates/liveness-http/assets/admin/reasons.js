// The reasons of a verdict in words, one sentence for each code. What a rule saw and its bound come with the verdict; a code or
// a value that is not known here is shown as it is.

import { count, duration, inMillis } from './wording.js';

const UNBOUND = {
  not_named: 'the report names none',
  not_issued: 'the one that the report names was never issued to this user',
  used_up: 'the one that the report names was used up by another report',
  expired: 'the one that the report names had expired',
};
const isNumber = (value) => typeof value === 'number';
const isText = (value) => typeof value === 'string';
const listed = (value) => value.map((one) => (isText(one) ? one : JSON.stringify(one))).join(', ');
/** A part of a sentence, where what it tells of is of the kind that one expects. */
const part = (isAsExpected, say) => (isAsExpected ? say() : '');
const told = (saw) => part(Array.isArray(saw), () => ` It says so in ${listed(saw)}.`);

/** By code: a sentence of what the rule saw, its bound, and the record. Null where these are not as expected. */
const SENTENCES = {
  'claim.failed': ({ saw }) => `The phone itself reports that the run failed.${told(saw)}`,
  'claim.contradiction': ({ saw }) => `The phone’s own results contradict each other.${part(Array.isArray(saw),
    () => ` Others than isSuccessful: ${listed(saw)}.`)}`,
  'session.unbound': ({ saw }) => `The run belongs to no session that this server issued${part(Object.hasOwn(UNBOUND, saw),
    () => `: ${UNBOUND[saw]}`)}.`,
  'challenges.incomplete': ({ saw, bound }) => (isNumber(saw) && isNumber(bound)
    ? `${count(saw)} of ${bound === 1 ? '1 challenge' : `${count(bound)} challenges`} ${saw === 1 ? 'was' : 'were'} completed.` : null),
  'challenges.order': ({ saw, bound }) => (Array.isArray(saw) && Array.isArray(bound)
    ? `Completed were ${listed(saw)}; issued were ${listed(bound)}, in this order.` : null),
  'time.too_fast': ({ saw, bound }, check) => (isNumber(saw) && isNumber(bound)
    ? `Took ${inMillis(saw)} ${forChallenges(check)}; at least ${inMillis(bound)} are expected.` : null),
  'time.impossible': ({ saw, bound }) => (isNumber(saw) && isNumber(bound)
    ? `The run is said to have taken ${duration(saw)}; since the session was issued, at most ${duration(bound)} were possible.` : null),
  'time.clock': ({ saw, bound }) => (isNumber(saw) && isNumber(bound)
    ? `The phone’s clock is ${duration(Math.abs(saw))} ${saw < 0 ? 'behind' : 'ahead'}; up to ${duration(bound)} are usual.` : null),
  'alarm.flash': ({ saw }) => `The phone flashed its screen, and the light on the face was not that of a real one.${told(saw)}`,
  'alarm.motion': ({ saw }) => `The movements of the face and of the phone did not fit each other.${told(saw)}`,
  'alarm.depth': ({ saw }) => `The phone took the face for flat.${told(saw)}`,
  'alarm.glare': ({ saw }) => `The phone saw a glare, as of a screen that was filmed.${told(saw)}`,
  'alarm.contours': ({ saw }) => `The phone did not find the contours of a face.${told(saw)}`,
  'image.missing': ({ saw }) => (saw === 'path_only'
    ? 'Success is claimed, but instead of an image there is only the path of one.' : 'Success is claimed, but no image was sent.'),
  'image.broken': ({ saw, bound }) => (isNumber(saw) && isNumber(bound)
    ? `The image has ${count(saw)} pixels on its shorter side; at least ${count(bound)} are expected.`
    : `The image cannot be decoded${part(isText(saw), () => `: ${saw}`)}.`),
  'image.reused': ({ saw }) => (Array.isArray(saw)
    ? `This very image was recorded before, for ${saw[0] === 'another_user' ? 'another' : 'the same'} user, with check ${saw[1]}.` : null),
  'light.constant': ({ saw, bound }) => (Array.isArray(bound)
    ? `The light value ${saw} is one that phones give when they could not measure it.`
    : `The light value ${saw} is the very number of the user’s last run.`),
  'attestation.failed': ({ saw }) => `The app or the phone did not prove that it is genuine${part(isText(saw), () => `, says ${saw}`)}.`,
};

/** As the server counts them: those issued, or else as many as the phone tells of. */
function forChallenges({ IssuedSession: session, Challenges: asked, CompletedChallenges: done, ChallengeCount: told }) {
  const number = session?.Challenges.length ?? Math.max(asked?.length ?? 0, done?.length ?? 0, told ?? 0);
  return `for ${number === 1 ? '1 challenge' : `${count(number)} challenges`}`;
}

/** The sentence of a reason; null where there is none. */
export function sentenceOf({ Code: code, Saw: saw, Bound: bound }, check) {
  return Object.hasOwn(SENTENCES, code) ? SENTENCES[code]({ saw, bound }, check) : null;
}
