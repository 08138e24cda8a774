// Which roles the person who is signed in has. They are read from the token as the server reads them, and only decide what the
// page offers: the server decides what may be done.

/** Whether the claims of a token hold a role of ours. `roles` says which claim counts, and what the provider calls the role. */
export function holds(claims, role, roles) {
  const claim = roles.claims.map((name) => claimAt(claims, name)).find((found) => found !== undefined);
  const named = [claim].flat().filter((name) => typeof name === 'string').map(lowered);
  return roles[role].some((name) => named.includes(lowered(name)));
}

/** A claim of the whole name goes first. Otherwise a name is a path, and the longest part that fits is the claim to look into. */
function claimAt(claims, name) {
  if (Object.hasOwn(claims, name)) return claims[name];
  const parts = name.split('.');
  for (let end = parts.length - 1; end > 0; end -= 1) {
    const first = parts.slice(0, end).join('.');
    const inner = Object.hasOwn(claims, first) ? claims[first] : null;
    const isObject = inner !== null && typeof inner === 'object' && !Array.isArray(inner);
    const found = isObject ? claimAt(inner, parts.slice(end).join('.')) : undefined;
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Without regard to case in ASCII, as the server compares. */
const lowered = (name) => name.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
