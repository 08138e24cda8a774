-- The data key that a face is sealed with, in the key store. Null: the face is in clear.
ALTER TABLE liveness_images ADD COLUMN sealed_key_id BLOB;
