// What a token says of itself. Nothing here believes it: only the server knows whether it is true.

/** Whether a text has the form of a JWT. Some providers give access tokens that only they can read. */
export const isJwt = (text) => typeof text === 'string' && /^[\w-]+\.[\w-]+\.[\w-]+$/.test(text);

/** The claims of a JWT; none when they cannot be read. */
export function claimsOf(token) {
  try {
    const payload = token.split('.')[1].replace(/-/g, '+').replace(/_/g, '/');
    const text = new TextDecoder().decode(Uint8Array.from(atob(payload), (letter) => letter.charCodeAt(0)));
    return JSON.parse(text) ?? {};
  } catch {
    return {};
  }
}
