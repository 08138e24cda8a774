ALTER TABLE liveness_audit_entries DROP COLUMN actor;
ALTER TABLE liveness_audit_entries DROP COLUMN issuer;
