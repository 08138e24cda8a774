DROP TABLE liveness_legal_holds;
DROP TABLE liveness_entry_erasures;
DROP TABLE liveness_user_erasures;
DROP TABLE liveness_face_erasures;
ALTER TABLE liveness_checks DROP COLUMN face_erased_at;
