DROP TABLE liveness_audit_entries;
DROP TABLE liveness_idempotency_keys;
DROP TABLE liveness_images;
DROP TABLE liveness_checks;
DROP TABLE liveness_sessions;
DROP TABLE liveness_users;
