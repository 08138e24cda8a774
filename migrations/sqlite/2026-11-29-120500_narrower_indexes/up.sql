-- The indexes by_time and by_pre_registration serve every search that these served.
DROP INDEX liveness_checks_newest;
DROP INDEX liveness_checks_pre_registered;
