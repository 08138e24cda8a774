// A provider of tokens for one test: `oidc-provider` with keys that it makes for itself. Two clients are services, which get
// tokens for themselves. One is the review page, at which people sign in by the provider's own screens: whoever gives a name
// there is that person, whatever the password.
//
// It prints its issuer. Each line on its standard input is a command, and is printed when it is done; the end of its input
// ends it.
//
//   rotate           takes new keys, and publishes the old ones behind them
//   page URL         the review page is there
//   lifetime SECONDS of the access tokens from now on

import { createServer } from 'node:http';
import { createInterface } from 'node:readline';
import { generateKeyPairSync, randomUUID, webcrypto } from 'node:crypto';

// Debian 12 has Node 18, which lacks these.
globalThis.crypto ??= webcrypto;
URL.parse ??= (url, base) => (URL.canParse(url, base) ? new URL(url, base) : null);
const { default: Provider } = await import('oidc-provider');

const ALGORITHMS = {
  RS256: ['rsa', { modulusLength: 2048 }],
  PS256: ['rsa', { modulusLength: 2048 }],
  ES256: ['ec', { namedCurve: 'P-256' }],
  ES384: ['ec', { namedCurve: 'P-384' }],
};
const PEOPLE = {
  rose: { name: 'Rose Reviewer', role: ['admin'] },
  carl: { name: 'Carl Customer', role: ['customer'] },
};

const makeKeys = () => Object.entries(ALGORITHMS).map(([alg, [type, options]]) => ({
  ...generateKeyPairSync(type, options).privateKey.export({ format: 'jwk' }),
  alg, use: 'sig', kid: randomUUID(),
}));

const service = (client_id) => ({
  client_id, client_secret: 'secret', grant_types: ['client_credentials'], redirect_uris: [], response_types: [],
});

const reviewPage = (address) => ({
  client_id: 'review-page', token_endpoint_auth_method: 'none', response_types: ['code'],
  grant_types: ['authorization_code', 'refresh_token'], redirect_uris: [address], post_logout_redirect_uris: [address],
});

// The resource may be named after the algorithm that its tokens are signed with.
const resourceServer = (resource, accessTokenTTL) => {
  const named = new URL(resource).pathname.slice(1);
  const alg = named in ALGORITHMS ? named : 'RS256';
  return {
    scope: '', audience: alg === named ? 'liveness' : resource, accessTokenFormat: 'jwt', accessTokenTTL, jwt: { sign: { alg } },
  };
};

const cookieKey = randomUUID();

const state = { keys: makeKeys(), page: null, lifetime: undefined };

const provider = (issuer, { keys, page }) => new Provider(issuer, {
  jwks: { keys },
  clients: [service('1234'), service('reviewer'), ...(page ? [reviewPage(page)] : [])],
  cookies: { keys: [cookieKey] },
  claims: { profile: ['name'] },
  conformIdTokenClaims: false,
  findAccount: (_, accountId) => ({ accountId, claims: () => ({ sub: accountId, name: PEOPLE[accountId]?.name }) }),
  extraTokenClaims: (_, token) => ({
    role: PEOPLE[token.accountId]?.role ?? (token.clientId === 'reviewer' ? 'admin' : 'customer'),
  }),
  features: {
    clientCredentials: { enabled: true },
    devInteractions: { enabled: true },
    revocation: { enabled: true },
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo: (_, resource) => resourceServer(resource, state.lifetime),
    },
  },
});

let answer;
let issuer;
/** Another provider in place of this one: nobody is signed in there. */
const take = () => { answer = provider(issuer, state).callback(); };

const commands = {
  rotate: () => { state.keys = [...makeKeys(), ...state.keys]; take(); },
  page: (address) => { state.page = address; take(); },
  lifetime: (seconds) => { state.lifetime = Number(seconds); },
};

const server = createServer((request, response) => answer(request, response));
server.listen(0, '127.0.0.1', async () => {
  issuer = `http://127.0.0.1:${server.address().port}`;
  take();
  console.log(issuer);
  for await (const line of createInterface({ input: process.stdin })) {
    const [command, value] = line.split(' ');
    commands[command](value);
    console.log(line);
  }
  process.exit();
});
