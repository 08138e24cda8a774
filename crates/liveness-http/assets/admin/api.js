// Asks the API, with the token of who is signed in.

import { Refusal } from './refusal.js';
import { bearer } from './session.js';

/** Fields that are texts, whatever they look like, and those that are true or false. Everything else is a number. */
const TEXTS = ['sessionId', 'from', 'to', 'purpose', 'reason', 'verdict', 'decision', 'order'];
const FLAGS = ['isSuccessful', 'hasImage'];

/** Sends a message and gives back its data. */
export async function ask(message, fields, signal) {
  const [response, text] = await exchange(message, fields, signal);
  const envelope = envelopeIn(text);
  if (response.ok && envelope.isSuccessful === true) return envelope.data;
  throw new Refusal(response.status, envelope.message ?? `The answer (HTTP ${response.status}) was not understood.`, {
    errors: envelope.errors ?? [],
    requestId: response.headers.get('X-Request-Id'),
    retryAfter: response.headers.get('Retry-After'),
  });
}

async function exchange(message, fields, signal) {
  const token = await bearer();
  const timeout = AbortSignal.timeout(20_000);
  try {
    const response = await fetch(`api/BPMSelfService/commands/${message}`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
      body: toJson(fields),
      cache: 'no-store',
      credentials: 'omit',
      redirect: 'error',
      signal: AbortSignal.any([signal, timeout]),
    });
    return [response, await response.text()];
  } catch (error) {
    if (signal.aborted) throw error;
    throw new Refusal(0, timeout.aborted ? 'The server did not answer within 20 seconds.' : 'The server could not be reached.');
  }
}

function envelopeIn(text) {
  try {
    return JSON.parse(text, exactly) ?? {};
  } catch {
    return {};
  }
}

/** Ids have up to 64 bits, which JavaScript's numbers cannot hold: those stay as they are written. */
function exactly(key, value, context) {
  const isLarge = typeof value === 'number' && !Number.isSafeInteger(value);
  return isLarge && /^-?\d+$/.test(context?.source) ? context.source : value;
}

/** Fields from the address: numbers go digit for digit, and what is not of its kind is for the server to refuse. */
function toJson(fields) {
  const isBare = (name, value) => (FLAGS.includes(name)
    ? /^(true|false)$/.test(value) : !TEXTS.includes(name) && /^-?(0|[1-9]\d*)$/.test(value));
  const pairs = Object.entries(fields).map(([name, value]) =>
    `${JSON.stringify(name)}:${isBare(name, value) ? value : JSON.stringify(value)}`);
  return `{${pairs.join(',')}}`;
}
