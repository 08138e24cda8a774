-- The totals of verdicts and decisions, so that a list that is filtered by them does not count. -1 stands for none: no record from
-- before has a verdict or a decision. With rowids: older SQLite finds this order of columns damaged without.
CREATE TABLE liveness_totals (
    pre_registration_id INTEGER NOT NULL,
    is_successful       INTEGER NOT NULL CHECK (is_successful IN (0, 1)),
    has_image           INTEGER NOT NULL CHECK (has_image IN (0, 1)),
    slot                INTEGER NOT NULL,
    checks              INTEGER NOT NULL,
    verdict             INTEGER NOT NULL DEFAULT -1 CHECK (verdict BETWEEN -1 AND 2),
    decision            INTEGER NOT NULL DEFAULT -1 CHECK (decision BETWEEN -1 AND 2),
    PRIMARY KEY (pre_registration_id, is_successful, has_image, verdict, decision, slot)
) STRICT;
INSERT INTO liveness_totals (pre_registration_id, is_successful, has_image, slot, checks)
    SELECT pre_registration_id, is_successful, has_image, slot, checks FROM liveness_check_totals;
DROP TABLE liveness_check_totals;
ALTER TABLE liveness_totals RENAME TO liveness_check_totals;
