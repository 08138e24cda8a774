DROP TABLE liveness_decisions;
DROP TABLE liveness_attempts;
DROP TABLE liveness_issued_sessions;
ALTER TABLE liveness_checks DROP COLUMN image_digest;
ALTER TABLE liveness_checks DROP COLUMN decision;
ALTER TABLE liveness_checks DROP COLUMN issued_session;
ALTER TABLE liveness_checks DROP COLUMN verdict_reasons;
ALTER TABLE liveness_checks DROP COLUMN verdict_policy;
ALTER TABLE liveness_checks DROP COLUMN verdict;
