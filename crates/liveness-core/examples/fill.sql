-- Adds one chunk of records, on either engine. The program `fill` replaces $FROM and the other names. Each user has
-- three records. One record in eight failed. Of four users, one came from the pre-registration of a common campaign,
-- one from no pre-registration, and two from pre-registrations of their own. Session ids are in no order (Knuth's
-- multiplicative hash), and neither are the digests of images, of
-- which each record has one, as if it had a face.

CREATE TEMPORARY TABLE filled AS
WITH RECURSIVE numbers (n) AS (SELECT CAST($FROM AS BIGINT) UNION ALL SELECT n + 1 FROM numbers WHERE n < $TO),
samples AS (SELECT n, n / 3 + 1 AS user_id, (n * 2654435761) % 4294967296 AS mixed FROM numbers)
SELECT n, user_id, mixed, $BEGIN + (n - $FIRST) * $STEP AS created_at, 'sdk-session-' || mixed AS session_id,
    CASE user_id % 4 WHEN 0 THEN 7 WHEN 1 THEN NULL ELSE 1000 + user_id END AS pre_registration_id
FROM samples;

INSERT INTO liveness_users (id, user_id, pre_registration_id, email_address, first_name, last_name, display_name, created_at)
SELECT user_id, 'USR-' || user_id, pre_registration_id, 'user' || user_id || '@example.com', 'Given' || user_id % 997,
    'Family' || user_id % 9973, 'Given' || user_id % 997 || ' Family' || user_id % 9973, created_at
FROM filled WHERE n % 3 = 0 OR n = $FIRST ORDER BY n
ON CONFLICT DO NOTHING;

INSERT INTO liveness_sessions (session_id, self_service_user_id, created_at)
SELECT session_id, user_id, created_at FROM filled ORDER BY session_id;

INSERT INTO liveness_checks (self_service_user_id, pre_registration_id, session_id, is_successful, verification_result,
    passed, session_duration, lighting_value, challenge_count, completed_challenges, challenges, sdk_timestamp, completed_at,
    has_image, device_info, client_ip, created_at, metadata, idempotency_key, request_fingerprint, image_digest)
SELECT user_id, pre_registration_id, session_id, mixed % 8 <> 0, mixed % 8 <> 0, mixed % 8 <> 0,
    3000 + mixed % 4000, (mixed % 100) / 100.0, 3, '["BLINK","SMILE","TURN_LEFT"]', '["BLINK","SMILE","TURN_LEFT"]',
    created_at - 900, created_at - 500, $FALSE,
    '{"userAgent":"Portal/7.1 (Android 16; Pixel 11)","devicePlatform":"android","appVersion":"7.1.0"}', '41.58.12.100',
    created_at, '{"sdkVersion":"4.2.1","device":"' || mixed || '","verificationResult":true,"sessionDuration":4200,
    "lightingValue":0.93,"challengeCount":3,"completedChallenges":["BLINK","SMILE","TURN_LEFT"],"frames":[0.91,0.92,0.93]}',
    user_id || ' SubmitLivenessCheckCommand key-' || mixed, $FINGERPRINT, $DIGEST
FROM filled ORDER BY n;

INSERT INTO liveness_check_totals (pre_registration_id, is_successful, has_image, slot, checks)
SELECT pre_registration_id, mixed % 8 <> 0, $FALSE, 0, count(*) FROM filled WHERE pre_registration_id IS NOT NULL
GROUP BY pre_registration_id, mixed % 8 <> 0
UNION ALL SELECT 0, mixed % 8 <> 0, $FALSE, 0, count(*) FROM filled WHERE true GROUP BY mixed % 8 <> 0
ON CONFLICT (pre_registration_id, is_successful, has_image, verdict, decision, slot)
    DO UPDATE SET checks = liveness_check_totals.checks + excluded.checks;

INSERT INTO liveness_audit_entries (at, request_id, principal, roles, self_service_user_id, message, outcome)
SELECT created_at, 'fill-' || n, '' || user_id, 'customer', user_id, 'SubmitLivenessCheckCommand', '00'
FROM filled ORDER BY n;

DROP TABLE filled;
