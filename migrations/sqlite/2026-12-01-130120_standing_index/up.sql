-- The records of a user that pass where verdicts count, so that a status query reads one of them, whatever else was recorded.
CREATE INDEX liveness_checks_standing ON liveness_checks (self_service_user_id, created_at, id)
    WHERE passed AND coalesce(decision, verdict) = 0;
