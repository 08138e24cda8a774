// To the identity provider and back. What must survive that lies in the tab's session storage: never a token, and it is
// removed as soon as the page is here again.

import { Refusal } from './refusal.js';
import { authorization, codeOf, discover, endOfSession, hostOf, ownAddress, redeem } from './provider.js';
import { begin } from './session.js';

const KEY = 'liveness-redirect';
const OF_A_RETURN = ['code', 'state', 'error', 'error_description', 'error_uri', 'iss', 'session_state'];

/** Leaves for the provider, to sign in there. `prompt` is `login` for somebody else. */
export async function leaveToSignIn(settings, prompt = null) {
  const provider = await discover(settings);
  const { url, verifier, state, nonce } = await authorization(provider, prompt);
  remember({ verifier, state, nonce, place: location.hash });
  location.assign(url);
}

/** Leaves for the provider, to sign out there too. False where it has no such place. */
export function leaveToSignOut({ provider, idToken }) {
  const leaving = endOfSession(provider, idToken);
  if (leaving === null) return false;
  remember({ signedOut: leaving.state });
  location.assign(leaving.url);
  return true;
}

/** Takes up what a return from the provider brings, and cleans the address of it. Gives back what is to be told, or null. */
export async function comeBack(settings) {
  const left = takeUp();
  const brought = new URLSearchParams(location.search);
  if (!OF_A_RETURN.some((name) => brought.has(name))) return null;
  history.replaceState(null, '', ownAddress() + (left?.place ?? location.hash));
  const host = hostOf(settings);
  if (left?.signedOut && left.signedOut === brought.get('state')) {
    return { tone: 'good', text: `You are signed out, here and at ${host}.` };
  }
  if (!left?.state || left.state !== brought.get('state')) {
    return { tone: 'bad', text: 'Nobody is signed in: what came back does not belong to a sign-in that was begun in this tab. Begin again.' };
  }
  try {
    await signInWith(settings, left, brought);
    return null;
  } catch (error) {
    return { tone: 'bad', text: `Nobody is signed in. ${error.message}` };
  }
}

async function signInWith(settings, left, brought) {
  const host = hostOf(settings);
  if (brought.has('error')) {
    const code = codeOf(brought.get('error'));
    throw new Refusal(0, code === 'access_denied'
      ? `Signing in was refused at ${host}: by you, or because this page is not for your account.`
      : `${host} refused: ${code ?? 'it does not say why'}.`);
  }
  const provider = await discover(settings);
  // Another provider may have been made to answer in place of this one (RFC 9207).
  const answers = brought.get('iss') ?? (provider.namesItself ? null : provider.issuer);
  if (answers !== provider.issuer) throw new Refusal(0, `The answer is not from ${host}.`);
  if (!brought.get('code')) throw new Refusal(0, `${host} gave no code.`);
  begin(provider, await redeem(provider, { ...left, code: brought.get('code') }));
}

function remember(what) {
  sessionStorage.setItem(KEY, JSON.stringify(what));
}

function takeUp() {
  const text = sessionStorage.getItem(KEY);
  sessionStorage.removeItem(KEY);
  return text === null ? null : JSON.parse(text);
}
