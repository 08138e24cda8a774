-- The peers' tables, with indexes for what is asked. Image bytes are last: lists do not read them.
CREATE TABLE users (
    id                  INTEGER PRIMARY KEY,
    name                TEXT NOT NULL,
    email               TEXT NOT NULL,
    pre_registration_id INTEGER
);
CREATE TABLE liveness_checks (
    id                        INTEGER PRIMARY KEY,
    user_id                   INTEGER NOT NULL REFERENCES users (id),
    session_id                TEXT NOT NULL,
    is_successful             INTEGER NOT NULL,
    verification_result       INTEGER,
    session_duration          INTEGER,
    lighting_value            REAL,
    challenge_count           INTEGER,
    completed_challenges      TEXT,
    challenges                TEXT,
    final_verification_result INTEGER,
    final_session_duration    INTEGER,
    final_lighting_value      REAL,
    image_media_type          TEXT,
    image_path                TEXT,
    completed_at              TEXT,
    created_at                TEXT NOT NULL,
    device_info               TEXT,
    client_ip                 TEXT,
    image_bytes               BLOB
);
CREATE INDEX liveness_user ON liveness_checks (user_id, id);
CREATE INDEX liveness_session ON liveness_checks (session_id);
