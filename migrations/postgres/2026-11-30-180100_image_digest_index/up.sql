-- The records of an image. The rule `image.reused` looks for it.
CREATE INDEX CONCURRENTLY liveness_checks_image_digest ON liveness_checks (image_digest, self_service_user_id, id)
    WHERE image_digest IS NOT NULL;
