// Signing in: a token is pasted, and nothing is asked of the server before that.

import { signIn } from './api.js';
import { el } from './elements.js';

const MALFORMED = 'This is not a token: a token has three parts with points between them, and no spaces.';

/** The form; `notice` says why one has to sign in again. */
export function signInView({ notice, signedIn }) {
  const problem = el('p', { class: 'problem', id: 'token-problem', role: 'alert' });
  const token = el('input', {
    id: 'token', type: 'password', required: true, autocomplete: 'off', spellcheck: 'false',
    'aria-describedby': 'token-problem token-hint',
  });
  const submit = (event) => {
    event.preventDefault();
    const isToken = signIn(token.value);
    token.value = '';
    if (isToken) return signedIn();
    token.setAttribute('aria-invalid', 'true');
    problem.textContent = MALFORMED;
    token.focus();
  };
  return el('div', { class: 'sign-in' },
    el('h1', {}, 'Sign in'),
    notice ? el('div', { class: `notice ${notice.tone}`, role: 'alert' }, el('p', {}, notice.text)) : null,
    el('form', { class: 'panel', submit, novalidate: true },
      el('label', { for: 'token' }, 'Administrator’s token'),
      token, problem,
      el('p', { class: 'hint', id: 'token-hint' },
        'A bearer token (JWT) with the role admin. It is kept in this page’s memory only: closing or reloading the page forgets it.'),
      el('button', { type: 'submit', class: 'primary' }, 'Sign in')),
    el('p', { class: 'hint' }, 'Whatever you list or open here is written to the audit trail under your name.'));
}
