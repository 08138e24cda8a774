-- Shards the tables that the first sharded databases had. `distribution.rs` adds those that came later.

-- Changes keys and columns for Citus while the tables are still local.

-- A dump of a sharded database is restored with the keys that it has there.
ALTER TABLE liveness_images DROP CONSTRAINT IF EXISTS liveness_images_liveness_check_id_fkey,
    DROP CONSTRAINT IF EXISTS liveness_images_self_service_user_id_liveness_check_id_fkey, DROP CONSTRAINT liveness_images_pkey;
UPDATE liveness_images SET self_service_user_id = liveness_checks.self_service_user_id
    FROM liveness_checks WHERE liveness_checks.id = liveness_check_id AND liveness_images.self_service_user_id IS NULL;
ALTER TABLE liveness_images ALTER COLUMN self_service_user_id SET NOT NULL,
    ADD PRIMARY KEY (self_service_user_id, liveness_check_id);

ALTER TABLE liveness_checks DROP CONSTRAINT liveness_checks_pkey, ADD PRIMARY KEY (self_service_user_id, id);
DROP INDEX liveness_checks_idempotency_key;
CREATE UNIQUE INDEX liveness_checks_idempotency_key ON liveness_checks (idempotency_key, self_service_user_id)
    WHERE idempotency_key IS NOT NULL;
-- A record is also looked up by its id alone, on every shard.
CREATE INDEX IF NOT EXISTS liveness_checks_id ON liveness_checks (id);

-- 0 stands for nobody, because the sharding column must not be null.
UPDATE liveness_audit_entries SET self_service_user_id = 0 WHERE self_service_user_id IS NULL;
ALTER TABLE liveness_audit_entries ALTER COLUMN self_service_user_id SET NOT NULL,
    DROP CONSTRAINT liveness_audit_entries_pkey, ADD PRIMARY KEY (self_service_user_id, id);
CREATE INDEX IF NOT EXISTS liveness_audit_entries_id ON liveness_audit_entries (id);

SELECT create_distributed_table('liveness_checks', 'self_service_user_id', colocate_with => 'none');
SELECT create_distributed_table('liveness_images', 'self_service_user_id', colocate_with => 'liveness_checks');
SELECT create_distributed_table('liveness_audit_entries', 'self_service_user_id', colocate_with => 'liveness_checks');
SELECT create_distributed_table('liveness_sessions', 'session_id', colocate_with => 'none');
SELECT create_distributed_table('liveness_check_totals', 'pre_registration_id', colocate_with => 'none');
SELECT create_reference_table('liveness_users');

-- Citus has copied the rows to the shards. These calls remove the old rows from the coordinator's own tables.
SELECT truncate_local_data_after_distributing_table('liveness_images');
SELECT truncate_local_data_after_distributing_table('liveness_checks');
SELECT truncate_local_data_after_distributing_table('liveness_audit_entries');
SELECT truncate_local_data_after_distributing_table('liveness_sessions');
SELECT truncate_local_data_after_distributing_table('liveness_check_totals');
SELECT truncate_local_data_after_distributing_table('liveness_users');

ALTER TABLE liveness_images ADD FOREIGN KEY (self_service_user_id, liveness_check_id)
    REFERENCES liveness_checks (self_service_user_id, id);
