CREATE INDEX liveness_audit_entries_of_principal ON liveness_audit_entries (principal, at, id);
