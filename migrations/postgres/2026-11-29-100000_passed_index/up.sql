-- The records of a user that have passed. The status query reads the newest of them.
CREATE INDEX CONCURRENTLY liveness_checks_passed ON liveness_checks (self_service_user_id, created_at, id) WHERE passed;
