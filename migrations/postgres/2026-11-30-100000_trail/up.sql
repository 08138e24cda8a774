-- The audit trail as a log that cannot be altered unseen: docs/trail.md.

-- In a block, because Citus takes a change of a sharded table only if that is the whole message.
DO $liveness$ BEGIN
-- The record that the entry is about, if it is about one.
ALTER TABLE liveness_audit_entries ADD COLUMN liveness_check_id BIGINT;
-- What was shown, and why, as JSON.
ALTER TABLE liveness_audit_entries ADD COLUMN subject TEXT;
-- SHA-256 of the record as it was recorded, and of its face as it is kept.
ALTER TABLE liveness_audit_entries ADD COLUMN record_digest BYTEA;
ALTER TABLE liveness_audit_entries ADD COLUMN face_digest BYTEA;
-- What is hashed together with the parts of the entry that name a person.
ALTER TABLE liveness_audit_entries ADD COLUMN nonces BYTEA;
-- Who wrote the entry, and its place among the entries of that writer, from 1 and without gaps.
ALTER TABLE liveness_audit_entries ADD COLUMN writer BYTEA;
ALTER TABLE liveness_audit_entries ADD COLUMN writer_count BIGINT;
-- The hash of the entry's leaf, and the proof that its writer has the key of the trail.
ALTER TABLE liveness_audit_entries ADD COLUMN leaf_hash BYTEA;
ALTER TABLE liveness_audit_entries ADD COLUMN mac BYTEA;

CREATE INDEX liveness_audit_entries_written ON liveness_audit_entries (writer, writer_count, id)
    WHERE writer IS NOT NULL;
CREATE INDEX liveness_audit_entries_of_check ON liveness_audit_entries (liveness_check_id)
    WHERE liveness_check_id IS NOT NULL;
END $liveness$;

-- The lists that showed records, by the records' ids divided by 256.
CREATE TABLE liveness_audit_lists (
    bucket BIGINT NOT NULL,
    writer BYTEA NOT NULL,
    writer_count BIGINT NOT NULL,
    PRIMARY KEY (bucket, writer, writer_count)
);

-- Those who write entries, how many of each one's entries are in the log, and when that was. The integrator does not look for
-- entries of a writer that is closed.
CREATE TABLE liveness_trail_writers (
    writer BYTEA NOT NULL PRIMARY KEY,
    logged BIGINT NOT NULL,
    newest_at BIGINT NOT NULL,
    is_closed BOOLEAN NOT NULL
);

CREATE INDEX liveness_trail_writers_open ON liveness_trail_writers (writer) WHERE NOT is_closed OR logged = 0;

-- Which entries are in the log, in its order: runs of one writer's entries. Entries from before this migration have no
-- writer, and are counted by their ids.
CREATE TABLE liveness_trail_runs (
    first_index BIGINT NOT NULL PRIMARY KEY,
    writer BYTEA NOT NULL,
    first_count BIGINT NOT NULL,
    entries BIGINT NOT NULL
);
CREATE INDEX liveness_trail_runs_of_writer ON liveness_trail_runs (writer, first_count);

-- The hashes of the tree, 256 of one level in a tile: https://c2sp.org/tlog-tiles.
CREATE TABLE liveness_trail_tiles (
    level INTEGER NOT NULL,
    tile_index BIGINT NOT NULL,
    hashes BYTEA NOT NULL,
    PRIMARY KEY (level, tile_index)
);

-- One row: how long the log is. Who makes it longer locks the row.
CREATE TABLE liveness_trail_head (
    id BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
    size BIGINT NOT NULL,
    -- The id of the last entry without a writer that is in the log.
    logged_id BIGINT NOT NULL,
    -- The id of the last entry without a writer, and of the last record that no entry binds.
    last_unwritten_id BIGINT NOT NULL,
    last_unbound_check_id BIGINT NOT NULL
);
INSERT INTO liveness_trail_head SELECT 1, 0, 0,
    (SELECT coalesce(max(id), 0) FROM liveness_audit_entries), (SELECT coalesce(max(id), 0) FROM liveness_checks);

-- Signed checkpoints, the newest of each hour.
CREATE TABLE liveness_trail_checkpoints (
    hour BIGINT NOT NULL PRIMARY KEY,
    at BIGINT NOT NULL,
    size BIGINT NOT NULL,
    note TEXT NOT NULL
);
