-- Records that passed, of a user: the status query reads the newest.
CREATE INDEX CONCURRENTLY liveness_checks_passed ON liveness_checks (self_service_user_id, created_at, id) WHERE passed;
