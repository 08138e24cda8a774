-- The records without a face.
CREATE INDEX liveness_checks_faceless ON liveness_checks (created_at, id, is_successful, has_image)
    WHERE NOT has_image;
