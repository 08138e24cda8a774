-- Most records have no pre-registration. They have no entry in this index.
CREATE INDEX CONCURRENTLY liveness_checks_pre_registered ON liveness_checks (pre_registration_id, created_at, id)
    WHERE pre_registration_id IS NOT NULL;
