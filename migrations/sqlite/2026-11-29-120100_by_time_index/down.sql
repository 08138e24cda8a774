DROP INDEX liveness_checks_by_time;
