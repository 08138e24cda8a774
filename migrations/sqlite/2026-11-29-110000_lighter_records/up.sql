-- A record writes less: the records of a user and of a session are few, and are counted where they are asked for.

-- A session's records lie between its oldest and its newest among those of its user, so that no index of the records
-- names the session. A session that was recorded once has no newest_at.
ALTER TABLE liveness_sessions ADD COLUMN newest_at INTEGER;
UPDATE liveness_sessions SET
    created_at = (SELECT min(created_at) FROM liveness_checks WHERE liveness_checks.session_id = liveness_sessions.session_id),
    newest_at = (SELECT max(created_at) FROM liveness_checks WHERE liveness_checks.session_id = liveness_sessions.session_id)
    WHERE check_count > 1;
DROP INDEX liveness_checks_of_session;
ALTER TABLE liveness_sessions DROP COLUMN check_count;
-- The transaction that writes a record claims its session. SQLite has no DROP CONSTRAINT; where nothing in the file
-- depends on a constraint, its documentation has the text of the schema changed (https://sqlite.org/lang_altertable.html,
-- section 8), which takes no time, instead of each row copied.
PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET sql = replace(sql, ' REFERENCES liveness_sessions (session_id)', '')
    WHERE type = 'table' AND name = 'liveness_checks';
PRAGMA writable_schema = RESET;

DROP INDEX liveness_checks_passed_of_user;
DROP INDEX liveness_checks_of_pre_registration;

-- How many records there are in all, where pre_registration_id is 0, and of each pre-registration: ids begin at 1. Each
-- writer adds to a slot of its own; the slots of a row are summed.
CREATE TABLE liveness_check_totals (
    pre_registration_id INTEGER NOT NULL,
    slot                INTEGER NOT NULL,
    checks              INTEGER NOT NULL,
    PRIMARY KEY (pre_registration_id, slot)
) STRICT, WITHOUT ROWID;
INSERT INTO liveness_check_totals
    SELECT pre_registration_id, slot, checks FROM liveness_check_counts WHERE self_service_user_id = 0;
DROP TABLE liveness_check_counts;

-- Whose face it is, so that a sharded engine can keep it beside its record. What was recorded before has none.
ALTER TABLE liveness_images ADD COLUMN self_service_user_id INTEGER;
