// Signing in: at an identity provider, or by a pasted token. Nothing is asked of the server before that.

import { el } from './elements.js';
import { hostOf } from './provider.js';
import { leaveToSignIn } from './redirect.js';
import { pasteToken } from './session.js';

const MALFORMED = 'This is not a token: a token has three parts with points between them, and no spaces.';

/** The form; `notice` says why one has to sign in again. */
export function signInView(settings, { notice, signedIn }) {
  return el('div', { class: 'sign-in' },
    el('h1', {}, 'Sign in'),
    notice ? el('div', { class: `notice ${notice.tone}`, role: 'alert' }, el('p', {}, notice.text)) : null,
    settings ? providerForm(settings, notice) : tokenForm(signedIn),
    el('p', { class: 'hint' }, 'Whatever you list or open here is written to the audit trail under your name.'));
}

/** Puts the focus where signing in begins. */
export const focusSignIn = (view) => view.querySelector('#sign-in, #token').focus();

function providerForm(settings, notice) {
  const problem = el('p', { class: 'problem', id: 'sign-in-problem', role: 'alert' });
  const leave = async (prompt) => {
    if (form.hasAttribute('aria-busy')) return;
    problem.textContent = '';
    form.setAttribute('aria-busy', 'true');
    try {
      await leaveToSignIn(settings, prompt);
    } catch (error) {
      problem.textContent = error.message;
      form.removeAttribute('aria-busy');
    }
  };
  const submit = (event) => {
    event.preventDefault();
    leave(null);
  };
  const form = el('form', { class: 'panel', submit },
    el('p', {}, 'You sign in at ', el('bdi', { class: 'code' }, hostOf(settings)), ', and come back to where you are.'),
    problem,
    el('p', { class: 'hint', id: 'sign-in-hint' },
      'What you are given there is kept in this page’s memory only: closing or reloading the page forgets it.'),
    el('div', { class: 'actions' },
      el('button', { type: 'submit', id: 'sign-in', class: 'primary', 'aria-describedby': 'sign-in-problem sign-in-hint' }, 'Sign in'),
      notice?.offersOther
        ? el('button', { type: 'button', id: 'sign-in-other', click: () => leave('login') }, 'Sign in as somebody else') : null));
  return form;
}

function tokenForm(signedIn) {
  const problem = el('p', { class: 'problem', id: 'token-problem', role: 'alert' });
  const token = el('input', {
    id: 'token', type: 'password', required: true, autocomplete: 'off', spellcheck: 'false',
    'aria-describedby': 'token-problem token-hint',
  });
  const submit = (event) => {
    event.preventDefault();
    const isToken = pasteToken(token.value);
    token.value = '';
    if (isToken) return signedIn();
    token.setAttribute('aria-invalid', 'true');
    problem.textContent = MALFORMED;
    token.focus();
  };
  return el('form', { class: 'panel', submit, novalidate: true },
    el('label', { for: 'token' }, 'Administrator’s token'),
    token, problem,
    el('p', { class: 'hint', id: 'token-hint' },
      'A bearer token (JWT) with the role admin, or officer. It is kept in this page’s memory only: closing or reloading the page forgets it.'),
    el('button', { type: 'submit', class: 'primary' }, 'Sign in'));
}

/** Why the server refused who is signed in, and what they can do. */
export function refusalNotice(settings, { status, hasExpired, name }) {
  if (status === 403) {
    return settings ? {
      tone: 'bad', offersOther: true,
      text: `${name} is signed in at ${hostOf(settings)}, and lacks the role ${settings.role}. Ask whoever manages the accounts there for the role ${settings.role}, then sign in again; or sign in as somebody else.`,
    } : {
      tone: 'bad',
      text: 'This token does not belong to an administrator: it lacks the role admin. A customer’s token opens nothing here.',
    };
  }
  if (hasExpired) {
    return { tone: 'unsure', text: settings
      ? 'Your sign-in has ended. Sign in again, and you are where you were.'
      : 'Your token has expired. Sign in with a new one, and you are where you were.' };
  }
  return settings ? {
    tone: 'bad', offersOther: true,
    text: `The server does not accept what ${hostOf(settings)} gave. Its operator finds the reason in the server’s log.`,
  } : { tone: 'bad', text: 'The server does not accept this token. It may be for another system, altered, or not valid any more.' };
}
