-- Sessions that the server issues, verdicts, attempts, and decisions by people: docs/operations.md#policy.

-- The verdict: 0 accepted, 1 review, 2 rejected. Records from before this migration have none. `verdict_policy` is the SHA-256 of
-- the policy, `verdict_reasons` a JSON array of the rules that spoke, null if none did. `issued_session` is JSON: the session
-- that the record used up. `decision` is the latest decision that counts: 0 approve, 1 reject, 2 ask again. `image_digest` is
-- a keyed digest (HMAC-SHA-256) of the image, null once that is erased.
-- In a block, because Citus takes a change of a sharded table only if that is the whole message.
DO $liveness$ BEGIN
ALTER TABLE liveness_checks
    ADD COLUMN verdict         INTEGER,
    ADD COLUMN decision        INTEGER,
    ADD COLUMN verdict_policy  BYTEA,
    ADD COLUMN verdict_reasons TEXT,
    ADD COLUMN issued_session  TEXT,
    ADD COLUMN image_digest    BYTEA;
END $liveness$;

-- The sessions that the server has issued. `challenges` is a JSON array, in the order asked. `used_by` is the record that used
-- the session up. Unused ones are swept away some time after they have expired.
CREATE TABLE liveness_issued_sessions (
    self_service_user_id BIGINT NOT NULL,
    session_id           TEXT NOT NULL,
    challenges           TEXT NOT NULL,
    issued_at            BIGINT NOT NULL,
    expires_at           BIGINT NOT NULL,
    used_by              BIGINT,
    PRIMARY KEY (self_service_user_id, session_id)
);
CREATE INDEX liveness_issued_sessions_unused ON liveness_issued_sessions (expires_at) WHERE used_by IS NULL;

-- The failures of users, and what they have recorded since `day_began_at`.
CREATE TABLE liveness_attempts (
    self_service_user_id BIGINT NOT NULL PRIMARY KEY,
    failures_in_a_row    INTEGER NOT NULL,
    failures_in_all      INTEGER NOT NULL,
    last_failure_at      BIGINT,
    day_began_at         BIGINT NOT NULL,
    records_today        INTEGER NOT NULL,
    bytes_today          BIGINT NOT NULL
);

-- Decisions about records. `number` counts those of a record from 1. `decision` is 0 approve, 1 reject, 2 ask again. One that
-- does not count waits for the same decision by another person. Writer and count are the place of the audit entry of it.
CREATE TABLE liveness_decisions (
    liveness_check_id    BIGINT NOT NULL,
    number               INTEGER NOT NULL,
    self_service_user_id BIGINT NOT NULL,
    decision             INTEGER NOT NULL,
    reason               TEXT NOT NULL,
    issuer               TEXT,
    principal            TEXT NOT NULL,
    decided_at           BIGINT NOT NULL,
    counts               BOOLEAN NOT NULL,
    writer               BYTEA NOT NULL,
    writer_count         BIGINT NOT NULL,
    PRIMARY KEY (liveness_check_id, number)
);
