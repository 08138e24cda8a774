-- The records that a rule spoke against, by verdict and time. With `+ 0`, a query that repeats the condition does not begin at
-- the first verdict above 0 instead of at the one that it asks for.
CREATE INDEX liveness_checks_judged ON liveness_checks (verdict, created_at, id)
    WHERE verdict + 0 > 0;
