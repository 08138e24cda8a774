-- The records that a rule spoke against, by verdict and time.
CREATE INDEX CONCURRENTLY liveness_checks_judged ON liveness_checks (verdict, created_at, id)
    WHERE verdict > 0;
