DROP INDEX liveness_checks_judged;
