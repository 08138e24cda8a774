DROP TABLE liveness_jobs;
