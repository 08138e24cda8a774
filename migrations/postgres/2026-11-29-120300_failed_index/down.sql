DROP INDEX liveness_checks_failed;
