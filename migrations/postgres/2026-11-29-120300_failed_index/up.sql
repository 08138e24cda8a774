-- The records of runs that failed. They are rare, so a search by time would read many others.
CREATE INDEX CONCURRENTLY liveness_checks_failed ON liveness_checks (created_at, id, is_successful, has_image)
    WHERE NOT is_successful;
