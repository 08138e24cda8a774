-- The same of each pre-registration. Most records have no pre-registration. They have no entry in this index.
CREATE INDEX CONCURRENTLY liveness_checks_by_pre_registration
    ON liveness_checks (pre_registration_id, created_at, id, is_successful, has_image) WHERE pre_registration_id IS NOT NULL;
