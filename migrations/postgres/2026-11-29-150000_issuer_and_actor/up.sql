-- Two issuers may have the same name for different people, so an entry says whose name it is. An actor is somebody who acted
-- for the principal. Entries from before have neither.
ALTER TABLE liveness_audit_entries ADD COLUMN issuer TEXT;
ALTER TABLE liveness_audit_entries ADD COLUMN actor TEXT;
