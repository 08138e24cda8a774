DROP INDEX liveness_checks_decided;
