-- The sessions of a user that are neither used up nor expired.
CREATE INDEX liveness_issued_sessions_open ON liveness_issued_sessions (self_service_user_id, expires_at)
    WHERE used_by IS NULL;
