//! The rows with which PostgreSQL plans.

/// Adds enough rows to make an index worth its cost: 20,000 records of 5,000 users.
pub(super) const ROWS: &str = "
    INSERT INTO liveness_users (id, user_id, created_at) SELECT n, 'USR-' || n, 0 FROM generate_series(1, 5000) n;
    INSERT INTO liveness_sessions SELECT 's' || n, n % 5000 + 1, n FROM generate_series(1, 20000) n;
    INSERT INTO liveness_checks (self_service_user_id, pre_registration_id, session_id, is_successful, passed, has_image,
            created_at, idempotency_key, verdict, decision)
        SELECT n % 5000 + 1, n % 1000 + 1, 's' || n, n % 50 > 0, n % 3 > 0, n % 20 > 0, n, n::text,
            CASE n % 40 WHEN 1 THEN 1 WHEN 2 THEN 2 ELSE 0 END, CASE WHEN n % 80 IN (1, 2) THEN n % 3 END
        FROM generate_series(1, 20000) n;
    INSERT INTO liveness_decisions SELECT n, 1, n % 5000 + 1, 0, '', '', '', n, true, '\\x01', n FROM generate_series(1, 20000) n;
    INSERT INTO liveness_images SELECT n, 'image/jpeg', '\\xffd8ff', 1, NULL, CASE WHEN n % 9 = 0 THEN md5(n::text) END FROM generate_series(1, 5000) n;
    INSERT INTO liveness_check_totals SELECT n, true, true, 0, 4, -1, -1 FROM generate_series(0, 5000) n;
    INSERT INTO liveness_audit_entries (at, request_id, principal, roles, message, outcome, self_service_user_id,
            liveness_check_id, writer, writer_count)
        SELECT n, '', (n % 100)::text, '', (n % 10)::text, '', n % 5000 + 1, n, '\\x01', n FROM generate_series(1, 20000) n;
    INSERT INTO liveness_audit_lists SELECT n / 100, '\\x01', n FROM generate_series(1, 20000) n;
    INSERT INTO liveness_trail_runs SELECT n, int4send(n % 50), n, 1 FROM generate_series(1, 20000) n;
    INSERT INTO liveness_jobs (kind, key, payload, run_at, takeable_at, attempts, is_dead, created_at)
        SELECT (n % 100)::text, n::text, 'null', n, n, 0, n % 50 < 10, n FROM generate_series(1, 20000) n;
    INSERT INTO liveness_event_subscriptions SELECT n::text, '', n, 0, n % 2000 > 0, NULL FROM generate_series(1, 20000) n;
    INSERT INTO liveness_events (subscription, self_service_user_id, event_id, event_type, data, at, attempts, next_at, is_dead)
        SELECT (n % 100)::text, n % 5000 + 1, n::text, 't', '{}', n, 0, n, n % 50 < 10 FROM generate_series(1, 20000) n;
    INSERT INTO liveness_trail_writers SELECT int4send(n), 1, 0, n > 3 FROM generate_series(1, 20000) n;
    INSERT INTO liveness_face_erasures SELECT n, n, '\\x01', true, n, '', '\\x01', n FROM generate_series(1, 20000) n;
    INSERT INTO liveness_user_erasures SELECT n, n, n, 0, 0, 0, 0 FROM generate_series(1, 20000) n;
    INSERT INTO liveness_entry_erasures SELECT n, '\\x01', n FROM generate_series(1, 20000) n;
    INSERT INTO liveness_issued_sessions SELECT n % 5000 + 1, md5(n::text), '[]', n, n, CASE WHEN n % 2 = 0 THEN n END FROM generate_series(1, 20000) n;
    INSERT INTO liveness_attempts SELECT n, 1, 1, n, n, 1, 1 FROM generate_series(1, 20000) n;
    INSERT INTO liveness_legal_holds SELECT n, n, '', '' FROM generate_series(1, 20000) n;
    ANALYZE";
