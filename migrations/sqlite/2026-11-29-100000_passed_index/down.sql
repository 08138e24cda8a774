DROP INDEX liveness_checks_passed;
