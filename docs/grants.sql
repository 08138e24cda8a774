-- The rights of the role that serves, where another role owns the tables: docs/operations.md, Two roles.
--
-- Run this as the owner of the tables, after each `liveness-http migrate`:
--
--   psql -v ON_ERROR_STOP=1 -v role=liveness -f grants.sql liveness
--
-- The role may read everything and add to it. It may change users, sessions, totals, attempts, jobs, and the log that is
-- made of the audit trail: what is changed there does not fit the signed checkpoints. It may change or delete neither a
-- record (but for the decision in force), nor a face, nor an entry of the audit trail.
--
-- With `-v erasures=yes` it may do what the erasures of an officer and of the policy need: delete faces, and change what names a
-- person in records and entries. `liveness-http trail verify` finds each such change that no receipt tells of. Without it,
-- erasures fail.
BEGIN;

REVOKE ALL ON ALL TABLES IN SCHEMA public FROM :"role";
REVOKE CREATE ON SCHEMA public FROM PUBLIC, :"role";
GRANT USAGE ON SCHEMA public TO :"role";

GRANT SELECT ON __diesel_schema_migrations TO :"role";
GRANT SELECT, INSERT ON liveness_checks, liveness_images, liveness_audit_entries, liveness_audit_lists TO :"role";
-- What people decide is added. The decision in force of a record is the latest of them, and `trail verify` finds any other.
GRANT SELECT, INSERT ON liveness_decisions TO :"role";
GRANT UPDATE (decision) ON liveness_checks TO :"role";
GRANT SELECT, INSERT, UPDATE ON liveness_users, liveness_sessions, liveness_check_totals, liveness_attempts TO :"role";
GRANT SELECT, INSERT, UPDATE ON liveness_trail_writers, liveness_trail_runs, liveness_trail_tiles, liveness_trail_checkpoints
    TO :"role";
GRANT SELECT, UPDATE ON liveness_trail_head TO :"role";
GRANT SELECT, INSERT, UPDATE, DELETE ON liveness_jobs, liveness_issued_sessions, liveness_events, liveness_event_subscriptions
    TO :"role";
GRANT SELECT ON liveness_face_erasures, liveness_user_erasures, liveness_entry_erasures TO :"role";
GRANT SELECT, INSERT, DELETE ON liveness_legal_holds TO :"role";
\if :{?erasures}
GRANT DELETE ON liveness_images, liveness_attempts TO :"role";
GRANT UPDATE (has_image, face_erased_at, pre_registration_id, image_path, device_info, client_ip, metadata, image_metadata,
    idempotency_key, request_fingerprint, image_digest) ON liveness_checks TO :"role";
GRANT UPDATE (principal, request_id, issuer, actor, client_ip, subject, nonces) ON liveness_audit_entries TO :"role";
GRANT UPDATE (reason) ON liveness_decisions TO :"role";
GRANT INSERT ON liveness_face_erasures TO :"role";
GRANT INSERT, UPDATE ON liveness_user_erasures, liveness_entry_erasures TO :"role";
\endif
GRANT EXECUTE ON FUNCTION liveness_confirm_commit() TO :"role";

COMMIT;
