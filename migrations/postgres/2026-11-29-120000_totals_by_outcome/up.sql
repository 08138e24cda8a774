-- The totals of the outcomes, and of the records with and without a face, so that a list that is filtered by them does not
-- count. All records are counted once. During the migration, nobody can record, but reads of records continue.
LOCK TABLE liveness_check_totals IN EXCLUSIVE MODE;

-- The table is altered, not made anew, because it may be sharded.
DELETE FROM liveness_check_totals;
ALTER TABLE liveness_check_totals DROP CONSTRAINT liveness_check_totals_pkey;
ALTER TABLE liveness_check_totals DROP COLUMN slot, DROP COLUMN checks;
ALTER TABLE liveness_check_totals
    ADD COLUMN is_successful BOOLEAN NOT NULL,
    ADD COLUMN has_image     BOOLEAN NOT NULL,
    ADD COLUMN slot          INTEGER NOT NULL,
    ADD COLUMN checks        BIGINT NOT NULL;
ALTER TABLE liveness_check_totals ADD CONSTRAINT liveness_check_totals_pkey
    PRIMARY KEY (pre_registration_id, is_successful, has_image, slot);
INSERT INTO liveness_check_totals
    SELECT 0, is_successful, has_image, 0, count(*) FROM liveness_checks GROUP BY is_successful, has_image;
INSERT INTO liveness_check_totals
    SELECT pre_registration_id, is_successful, has_image, 0, count(*) FROM liveness_checks
    WHERE pre_registration_id >= 1 GROUP BY pre_registration_id, is_successful, has_image;
