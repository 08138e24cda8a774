-- The rights of the role that serves, where another role owns the tables: docs/operations.md, Two roles.
--
-- Run this as the owner of the tables, after each `liveness-http migrate`:
--
--   psql -v ON_ERROR_STOP=1 -v role=liveness -f grants.sql liveness
--
-- The role may read everything and add to it. It may change users, the state of sessions, totals, jobs, and the log that is
-- made of the audit trail: what is changed there does not fit the signed checkpoints. It may change or delete neither a
-- record, nor a face, nor an entry of the audit trail.
BEGIN;

REVOKE ALL ON ALL TABLES IN SCHEMA public FROM :"role";
REVOKE CREATE ON SCHEMA public FROM PUBLIC, :"role";
GRANT USAGE ON SCHEMA public TO :"role";

GRANT SELECT ON __diesel_schema_migrations TO :"role";
GRANT SELECT, INSERT ON liveness_checks, liveness_images, liveness_audit_entries, liveness_audit_lists TO :"role";
GRANT SELECT, INSERT, UPDATE ON liveness_users, liveness_sessions, liveness_check_totals TO :"role";
GRANT SELECT, INSERT, UPDATE ON liveness_trail_writers, liveness_trail_runs, liveness_trail_tiles, liveness_trail_checkpoints
    TO :"role";
GRANT SELECT, UPDATE ON liveness_trail_head TO :"role";
GRANT SELECT, INSERT, UPDATE, DELETE ON liveness_jobs TO :"role";
GRANT EXECUTE ON FUNCTION liveness_confirm_commit() TO :"role";

COMMIT;
