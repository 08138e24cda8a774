CREATE TABLE liveness_idempotency_keys (
    self_service_user_id INTEGER NOT NULL,
    command              TEXT    NOT NULL,
    idempotency_key      TEXT    NOT NULL,
    fingerprint          BLOB NOT NULL CHECK (length(fingerprint) = 32),
    liveness_check_id    INTEGER NOT NULL REFERENCES liveness_checks (id),
    created_at           INTEGER NOT NULL,
    PRIMARY KEY (self_service_user_id, command, idempotency_key)
) STRICT, WITHOUT ROWID;
CREATE INDEX liveness_idempotency_keys_oldest ON liveness_idempotency_keys (created_at);
INSERT INTO liveness_idempotency_keys
    SELECT self_service_user_id, substr(substr(idempotency_key, instr(idempotency_key, ' ') + 1), 1, instr(substr(idempotency_key, instr(idempotency_key, ' ') + 1), ' ') - 1), substr(substr(idempotency_key, instr(idempotency_key, ' ') + 1), instr(substr(idempotency_key, instr(idempotency_key, ' ') + 1), ' ') + 1), request_fingerprint, id, created_at
    FROM liveness_checks WHERE idempotency_key IS NOT NULL;

DROP INDEX liveness_checks_idempotency_key;
ALTER TABLE liveness_checks DROP COLUMN request_fingerprint;
ALTER TABLE liveness_checks DROP COLUMN idempotency_key;
DROP TABLE liveness_check_counts;
ALTER TABLE liveness_sessions DROP COLUMN check_count;
