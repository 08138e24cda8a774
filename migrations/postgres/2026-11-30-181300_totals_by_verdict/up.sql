-- The totals of verdicts and decisions, so that a list that is filtered by them does not count. -1 stands for none: no record from
-- before has a verdict or a decision. During the migration, nobody can record, but reads of records continue.
LOCK TABLE liveness_check_totals IN EXCLUSIVE MODE;

-- The table is altered, not made anew, because it may be sharded.
-- In a block, because Citus takes a change of a sharded table only if that is the whole message.
DO $liveness$ BEGIN
ALTER TABLE liveness_check_totals DROP CONSTRAINT liveness_check_totals_pkey;
ALTER TABLE liveness_check_totals
    ADD COLUMN verdict  INTEGER NOT NULL DEFAULT -1,
    ADD COLUMN decision INTEGER NOT NULL DEFAULT -1;
ALTER TABLE liveness_check_totals ADD CONSTRAINT liveness_check_totals_pkey
    PRIMARY KEY (pre_registration_id, is_successful, has_image, verdict, decision, slot);
END $liveness$;
