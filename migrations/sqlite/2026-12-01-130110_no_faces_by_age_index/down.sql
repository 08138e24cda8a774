CREATE INDEX liveness_checks_faces ON liveness_checks (passed, created_at, id) WHERE has_image;
