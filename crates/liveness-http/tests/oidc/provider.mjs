// A provider of tokens for one test: `oidc-provider` with two clients, and keys that it makes for itself.
//
// It prints its issuer. Each line on its standard input makes it take new keys, and publish the old ones behind them;
// the end of its input ends it.

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

const makeKeys = () => Object.entries(ALGORITHMS).map(([alg, [type, options]]) => ({
  ...generateKeyPairSync(type, options).privateKey.export({ format: 'jwk' }),
  alg, use: 'sig', kid: randomUUID(),
}));

const client = (client_id) => ({
  client_id, client_secret: 'secret', grant_types: ['client_credentials'], redirect_uris: [], response_types: [],
});

const provider = (issuer, keys) => new Provider(issuer, {
  jwks: { keys },
  clients: [client('1234'), client('reviewer')],
  extraTokenClaims: (_, token) => ({ role: token.clientId === 'reviewer' ? 'admin' : 'customer' }),
  features: {
    clientCredentials: { enabled: true },
    devInteractions: { enabled: false },
    resourceIndicators: {
      enabled: true,
      // The resource is named after the algorithm that its tokens are signed with.
      getResourceServerInfo: (_, resource) => ({
        scope: '', audience: 'liveness', accessTokenFormat: 'jwt',
        jwt: { sign: { alg: new URL(resource).pathname.slice(1) } },
      }),
    },
  },
});

let keys = makeKeys();
let answer;
const server = createServer((request, response) => answer(request, response));
server.listen(0, '127.0.0.1', async () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const take = () => { answer = provider(issuer, keys).callback(); };
  take();
  console.log(issuer);
  for await (const line of createInterface({ input: process.stdin })) {
    keys = [...makeKeys(), ...keys];
    take();
    console.log(line);
  }
  process.exit();
});
