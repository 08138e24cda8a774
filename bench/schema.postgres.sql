-- The peers' tables, as in schema.sqlite.sql.
CREATE TABLE users (
    id                  BIGINT PRIMARY KEY,
    name                TEXT NOT NULL,
    email               TEXT NOT NULL,
    pre_registration_id BIGINT
);
CREATE TABLE liveness_checks (
    id                        BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id                   BIGINT NOT NULL REFERENCES users (id),
    session_id                TEXT NOT NULL,
    is_successful             BOOLEAN NOT NULL,
    verification_result       BOOLEAN,
    session_duration          INTEGER,
    lighting_value            DOUBLE PRECISION,
    challenge_count           INTEGER,
    completed_challenges      TEXT,
    challenges                TEXT,
    final_verification_result BOOLEAN,
    final_session_duration    INTEGER,
    final_lighting_value      DOUBLE PRECISION,
    image_media_type          TEXT,
    image_path                TEXT,
    completed_at              TEXT,
    created_at                TEXT NOT NULL,
    device_info               TEXT,
    client_ip                 TEXT,
    image_bytes               BYTEA
);
-- A JPEG does not compress: do not try.
ALTER TABLE liveness_checks ALTER COLUMN image_bytes SET STORAGE EXTERNAL;
CREATE INDEX liveness_user ON liveness_checks (user_id, id);
CREATE INDEX liveness_session ON liveness_checks (session_id);
