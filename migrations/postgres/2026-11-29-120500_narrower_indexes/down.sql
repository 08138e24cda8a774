CREATE INDEX liveness_checks_newest ON liveness_checks (created_at, id);
CREATE INDEX liveness_checks_pre_registered ON liveness_checks (pre_registration_id, created_at, id)
    WHERE pre_registration_id IS NOT NULL;
