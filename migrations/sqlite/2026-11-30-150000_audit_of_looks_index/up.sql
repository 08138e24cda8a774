-- How many faces a principal has looked at lately. A recording has the digest of its record.
CREATE INDEX liveness_audit_entries_of_looks ON liveness_audit_entries (principal, at)
    WHERE face_digest IS NOT NULL AND record_digest IS NULL;
