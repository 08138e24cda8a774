CREATE TABLE liveness_totals (
    pre_registration_id INTEGER NOT NULL,
    slot                INTEGER NOT NULL,
    checks              INTEGER NOT NULL,
    PRIMARY KEY (pre_registration_id, slot)
) STRICT, WITHOUT ROWID;
INSERT INTO liveness_totals
    SELECT pre_registration_id, slot, sum(checks) FROM liveness_check_totals GROUP BY pre_registration_id, slot;
DROP TABLE liveness_check_totals;
ALTER TABLE liveness_totals RENAME TO liveness_check_totals;
