DROP INDEX liveness_checks_faces;
