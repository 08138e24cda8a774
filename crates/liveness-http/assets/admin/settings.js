// What the page has to know of its host: how one signs in here, and where tokens say who may do what.

import { Refusal } from './refusal.js';

/**
 * `signIn` is the identity provider, as `{ issuer, clientId, scope, audience, role }`; null where a token is pasted. `roles` is
 * `{ claims, admin, officer }`: the names of the claim, the first of which that is there counts, and the names of our roles.
 */
export async function hostSettings() {
  let response;
  try {
    response = await fetch('admin/settings.json', { cache: 'no-cache', credentials: 'omit', redirect: 'error' });
  } catch {
    throw new Refusal(0, 'The server could not be reached.');
  }
  if (!response.ok) throw new Refusal(response.status, `The server answered ${response.status}.`);
  return response.json();
}
