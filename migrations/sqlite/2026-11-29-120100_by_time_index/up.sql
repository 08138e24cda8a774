-- The records by time. A list and a count find the outcome and the face in the index, and read only what they return.
CREATE INDEX liveness_checks_by_time ON liveness_checks (created_at, id, is_successful, has_image);
