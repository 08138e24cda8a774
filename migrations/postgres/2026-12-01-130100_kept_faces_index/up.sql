-- The faces that are kept, by what became of their records, and by age: 0 the phone claims no success, 1 the verdict or a decision
-- speaks against it, 2 neither.
CREATE INDEX CONCURRENTLY liveness_checks_kept_faces ON liveness_checks (
    (CASE WHEN NOT passed THEN 0 WHEN coalesce(decision, verdict, 0) = 0 THEN 2 ELSE 1 END), created_at, id
) WHERE has_image;
