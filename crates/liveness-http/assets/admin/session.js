// Who is signed in. The tokens live in this module's memory and nowhere else: not in storage, not in the address, not in
// the page. They are gone when the page is.

import { claimsOf, isJwt } from './jwt.js';
import { renew, revoke } from './provider.js';

/** The longest that a timer of the browser waits. */
const LONGEST_WAIT = 2 ** 31 - 1;

let session = null;

/** Takes a pasted token, with or without `Bearer` before it. False when it cannot be one. */
export function pasteToken(text) {
  const token = text.trim().replace(/^bearer\s+/i, '');
  if (!isJwt(token)) return false;
  session = { token };
  return true;
}

/** Takes what an identity provider gave. */
export function begin(provider, tokens) {
  session = { provider, ...timed(tokens) };
  renewInTime();
}

export const isSignedIn = () => session !== null;

/** What the token says. */
export const claims = () => claimsOf(session?.token);

/** The name that the provider has for who is signed in, else the one under which the audit trail has them. */
export function name() {
  const { name: full, preferred_username: login, email } = session?.idToken ? claimsOf(session.idToken) : {};
  const known = [full, login, email].find((text) => typeof text === 'string' && text.trim() !== '');
  return `${known ?? claims().sub ?? 'unnamed'}`;
}

/** Where they signed in: the provider's host, or null where a token was pasted. */
export const signedInAt = () => session?.provider?.host ?? null;

/** Under whom the audit trail has what they do. */
export const subject = () => `${claims().sub ?? 'unnamed'}`;

/** Forgets everything. Gives back what is needed to sign out at the provider; null where a token was pasted. */
export function end() {
  const { provider, idToken, refreshToken, timer } = session ?? {};
  session = null;
  clearTimeout(timer);
  if (!provider) return null;
  revoke(provider, refreshToken);
  return { provider, idToken };
}

/** A token to ask with. It is renewed first when it is about to end, which a machine that was asleep may have missed. */
export async function bearer() {
  const mine = session;
  if (mine?.refreshToken && Date.now() >= mine.renewAt) {
    await renewed(mine).catch((error) => {
      if (Date.now() >= mine.endsAt) throw error;
    });
  }
  return mine?.token;
}

/** Tokens are renewed a minute before they end, or when a quarter of their life is left. */
function timed(tokens) {
  const endsAt = tokens.asked + tokens.lifetime;
  return { ...tokens, endsAt, renewAt: endsAt - Math.min(60_000, tokens.lifetime / 4) };
}

function renewInTime() {
  const mine = session;
  clearTimeout(mine.timer);
  if (!mine.refreshToken || mine.renewAt === Infinity) return;
  // What fails now is tried again by whoever asks next.
  const due = () => renewed(mine).catch(() => {});
  mine.timer = setTimeout(due, Math.min(Math.max(mine.renewAt - Date.now(), 0), LONGEST_WAIT));
}

/** Renews a session's tokens. Whoever comes meanwhile waits for the same answer: many refresh tokens are good for once. */
function renewed(mine) {
  mine.renewal ??= renewNow(mine).finally(() => { mine.renewal = null; });
  return mine.renewal;
}

async function renewNow(mine) {
  try {
    Object.assign(mine, timed(await renew(mine.provider, mine)));
  } catch (error) {
    // It is no good any more. The token still is, until it ends; then the server asks to sign in again.
    if (error.code === 'invalid_grant') return void delete mine.refreshToken;
    throw error;
  }
  if (session === mine) renewInTime();
  else revoke(mine.provider, mine.refreshToken);
}
