// What the page has to know of its host: how one signs in here.

import { Refusal } from './refusal.js';

/** The identity provider, as `{ issuer, clientId, scope, audience, role }`; null where a token is pasted. */
export async function signInSettings() {
  let response;
  try {
    response = await fetch('admin/settings.json', { cache: 'no-cache', credentials: 'omit', redirect: 'error' });
  } catch {
    throw new Refusal(0, 'The server could not be reached.');
  }
  if (!response.ok) throw new Refusal(response.status, `The server answered ${response.status}.`);
  return (await response.json()).signIn;
}
