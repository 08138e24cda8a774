CREATE TABLE liveness_totals (
    pre_registration_id INTEGER NOT NULL,
    is_successful       INTEGER NOT NULL CHECK (is_successful IN (0, 1)),
    has_image           INTEGER NOT NULL CHECK (has_image IN (0, 1)),
    slot                INTEGER NOT NULL,
    checks              INTEGER NOT NULL,
    PRIMARY KEY (pre_registration_id, is_successful, has_image, slot)
) STRICT, WITHOUT ROWID;
INSERT INTO liveness_totals
    SELECT pre_registration_id, is_successful, has_image, slot, sum(checks) FROM liveness_check_totals
    GROUP BY pre_registration_id, is_successful, has_image, slot;
DROP TABLE liveness_check_totals;
ALTER TABLE liveness_totals RENAME TO liveness_check_totals;
