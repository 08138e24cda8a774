// Calls every message of a running host, as an app, a reviewer and an auditor, and holds what comes back against what was sent.
//
//   LIVENESS_URL=… CUSTOMER=… ADMIN=… AUDITOR=… npm start

import assert from "node:assert/strict";
import { dataOf, liveness, record, Refused, start, type LivenessReport } from "./liveness.js";

const { LIVENESS_URL = "", CUSTOMER = "", ADMIN = "", AUDITOR = "" } = process.env;
const app = liveness(LIVENESS_URL, CUSTOMER);
const reviewer = liveness(LIVENESS_URL, ADMIN);
const auditor = liveness(LIVENESS_URL, AUDITOR);

// The app starts a run. Its SDK has a session id of its own, and takes the challenges in the order given.
const issued = await start(app);
assert.match(issued.sessionId, /^lvs_[\w-]{22}$/);
assert.equal(new Set(issued.challenges).size, 3);

const run: LivenessReport = {
  sessionId: `typescript-${crypto.randomUUID()}`,
  issuedSessionId: issued.sessionId,
  isSuccessful: true,
  imageBase64: "data:image/jpeg;base64,/9j/wAALCAABAAEBAREA",
  metadata: { verificationResult: true, sessionDuration: 4200, lightingValue: 0.93, completedChallenges: issued.challenges },
};

// The app submits a run that passed. Sent again under the same key, it is the same record.
const submit = () =>
  app.POST("/api/BPMSelfService/commands/SubmitLivenessCheckCommand", {
    params: { header: { "Idempotency-Key": run.sessionId } },
    body: { ...run, isSuccessful: true },
  });
const receipt = dataOf(await submit());
assert.equal(receipt.sessionId, run.sessionId);
assert.deepEqual(dataOf(await submit()), receipt);

// The app asks whether its user has passed.
const status = dataOf(await app.POST("/api/BPMSelfService/commands/CheckLivenessStatusQuery", { body: {} }));
assert.equal(status.HasCompletedLivenessCheck, true);
assert.equal(status.SessionId, run.sessionId);

// The reviewer looks at the user, face included.
const user = dataOf(
  await reviewer.POST("/api/BPMSelfService/commands/GetUserLivenessCheckQuery", { body: { userId: 1234 } }),
);
assert.equal(user.LivenessCheck?.Id, receipt.id);
assert.equal(user.LivenessCheck?.ImageBase64, run.imageBase64);

// The app records a run that failed.
const failed = await record(app, { sessionId: `${run.sessionId}-2`, isSuccessful: false });
assert.equal(failed.isSuccessful, false);

// The reviewer lists the records, newest first.
const page = dataOf(
  await reviewer.POST("/api/BPMSelfService/commands/RetrieveLivenessChecksQuery", {
    body: { selfServiceUserId: 1234, pageSize: 2 },
  }),
);
assert.deepEqual(page.Items.map((item) => item.Id), [failed.id, receipt.id]);

// The reviewer opens one of them, whatever its outcome.
const opened = dataOf(
  await reviewer.POST("/api/BPMSelfService/commands/GetLivenessCheckQuery", { body: { id: failed.id } }),
);
assert.equal(opened.LivenessCheck.IsSuccessful, false);

// The user sees that the face was looked at, and the auditor sees by whom.
const mine = dataOf(
  await app.POST("/api/BPMSelfService/commands/RetrieveMyLivenessChecksQuery", { body: { pageSize: 2 } }),
);
assert.deepEqual(mine.Items.map((item) => item.Looks.map((look) => look.Role)), [[], ["admin"]]);
const entries = dataOf(
  await auditor.POST("/api/BPMSelfService/commands/RetrieveAuditEntriesQuery", { body: { checkId: failed.id } }),
);
assert.deepEqual(entries.Items.map((entry) => entry.Message), [
  "RetrieveMyLivenessChecksQuery",
  "GetLivenessCheckQuery",
  "RetrieveLivenessChecksQuery",
  "UpdateLivenessCheckCommand",
]);

// The user gets a receipt of the run that passed, and the proof that the log has it.
const proven = dataOf(await app.POST("/api/BPMSelfService/commands/GetReceiptQuery", { body: { id: receipt.id } }));
const claims = JSON.parse(Buffer.from(proven.Receipt.split(".")[1] ?? "", "base64url").toString());
assert.equal(claims.check.sessionId, run.sessionId);
assert.ok(proven.Proof.startsWith(`c2sp.org/tlog-proof@v1\nindex ${claims.log.index}\n`));

// What is wrong with a body is told by field, and what a customer may not see is refused.
const refused = async (call: Promise<unknown>) => {
  const error = await call.then(() => undefined, (error: unknown) => error);
  assert.ok(error instanceof Refused, String(error));
  return error;
};
const wrong = await refused(record(app, { ...run, sessionId: " " }));
assert.deepEqual([wrong.status, wrong.code, wrong.fields[0]?.field], [400, "30", "sessionId"]);
const forbidden = await refused(
  app.POST("/api/BPMSelfService/commands/GetUserLivenessCheckQuery", { body: { userId: 1 } }).then(dataOf),
);
assert.deepEqual([forbidden.status, forbidden.code], [403, "57"]);

console.log("every message answered as typed");
