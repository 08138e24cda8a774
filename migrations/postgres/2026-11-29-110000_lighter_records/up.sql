-- After this migration, recording a check writes less. The records of one user or one session are few, so a query
-- counts them. During the migration, nobody can record, but reads continue.
LOCK TABLE liveness_sessions, liveness_check_counts IN EXCLUSIVE MODE;

-- The records of a session are among the records of its user, between created_at and newest_at. So the index by session
-- is not needed. If a session was recorded once, its newest_at is null.
ALTER TABLE liveness_sessions ADD COLUMN newest_at BIGINT;
UPDATE liveness_sessions SET
    created_at = (SELECT min(created_at) FROM liveness_checks WHERE liveness_checks.session_id = liveness_sessions.session_id),
    newest_at = (SELECT max(created_at) FROM liveness_checks WHERE liveness_checks.session_id = liveness_sessions.session_id)
    WHERE check_count > 1;
DROP INDEX liveness_checks_of_session;
ALTER TABLE liveness_sessions DROP COLUMN check_count;
-- The constraint is not needed, because the transaction that writes a record also claims its session.
ALTER TABLE liveness_checks DROP CONSTRAINT liveness_checks_session_id_fkey;

DROP INDEX liveness_checks_passed_of_user;
DROP INDEX liveness_checks_of_pre_registration;

-- The number of records of each pre-registration. The id 0 stands for all records, because ids begin at 1. Each writer
-- adds to a slot of its own. A query sums the slots of an id.
CREATE TABLE liveness_check_totals (
    pre_registration_id BIGINT NOT NULL,
    slot                INTEGER NOT NULL,
    checks              BIGINT NOT NULL,
    PRIMARY KEY (pre_registration_id, slot)
);
INSERT INTO liveness_check_totals
    SELECT pre_registration_id, slot, checks FROM liveness_check_counts WHERE self_service_user_id = 0;
DROP TABLE liveness_check_counts;

-- The user that the face belongs to, so that a sharded engine can keep a face beside its record. It is null for faces
-- that were recorded before this migration.
ALTER TABLE liveness_images ADD COLUMN self_service_user_id BIGINT;
