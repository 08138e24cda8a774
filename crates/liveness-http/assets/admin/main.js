// The review page: who is signed in, and which view the address asks for. How a view looks is in its own file.

import { forgetDrafts } from './decision.js';
import { announce, el, focusHeading } from './elements.js';
import { isFree } from './keys.js';
import { listView } from './list.js';
import { failure } from './loading.js';
import { officerView } from './officer.js';
import { forgetPlace, here, OFFICER, toQueue } from './place.js';
import { hostOf } from './provider.js';
import { forgetPurpose, purposeField } from './purpose.js';
import { queueView } from './queue.js';
import { recordView } from './record.js';
import { comeBack, leaveToSignOut } from './redirect.js';
import { holds } from './roles.js';
import { claims, end, isSignedIn, name, signedInAt } from './session.js';
import { hostSettings } from './settings.js';
import { focusSignIn, refusalNotice, signInView } from './sign_in.js';
import { forgetWaiting } from './waiting.js';
import { wayBackTo } from './walk.js';

const main = document.getElementById('main');
const account = document.getElementById('account');

/** The identity provider, once it is known; null where a token is pasted. */
let settings = null;
/** What tokens call our roles, and where. */
let roles = null;
/** Ends whatever the view before was waiting for. */
let leave = new AbortController();
let before = {};

/** Shows the view that the address asks for, or the way to sign in. */
function show(notice = null) {
  leave.abort();
  leave = new AbortController();
  announce('');
  showAccount();
  const place = placeOf(here());
  const view = isSignedIn() ? viewOf(place) : signInView(settings, { notice, signedIn: () => show() });
  before = isSignedIn() ? place : {};
  document.title = !isSignedIn() ? 'Sign in · Liveness review'
    : place.record ? `Check ${place.record} · Liveness review`
      : place.queue ? 'Queue · Liveness review'
        : place.officer ? 'Erase and hold · Liveness review' : 'Checks · Liveness review';
  main.replaceChildren(view);
  if (isSignedIn()) focusHeading(main);
  else focusSignIn(main);
}

const isOfficer = () => holds(claims(), 'officer', roles);
/** Whoever is no officer is taken for an administrator: the server knows better, and says so. */
const mayList = () => !isOfficer() || holds(claims(), 'admin', roles);

/** An officer who may not list has one place. Nobody else has it. */
function placeOf(place) {
  if (!mayList()) return { officer: true };
  return place.officer && !isOfficer() ? { list: {} } : place;
}

function viewOf(place) {
  const { signal } = leave;
  const common = { isOfficer: isOfficer(), refused, signal };
  if (place.officer) return officerView({ mayList: mayList(), ...common });
  if (place.record) return recordView(place.record, { queue: place.queue ?? null, ...common });
  return place.queue ? queueView(place.queue, { opened: before.record, ...common })
    : listView(place.list, { opened: before.record, ...common });
}

/** Whom the server refuses is led back to signing in. The place stays in the address. */
function refused({ status }) {
  if (status !== 401 && status !== 403) return false;
  const notice = refusalNotice(settings, { status, hasExpired: hasExpired(), name: name() });
  end();
  forgetPurpose();
  show(notice);
  return true;
}

const expiry = () => (Number.isFinite(claims().exp) ? new Date(claims().exp * 1000) : null);
const hasExpired = () => expiry() !== null && expiry() <= new Date();

function showAccount() {
  account.replaceChildren(...(isSignedIn() ? [
    ...(mayList() ? [purposeField(), el('a', { href: '#/checks' }, 'Checks'), el('a', { href: toQueue() }, 'Queue')] : []),
    ...(mayList() && isOfficer() ? [el('a', { href: OFFICER }, 'Erase and hold')] : []),
    el('span', { id: 'who', title: signedInAt() === null ? 'By a token' : `At ${signedInAt()}` },
      el('span', { class: 'roomy' }, 'Signed in as '), el('bdi', {}, name())),
    el('button', { type: 'button', id: 'sign-out', click: signOut }, 'Sign out'),
  ] : []));
}

/** Signs out here, and at the provider too where there is one. */
function signOut() {
  const ended = end();
  forgetPurpose();
  forgetDrafts();
  forgetWaiting();
  forgetPlace();
  if (ended === null) return show({ tone: 'good', text: 'You are signed out.' });
  const host = hostOf(settings);
  show(leaveToSignOut(ended)
    ? { tone: 'good', text: `You are signed out here, and are led to ${host} to sign out there.` }
    : { tone: 'unsure', text: `You are signed out here. You are still signed in at ${host}, which does not let this page end that.` });
}

/** Begins when it is known how one signs in here. Whoever comes back from the provider is signed in then. */
async function start() {
  let notice;
  try {
    ({ signIn: settings, roles } = await hostSettings());
    notice = settings && await comeBack(settings);
  } catch (error) {
    return main.replaceChildren(failure('the page', error, start));
  }
  show(notice);
  addEventListener('hashchange', () => show());
}

// A page that the browser has put aside would come back with its token and its faces.
addEventListener('pageshow', (event) => event.persisted && location.reload());
document.addEventListener('keydown', (event) => {
  if (event.key === 'Escape' && isSignedIn() && isFree(event) && here().record) location.hash = wayBackTo(here().queue);
});
// A link to a place in the page would change the place in the address.
document.getElementById('skip').addEventListener('click', (event) => {
  event.preventDefault();
  main.focus();
});

start();
