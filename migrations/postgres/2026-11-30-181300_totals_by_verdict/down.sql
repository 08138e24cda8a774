LOCK TABLE liveness_check_totals IN EXCLUSIVE MODE;
CREATE TEMPORARY TABLE liveness_totals ON COMMIT DROP AS
    SELECT pre_registration_id, is_successful, has_image, slot, sum(checks)::bigint AS checks FROM liveness_check_totals
    GROUP BY pre_registration_id, is_successful, has_image, slot;
DELETE FROM liveness_check_totals;
ALTER TABLE liveness_check_totals DROP CONSTRAINT liveness_check_totals_pkey;
ALTER TABLE liveness_check_totals DROP COLUMN decision, DROP COLUMN verdict;
ALTER TABLE liveness_check_totals ADD CONSTRAINT liveness_check_totals_pkey
    PRIMARY KEY (pre_registration_id, is_successful, has_image, slot);
INSERT INTO liveness_check_totals SELECT pre_registration_id, is_successful, has_image, slot, checks FROM liveness_totals;
