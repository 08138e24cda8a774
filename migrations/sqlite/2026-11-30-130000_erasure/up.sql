-- Erasures of faces and of users, and the holds that keep them away: docs/operations.md#erasure.

-- When the face of the record was erased. `has_image` is false from then on.
ALTER TABLE liveness_checks ADD COLUMN face_erased_at INTEGER;

-- The faces that were erased. Writer and count are the place of the audit entry that tells of it.
CREATE TABLE liveness_face_erasures (
    liveness_check_id    INTEGER NOT NULL PRIMARY KEY,
    self_service_user_id INTEGER NOT NULL,
    face_digest          BLOB NOT NULL,
    was_sealed           INTEGER NOT NULL CHECK (was_sealed IN (0, 1)),
    erased_at            INTEGER NOT NULL,
    because              TEXT NOT NULL,
    writer               BLOB NOT NULL,
    writer_count         INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The users who were erased, or are being erased. The last two columns are the place of the last record that is done.
CREATE TABLE liveness_user_erasures (
    self_service_user_id INTEGER NOT NULL PRIMARY KEY,
    begun_at             INTEGER NOT NULL,
    done_at              INTEGER,
    records              INTEGER NOT NULL,
    faces                INTEGER NOT NULL,
    last_created_at      INTEGER NOT NULL,
    last_check_id        INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The audit entries that say no more who it was. Writer and count are the place of the audit entry that tells of it.
CREATE TABLE liveness_entry_erasures (
    entry_id     INTEGER NOT NULL PRIMARY KEY,
    writer       BLOB NOT NULL,
    writer_count INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The users of whom nothing may be erased.
CREATE TABLE liveness_legal_holds (
    self_service_user_id INTEGER NOT NULL PRIMARY KEY,
    held_since           INTEGER NOT NULL,
    placed_by            TEXT NOT NULL,
    because              TEXT NOT NULL
) STRICT, WITHOUT ROWID;
