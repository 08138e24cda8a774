-- What was done with the data of a user.
CREATE INDEX liveness_audit_entries_of_user ON liveness_audit_entries (self_service_user_id, at, id);
