-- The object that holds a face, where faces are in an object store. What is sealed in `bytes` is then the SHA-256 of that
-- object. Null: the face itself is in `bytes`.
ALTER TABLE liveness_images ADD COLUMN object_name TEXT COLLATE "C";
