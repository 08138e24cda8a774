-- The faces by their keys, to find keys that no face has.
CREATE INDEX CONCURRENTLY liveness_images_sealed_key ON liveness_images (sealed_key_id) WHERE sealed_key_id IS NOT NULL;
