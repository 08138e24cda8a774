// How an app calls liveness: the paths, bodies and answers are typed by `schema.d.ts`, which is generated from /openapi.json.

import createClient from "openapi-fetch";
import type { components, paths } from "./schema.js";

export type LivenessReport = components["schemas"]["LivenessReport"];
export type Receipt = components["schemas"]["Receipt"];
export type Started = components["schemas"]["LivenessSessionStarted"];
type Failure = components["schemas"]["Failure"];

/** A client for whoever holds the token. */
export function liveness(baseUrl: string, token: string) {
  return createClient<paths>({ baseUrl, headers: { Authorization: `Bearer ${token}` } });
}

export type Liveness = ReturnType<typeof liveness>;

/** A refusal: `status` and `code` are for programs, the message is for people. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly fields: components["schemas"]["FieldError"][] = [],
  ) {
    super(message);
  }
}

/** The data of an answer, or `Refused`. */
export function dataOf<T>(result: { data?: { data: T }; error?: Omit<Failure, "data">; response: Response }): T {
  if (result.data) return result.data.data;
  const failure = result.error;
  throw new Refused(result.response.status, failure?.statusCode ?? "", failure?.message ?? "", failure?.errors);
}

/** Starts a run: the challenges to ask for, in their order, and the session that its report names in `issuedSessionId`. */
export async function start(client: Liveness): Promise<Started> {
  return dataOf(await client.POST("/api/BPMSelfService/commands/StartLivenessSessionCommand", { body: {} }));
}

/**
 * Records a run. When the connection breaks, or the service is busy (429, 503), it is sent again under the same
 * Idempotency-Key, so that it is recorded once however often it is sent.
 */
export async function record(client: Liveness, report: LivenessReport, attempts = 5): Promise<Receipt> {
  const key = crypto.randomUUID();
  for (let attempt = 1; ; attempt += 1) {
    const sent = client.POST("/api/BPMSelfService/commands/UpdateLivenessCheckCommand", {
      params: { header: { "Idempotency-Key": key, "X-Device-Platform": "Android", "X-App-Version": "2.1.0" } },
      body: report,
    });
    const result = await sent.catch(() => undefined);
    const isBusy = result === undefined || result.response.status === 429 || result.response.status === 503;
    if (result && (!isBusy || attempt === attempts)) return dataOf(result);
    if (attempt === attempts) throw new Error("liveness cannot be reached");
    const seconds = Number(result?.response.headers.get("Retry-After") ?? attempt);
    await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  }
}
