-- The records that people have decided on, by decision and time.
CREATE INDEX CONCURRENTLY liveness_checks_decided ON liveness_checks (decision, created_at, id)
    WHERE decision IS NOT NULL;
