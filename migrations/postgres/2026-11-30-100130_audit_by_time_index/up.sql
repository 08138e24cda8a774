-- What happened between two times.
CREATE INDEX CONCURRENTLY liveness_audit_entries_by_time ON liveness_audit_entries (at, id);
