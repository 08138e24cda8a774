DROP INDEX liveness_checks_standing;
