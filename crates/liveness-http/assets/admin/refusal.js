// Why there is no answer, whoever was asked.

/** `status` is 0 when nobody was reached. `code` is what an identity provider calls it. */
export class Refusal extends Error {
  constructor(status, message, { errors = [], requestId = null, retryAfter = null, code = null } = {}) {
    super(message);
    Object.assign(this, { status, errors, requestId, retryAfter, code });
  }
}
