ALTER TABLE liveness_images DROP COLUMN object_name;
