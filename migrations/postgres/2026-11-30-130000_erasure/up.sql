-- Erasures of faces and of users, and the holds that keep them away: docs/operations.md#erasure.

-- When the face of the record was erased. `has_image` is false from then on.
ALTER TABLE liveness_checks ADD COLUMN face_erased_at BIGINT;

-- The faces that were erased. Writer and count are the place of the audit entry that tells of it.
CREATE TABLE liveness_face_erasures (
    liveness_check_id    BIGINT NOT NULL PRIMARY KEY,
    self_service_user_id BIGINT NOT NULL,
    face_digest          BYTEA NOT NULL,
    was_sealed           BOOLEAN NOT NULL,
    erased_at            BIGINT NOT NULL,
    because              TEXT NOT NULL,
    writer               BYTEA NOT NULL,
    writer_count         BIGINT NOT NULL
);

-- The users who were erased, or are being erased. The last two columns are the place of the last record that is done.
CREATE TABLE liveness_user_erasures (
    self_service_user_id BIGINT NOT NULL PRIMARY KEY,
    begun_at             BIGINT NOT NULL,
    done_at              BIGINT,
    records              BIGINT NOT NULL,
    faces                BIGINT NOT NULL,
    last_created_at      BIGINT NOT NULL,
    last_check_id        BIGINT NOT NULL
);

-- The audit entries that say no more who it was. Writer and count are the place of the audit entry that tells of it.
CREATE TABLE liveness_entry_erasures (
    entry_id     BIGINT NOT NULL PRIMARY KEY,
    writer       BYTEA NOT NULL,
    writer_count BIGINT NOT NULL
);

-- The users of whom nothing may be erased.
CREATE TABLE liveness_legal_holds (
    self_service_user_id BIGINT NOT NULL PRIMARY KEY,
    held_since           BIGINT NOT NULL,
    placed_by            TEXT NOT NULL,
    because              TEXT NOT NULL
);
