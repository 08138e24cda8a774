ALTER TABLE liveness_images DROP COLUMN sealed_key_id;
