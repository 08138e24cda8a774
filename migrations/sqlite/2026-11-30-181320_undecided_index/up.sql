-- What nobody has decided on yet, of the records that a rule spoke against: the queue of the review page.
CREATE INDEX liveness_checks_undecided ON liveness_checks (verdict, created_at, id)
    WHERE verdict <> 0 AND decision IS NULL;
