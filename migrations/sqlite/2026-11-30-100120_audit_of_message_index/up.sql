-- Where a message was sent.
CREATE INDEX liveness_audit_entries_of_message ON liveness_audit_entries (message, at, id);
