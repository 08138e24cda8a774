ALTER TABLE liveness_images DROP COLUMN self_service_user_id;

CREATE TABLE liveness_check_counts (
    self_service_user_id BIGINT NOT NULL,
    pre_registration_id  BIGINT NOT NULL,
    slot                 INTEGER NOT NULL,
    checks               BIGINT NOT NULL,
    PRIMARY KEY (self_service_user_id, pre_registration_id, slot)
);
INSERT INTO liveness_check_counts SELECT 0, pre_registration_id, slot, checks FROM liveness_check_totals;
INSERT INTO liveness_check_counts
    SELECT self_service_user_id, coalesce(pre_registration_id, 0), 0, count(*) FROM liveness_checks
    WHERE self_service_user_id >= 1 GROUP BY self_service_user_id, coalesce(pre_registration_id, 0);
DROP TABLE liveness_check_totals;

CREATE INDEX liveness_checks_of_pre_registration ON liveness_checks (pre_registration_id, created_at, id);
CREATE INDEX liveness_checks_passed_of_user ON liveness_checks (self_service_user_id, passed, created_at, id);
CREATE INDEX liveness_checks_of_session ON liveness_checks (session_id, created_at, id);

ALTER TABLE liveness_sessions ADD COLUMN check_count BIGINT NOT NULL DEFAULT 0;
UPDATE liveness_sessions SET check_count =
    (SELECT count(*) FROM liveness_checks WHERE liveness_checks.session_id = liveness_sessions.session_id);
ALTER TABLE liveness_sessions DROP COLUMN newest_at;
ALTER TABLE liveness_checks ADD CONSTRAINT liveness_checks_session_id_fkey
    FOREIGN KEY (session_id) REFERENCES liveness_sessions (session_id);
