-- What a principal did who is not the user of the entry. What users did themselves is found by the index of the user.
CREATE INDEX liveness_audit_entries_by_others ON liveness_audit_entries (principal, at, id)
    WHERE self_service_user_id IS NULL OR principal <> CAST(self_service_user_id AS TEXT);
