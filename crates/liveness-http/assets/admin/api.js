// Asks the API. The token lives in this module's memory and nowhere else: not in storage, not in the address, not in the
// page. It is gone when the page is.

let token = null;

/** Why there is no answer; `status` is 0 when the server was not reached. */
export class Refusal extends Error {
  constructor(status, message, { errors = [], requestId = null, retryAfter = null } = {}) {
    super(message);
    Object.assign(this, { status, errors, requestId, retryAfter });
  }
}

/** Takes a pasted token, with or without `Bearer` before it. False when it cannot be one. */
export function signIn(text) {
  const pasted = text.trim().replace(/^bearer\s+/i, '');
  if (!/^[\w-]+\.[\w-]+\.[\w-]+$/.test(pasted)) return false;
  token = pasted;
  return true;
}

export function signOut() {
  token = null;
}

export const isSignedIn = () => token !== null;

/** What the token says of itself. Nothing here believes it: only the server knows whether it is true. */
export function claims() {
  try {
    const payload = token.split('.')[1].replace(/-/g, '+').replace(/_/g, '/');
    const text = new TextDecoder().decode(Uint8Array.from(atob(payload), (letter) => letter.charCodeAt(0)));
    return JSON.parse(text) ?? {};
  } catch {
    return {};
  }
}

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

/** Fields from the address: whole numbers go as numbers, digit for digit, and what is no number is for the server to refuse. */
function toJson(fields) {
  const isNumber = (name, value) => name !== 'sessionId' && /^-?(0|[1-9]\d*)$/.test(value);
  const pairs = Object.entries(fields).map(([name, value]) =>
    `${JSON.stringify(name)}:${isNumber(name, value) ? value : JSON.stringify(value)}`);
  return `{${pairs.join(',')}}`;
}
