-- The totals of the outcomes, and of the records with and without a face, so that a list that is filtered by them does not
-- count. All records are counted once.
DROP TABLE liveness_check_totals;
CREATE TABLE liveness_check_totals (
    pre_registration_id INTEGER NOT NULL,
    is_successful       INTEGER NOT NULL CHECK (is_successful IN (0, 1)),
    has_image           INTEGER NOT NULL CHECK (has_image IN (0, 1)),
    slot                INTEGER NOT NULL,
    checks              INTEGER NOT NULL,
    PRIMARY KEY (pre_registration_id, is_successful, has_image, slot)
) STRICT, WITHOUT ROWID;
INSERT INTO liveness_check_totals
    SELECT 0, is_successful, has_image, 0, count(*) FROM liveness_checks GROUP BY is_successful, has_image;
INSERT INTO liveness_check_totals
    SELECT pre_registration_id, is_successful, has_image, 0, count(*) FROM liveness_checks
    WHERE pre_registration_id >= 1 GROUP BY pre_registration_id, is_successful, has_image;
