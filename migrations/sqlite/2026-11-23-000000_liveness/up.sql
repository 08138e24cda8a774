-- Every name starts with liveness_: an embedding backend has tables of its own beside these.
-- Times are milliseconds since the Unix epoch, UTC. Booleans are 0 and 1.
-- No table refers to liveness_users: an embedding backend keeps its users elsewhere.

CREATE TABLE liveness_users (
    id                  INTEGER NOT NULL PRIMARY KEY CHECK (id >= 1),
    user_id             TEXT    NOT NULL UNIQUE,
    pre_registration_id INTEGER,
    email_address       TEXT,
    first_name          TEXT,
    last_name           TEXT,
    middle_name         TEXT,
    display_name        TEXT,
    created_at          INTEGER NOT NULL
) STRICT;

-- A session id belongs to the first user who recorded it.
CREATE TABLE liveness_sessions (
    session_id           TEXT    NOT NULL PRIMARY KEY,
    self_service_user_id INTEGER NOT NULL,
    created_at           INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE liveness_checks (
    id                                INTEGER NOT NULL PRIMARY KEY,
    self_service_user_id              INTEGER NOT NULL,
    pre_registration_id               INTEGER,
    session_id                        TEXT    NOT NULL REFERENCES liveness_sessions (session_id),
    is_successful                     INTEGER NOT NULL CHECK (is_successful IN (0, 1)),
    verification_result               INTEGER CHECK (verification_result IN (0, 1)),
    -- CompletionRule::AnySuccessful, decided when the record was made.
    passed                            INTEGER NOT NULL CHECK (passed IN (0, 1)),
    session_duration                  INTEGER CHECK (session_duration >= 0),
    lighting_value                    REAL    CHECK (lighting_value BETWEEN 0 AND 1),
    challenge_count                   INTEGER CHECK (challenge_count BETWEEN 0 AND 100),
    completed_challenges              TEXT,
    challenges                        TEXT,
    sdk_timestamp                     INTEGER CHECK (sdk_timestamp >= 0),
    completed_at                      INTEGER,
    final_capture_verification_result INTEGER CHECK (final_capture_verification_result IN (0, 1)),
    final_capture_session_duration    INTEGER CHECK (final_capture_session_duration >= 0),
    final_capture_lighting_value      REAL    CHECK (final_capture_lighting_value BETWEEN 0 AND 1),
    image_verification_result         INTEGER CHECK (image_verification_result IN (0, 1)),
    image_session_duration            INTEGER CHECK (image_session_duration >= 0),
    image_lighting_value              REAL    CHECK (image_lighting_value BETWEEN 0 AND 1),
    has_image                         INTEGER NOT NULL CHECK (has_image IN (0, 1)),
    image_path                        TEXT,
    device_info                       TEXT,
    client_ip                         TEXT,
    created_at                        INTEGER NOT NULL,
    -- The objects as received. Last, because they are large and lists do not read them.
    metadata                          TEXT,
    image_metadata                    TEXT
) STRICT;

CREATE INDEX liveness_checks_newest ON liveness_checks (created_at, id);
CREATE INDEX liveness_checks_of_user ON liveness_checks (self_service_user_id, created_at, id);
CREATE INDEX liveness_checks_passed_of_user ON liveness_checks (self_service_user_id, passed, created_at, id);
CREATE INDEX liveness_checks_of_pre_registration ON liveness_checks (pre_registration_id, created_at, id);
CREATE INDEX liveness_checks_of_session ON liveness_checks (session_id, created_at, id);

-- Apart from the records, so that lists never touch a face.
CREATE TABLE liveness_images (
    liveness_check_id INTEGER NOT NULL PRIMARY KEY REFERENCES liveness_checks (id),
    media_type        TEXT    NOT NULL CHECK (media_type IN ('image/jpeg', 'image/png', 'image/webp')),
    bytes             BLOB    NOT NULL
) STRICT;

CREATE TABLE liveness_idempotency_keys (
    self_service_user_id INTEGER NOT NULL,
    command              TEXT    NOT NULL,
    idempotency_key      TEXT    NOT NULL,
    fingerprint          BLOB    NOT NULL CHECK (length(fingerprint) = 32),
    liveness_check_id    INTEGER NOT NULL REFERENCES liveness_checks (id),
    created_at           INTEGER NOT NULL,
    PRIMARY KEY (self_service_user_id, command, idempotency_key)
) STRICT, WITHOUT ROWID;

CREATE INDEX liveness_idempotency_keys_oldest ON liveness_idempotency_keys (created_at);

CREATE TABLE liveness_audit_entries (
    id                   INTEGER NOT NULL PRIMARY KEY,
    at                   INTEGER NOT NULL,
    request_id           TEXT    NOT NULL,
    principal            TEXT    NOT NULL,
    roles                TEXT    NOT NULL,
    self_service_user_id INTEGER,
    message              TEXT    NOT NULL,
    outcome              TEXT    NOT NULL,
    client_ip            TEXT
) STRICT;
