// What is said to an identity provider: OpenID Connect, authorization code with PKCE (RFC 7636). Nothing is kept here.

import { claimsOf, isJwt } from './jwt.js';
import { Refusal } from './refusal.js';

/** Finds the provider's endpoints (OpenID Connect Discovery 1.0, section 4). */
export async function discover(settings) {
  const host = hostOf(settings);
  const issuer = settings.issuer.replace(/\/$/, '');
  const found = await answerOf(host, `${issuer}/.well-known/openid-configuration`, {});
  if (found.issuer !== settings.issuer) {
    throw new Refusal(0, `${host} calls itself “${found.issuer}”, and this page knows it as “${settings.issuer}”. LIVENESS_OIDC_ISSUER must be its own name, letter by letter.`);
  }
  if (!isPlace(found.authorization_endpoint)) throw new Refusal(0, `${host} does not say where one signs in there.`);
  // The Content-Security-Policy of this page lets it talk to the issuer's origin only.
  if (!isAtIssuer(settings, found.token_endpoint)) {
    throw new Refusal(0, `${host} gives its tokens at another origin than its issuer’s, which this page must not talk to.`);
  }
  return {
    ...settings,
    host,
    authorize: found.authorization_endpoint,
    token: found.token_endpoint,
    revoke: isAtIssuer(settings, found.revocation_endpoint) ? found.revocation_endpoint : null,
    endSession: isPlace(found.end_session_endpoint) ? found.end_session_endpoint : null,
    namesItself: found.authorization_response_iss_parameter_supported === true,
  };
}

/** The provider's name for people. */
export const hostOf = ({ issuer }) => new URL(issuer).host;

/** Whether a browser may be sent there: by https, or on the reader's own machine. */
function isPlace(endpoint) {
  const url = URL.canParse(endpoint) ? new URL(endpoint) : null;
  return url !== null && (url.protocol === 'https:' || (url.protocol === 'http:' && /^(localhost|127\..*|\[::1\])$/.test(url.hostname)));
}

const isAtIssuer = ({ issuer }, endpoint) => isPlace(endpoint) && new URL(endpoint).origin === new URL(issuer).origin;

/** Where the browser goes to sign in, and the secrets by which its return is known. `prompt` may ask for another account. */
export async function authorization(provider, prompt) {
  if (!crypto.subtle) throw new Refusal(0, 'Signing in needs HTTPS: open this page by its https:// address.');
  const [verifier, state, nonce] = [random(), random(), random()];
  const challenge = base64url(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(verifier)));
  const url = new URL(provider.authorize);
  const asked = {
    response_type: 'code',
    client_id: provider.clientId,
    redirect_uri: ownAddress(),
    scope: provider.scope,
    state,
    nonce,
    code_challenge: challenge,
    code_challenge_method: 'S256',
    ...meantFor(provider),
    ...promptFor(provider, prompt),
  };
  for (const [name, value] of Object.entries(asked)) url.searchParams.set(name, value);
  return { url: url.href, verifier, state, nonce };
}

/** The page without what stands behind it: what is registered at the provider. Slashes that follow each other are one. */
export const ownAddress = () => location.origin + location.pathname.replace(/\/{2,}/g, '/');

/** For whom the access token is meant: without it some providers give one that only they can read (Auth0; RFC 8707). */
function meantFor({ audience }) {
  if (audience === null) return {};
  return /^https?:\/\/[^#]*$/.test(audience) ? { audience, resource: audience } : { audience };
}

/** OpenID Connect Core, section 11: without `consent`, `offline_access` is ignored. */
function promptFor({ scope }, prompt) {
  const prompts = [prompt, scope.split(' ').includes('offline_access') ? 'consent' : null].filter(Boolean);
  return prompts.length > 0 ? { prompt: prompts.join(' ') } : {};
}

/** Gives a code for tokens. */
export async function redeem(provider, { code, verifier, nonce }) {
  const tokens = await tokensFor(provider, {
    grant_type: 'authorization_code', code, redirect_uri: ownAddress(), code_verifier: verifier,
  });
  const claims = claimsOf(tokens.idToken);
  checkIdToken(provider, claims);
  if (claims.nonce !== nonce) throw new Refusal(0, `${provider.host} answered another sign-in than this one.`);
  return tokens;
}

/** Gives a refresh token for new tokens. The ID token may come anew; then it is of the same person. */
export async function renew(provider, { refreshToken, idToken }) {
  const tokens = await tokensFor(provider, { grant_type: 'refresh_token', refresh_token: refreshToken });
  if (tokens.idToken) {
    const claims = claimsOf(tokens.idToken);
    checkIdToken(provider, claims);
    if (claims.sub !== claimsOf(idToken).sub) throw new Refusal(0, `${provider.host} answered with somebody else’s sign-in.`);
  }
  return { refreshToken, ...tokens, idToken: tokens.idToken ?? idToken };
}

async function tokensFor(provider, fields) {
  const asked = Date.now();
  const body = new URLSearchParams({ ...fields, client_id: provider.clientId, ...resourceOf(provider) });
  const found = await answerOf(provider.host, provider.token, { method: 'POST', body });
  if (!isJwt(found.access_token)) {
    throw new Refusal(0, `${provider.host} gave an access token that is no JWT, so the server cannot check it. It gives one when it knows which service the token is for: LIVENESS_JWT_AUDIENCE.`);
  }
  const seconds = Number(found.expires_in);
  return {
    token: found.access_token,
    lifetime: seconds > 0 ? seconds * 1000 : Infinity,
    asked,
    ...(found.id_token ? { idToken: found.id_token } : {}),
    ...(found.refresh_token ? { refreshToken: found.refresh_token } : {}),
  };
}

function resourceOf(provider) {
  const { resource } = meantFor(provider);
  return resource ? { resource } : {};
}

/**
 * OpenID Connect Core, section 3.1.3.7. The ID token comes from the provider itself, by TLS, so its signature says nothing
 * more; and it opens nothing: the server checks the access token, whatever this page believes.
 */
function checkIdToken(provider, claims) {
  const audiences = [claims.aud].flat();
  const isOurs = audiences.includes(provider.clientId) && (audiences.length === 1 || claims.azp === provider.clientId);
  if (claims.iss !== provider.issuer || !isOurs || typeof claims.sub !== 'string') {
    throw new Refusal(0, `${provider.host} gave an ID token that is not for this page.`);
  }
}

/** Takes a refresh token back (RFC 7009). Nothing waits for it: the page may be gone by then. */
export function revoke(provider, refreshToken) {
  if (!provider.revoke || !refreshToken) return;
  const body = new URLSearchParams({ token: refreshToken, token_type_hint: 'refresh_token', client_id: provider.clientId });
  fetch(provider.revoke, { method: 'POST', body, credentials: 'omit', keepalive: true }).catch(() => {});
}

/** Where the browser goes to sign out (OpenID Connect RP-Initiated Logout 1.0); null where the provider has no such place. */
export function endOfSession(provider, idToken) {
  if (!provider.endSession) return null;
  const state = random();
  const url = new URL(provider.endSession);
  const asked = { id_token_hint: idToken, client_id: provider.clientId, post_logout_redirect_uri: ownAddress(), state };
  for (const [name, value] of Object.entries(asked)) url.searchParams.set(name, value);
  return { url: url.href, state };
}

/** An answer in JSON. What the provider refuses is told by its own code (RFC 6749, section 5.2). */
async function answerOf(host, url, request) {
  let response, answer;
  try {
    response = await fetch(url, {
      ...request, cache: 'no-store', credentials: 'omit', redirect: 'error', signal: AbortSignal.timeout(20_000),
    });
    answer = await response.json();
  } catch {
    throw new Refusal(0, `${host} could not be reached, or does not answer to this page.`);
  }
  if (response.ok && answer !== null && typeof answer === 'object') return answer;
  const code = codeOf(answer?.error);
  throw new Refusal(0, `${host} refused: ${code ?? `HTTP ${response.status}`}.`, { code });
}

/** An error's name, if it is one: anything else is not shown. */
export const codeOf = (error) => (/^[a-z_]{1,64}$/.test(error ?? '') ? error : null);

const random = () => base64url(crypto.getRandomValues(new Uint8Array(32)));
const base64url = (bytes) => btoa(String.fromCharCode(...new Uint8Array(bytes)))
  .replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');
