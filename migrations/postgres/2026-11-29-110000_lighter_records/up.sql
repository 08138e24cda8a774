-- A record writes less: the records of a user and of a session are few, and are counted where they are asked for.
-- Nobody records meanwhile; reading goes on.
LOCK TABLE liveness_sessions, liveness_check_counts IN EXCLUSIVE MODE;

-- A session's records lie between its oldest and its newest among those of its user, so that no index of the records
-- names the session. A session that was recorded once has no newest_at.
ALTER TABLE liveness_sessions ADD COLUMN newest_at BIGINT;
UPDATE liveness_sessions SET
    created_at = (SELECT min(created_at) FROM liveness_checks WHERE liveness_checks.session_id = liveness_sessions.session_id),
    newest_at = (SELECT max(created_at) FROM liveness_checks WHERE liveness_checks.session_id = liveness_sessions.session_id)
    WHERE check_count > 1;
DROP INDEX liveness_checks_of_session;
ALTER TABLE liveness_sessions DROP COLUMN check_count;
-- The transaction that writes a record claims its session.
ALTER TABLE liveness_checks DROP CONSTRAINT liveness_checks_session_id_fkey;

DROP INDEX liveness_checks_passed_of_user;
DROP INDEX liveness_checks_of_pre_registration;

-- How many records there are in all, where pre_registration_id is 0, and of each pre-registration: ids begin at 1. Each
-- writer adds to a slot of its own; the slots of a row are summed.
CREATE TABLE liveness_check_totals (
    pre_registration_id BIGINT NOT NULL,
    slot                INTEGER NOT NULL,
    checks              BIGINT NOT NULL,
    PRIMARY KEY (pre_registration_id, slot)
);
INSERT INTO liveness_check_totals
    SELECT pre_registration_id, slot, checks FROM liveness_check_counts WHERE self_service_user_id = 0;
DROP TABLE liveness_check_counts;

-- Whose face it is, so that a sharded engine can keep it beside its record. What was recorded before has none.
ALTER TABLE liveness_images ADD COLUMN self_service_user_id BIGINT;
