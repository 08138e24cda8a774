// The review page: who is signed in, and which view the address asks for. How a view looks is in its own file.

import { claims, isSignedIn, signOut } from './api.js';
import { announce, el, focusHeading } from './elements.js';
import { listView } from './list.js';
import { backToList, forgetPlace, here } from './place.js';
import { recordView } from './record.js';
import { signInView } from './sign_in.js';

const main = document.getElementById('main');
const account = document.getElementById('account');

/** Ends whatever the view before was waiting for. */
let leave = new AbortController();
let before = {};

/** Shows the view that the address asks for, or the way to sign in. */
function show(notice = null) {
  leave.abort();
  leave = new AbortController();
  announce('');
  showAccount();
  const place = here();
  const view = isSignedIn() ? viewOf(place) : signInView({ notice, signedIn: () => show() });
  before = isSignedIn() ? place : {};
  document.title = !isSignedIn() ? 'Sign in · Liveness review'
    : place.record ? `Check ${place.record} · Liveness review` : 'Checks · Liveness review';
  main.replaceChildren(view);
  if (isSignedIn()) focusHeading(main);
  else document.getElementById('token').focus();
}

function viewOf(place) {
  const { signal } = leave;
  return place.record
    ? recordView(place.record, { refused, signal })
    : listView(place.list, { opened: before.record, refused, signal });
}

/** A token that is not, or no longer, good for this leads back to signing in. The place stays in the address. */
function refused(error) {
  if (error.status !== 401 && error.status !== 403) return false;
  const notice = error.status === 403
    ? { tone: 'bad', text: 'This token does not belong to an administrator: it lacks the role admin. A customer’s token opens nothing here.' }
    : hasExpired()
      ? { tone: 'unsure', text: 'Your token has expired. Sign in with a new one, and you are where you were.' }
      : { tone: 'bad', text: 'The server does not accept this token. It may be for another system, altered, or not valid any more.' };
  signOut();
  show(notice);
  return true;
}

const expiry = () => (Number.isFinite(claims().exp) ? new Date(claims().exp * 1000) : null);
const hasExpired = () => expiry() !== null && expiry() <= new Date();

function showAccount() {
  const leaveAll = () => {
    signOut();
    forgetPlace();
    show({ tone: 'good', text: 'You are signed out.' });
  };
  account.replaceChildren(...(isSignedIn() ? [
    el('span', { id: 'who' }, el('span', { class: 'roomy' }, 'Signed in as '), el('bdi', {}, `${claims().sub ?? 'unnamed'}`)),
    el('button', { type: 'button', id: 'sign-out', click: leaveAll }, 'Sign out'),
  ] : []));
}

addEventListener('hashchange', () => show());
// A page that the browser has put aside would come back with its token and its faces.
addEventListener('pageshow', (event) => event.persisted && location.reload());
document.addEventListener('keydown', (event) => {
  if (event.key === 'Escape' && isSignedIn() && here().record) location.hash = backToList();
});
// A link to a place in the page would change the place in the address.
document.getElementById('skip').addEventListener('click', (event) => {
  event.preventDefault();
  main.focus();
});

show();
