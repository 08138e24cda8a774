-- How many records there are is kept beside them, in the transaction that adds them: counting millions takes time.

-- Those of a session.
ALTER TABLE liveness_sessions ADD COLUMN check_count BIGINT  NOT NULL DEFAULT 0;
UPDATE liveness_sessions SET check_count =
    (SELECT count(*) FROM liveness_checks WHERE liveness_checks.session_id = liveness_sessions.session_id);

-- Those of a user with a pre-registration; of all users where the user is 0, and with any or no pre-registration where
-- that is 0: ids begin at 1. What several nodes would add to at once lies in slots, to be summed.
CREATE TABLE liveness_check_counts (
    self_service_user_id BIGINT  NOT NULL,
    pre_registration_id  BIGINT  NOT NULL,
    slot                 INTEGER NOT NULL,
    checks               BIGINT  NOT NULL,
    PRIMARY KEY (self_service_user_id, pre_registration_id, slot)
);
INSERT INTO liveness_check_counts SELECT 0, 0, 0, count(*) FROM liveness_checks HAVING count(*) > 0;
INSERT INTO liveness_check_counts
    SELECT 0, pre_registration_id, 0, count(*) FROM liveness_checks
    WHERE pre_registration_id >= 1 GROUP BY pre_registration_id;
INSERT INTO liveness_check_counts
    SELECT self_service_user_id, coalesce(pre_registration_id, 0), 0, count(*) FROM liveness_checks
    WHERE self_service_user_id >= 1 GROUP BY self_service_user_id, coalesce(pre_registration_id, 0);

-- An idempotency key stands in the record made under it: 'user command key', and the SHA-256 of the request.
ALTER TABLE liveness_checks ADD COLUMN idempotency_key TEXT COLLATE "C";
ALTER TABLE liveness_checks ADD COLUMN request_fingerprint BYTEA CHECK (length(request_fingerprint) = 32);
UPDATE liveness_checks SET
    idempotency_key = k.self_service_user_id || ' ' || k.command || ' ' || k.idempotency_key,
    request_fingerprint = k.fingerprint
    FROM liveness_idempotency_keys AS k WHERE k.liveness_check_id = liveness_checks.id;
CREATE UNIQUE INDEX liveness_checks_idempotency_key ON liveness_checks (idempotency_key)
    WHERE idempotency_key IS NOT NULL;
DROP TABLE liveness_idempotency_keys;
