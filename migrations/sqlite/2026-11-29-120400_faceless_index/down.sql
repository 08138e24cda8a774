DROP INDEX liveness_checks_faceless;
