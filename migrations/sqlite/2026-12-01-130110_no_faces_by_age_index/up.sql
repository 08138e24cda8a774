-- The index of kept faces serves the same search.
DROP INDEX liveness_checks_faces;
