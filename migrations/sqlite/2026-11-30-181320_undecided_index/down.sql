DROP INDEX liveness_checks_undecided;
