-- Durable jobs: those that wait, those that run, and those that were given up. A job that is done is deleted.
CREATE TABLE liveness_jobs (
    id          INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    kind        TEXT    NOT NULL CHECK (length(kind) BETWEEN 1 AND 64),
    -- Of a kind and a key, there is one job at most that was not given up.
    key         TEXT    CHECK (length(key) <= 255),
    -- JSON. It names no person.
    payload     TEXT    NOT NULL,
    -- The period of a periodic job, in milliseconds.
    every       INTEGER CHECK (every > 0),
    -- When it is due.
    run_at      INTEGER NOT NULL,
    -- From when on a runner may take it: when it is due, or while it runs, when its lease ends.
    takeable_at INTEGER NOT NULL,
    -- How many times it was begun since it was last done.
    attempts    INTEGER NOT NULL CHECK (attempts >= 0),
    -- The token of who runs it. Each lease has another.
    owner       BLOB,
    -- When it is due again, if it was added once more while it ran.
    again_at    INTEGER,
    is_dead     INTEGER NOT NULL CHECK (is_dead IN (0, 1)),
    last_error  TEXT,
    created_at  INTEGER NOT NULL
) STRICT;

CREATE UNIQUE INDEX liveness_jobs_of_key ON liveness_jobs (kind, key) WHERE key IS NOT NULL AND NOT is_dead;
CREATE INDEX liveness_jobs_takeable ON liveness_jobs (kind, takeable_at, id) WHERE NOT is_dead;
CREATE INDEX liveness_jobs_dead ON liveness_jobs (kind, id) WHERE is_dead;
