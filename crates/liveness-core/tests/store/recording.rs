//! A recording is one transaction: all of it is there, or nothing.

use diesel::dsl::sql;
use diesel::sql_types::{BigInt, Binary, Bool, Double, Integer, Nullable, Text};
use diesel::{RunQueryDsl as _, sql_query};
use liveness_core::store::{Recording, StoreError};
use liveness_core::{
    CaptureMetrics, ChallengeCount, Challenges, DeviceInfo, ImagePath, LightingValue, LivenessCheck, ReceivedObject,
    SessionDuration, SessionMetrics,
};
use serde_json::value::RawValue;

use crate::database::{Database, NOW, at, audit_entry, jpeg, keyed, recording};

#[expect(clippy::unwrap_used, reason = "every value here is valid")]
pub(crate) fn everything() -> Recording {
    let capture = |verified, millis, lighting| CaptureMetrics {
        verification_result: Some(verified),
        session_duration: Some(SessionDuration::from_millis(millis).unwrap()),
        lighting_value: Some(LightingValue::new(lighting).unwrap()),
    };
    let challenges =
        |names: &[&str]| Some(Challenges::parse(&names.iter().map(ToString::to_string).collect::<Vec<_>>()).unwrap());
    let object = |json: &str| Some(ReceivedObject::parse(RawValue::from_string(json.into()).unwrap()).unwrap());
    let mut full = keyed(1234, "session-1", "key-1", "{}");
    full.check.user.pre_registration_id = Some(77);
    full.check.metrics = SessionMetrics {
        timestamp: Some(1_742_680_800_000),
        completed_at: Some(at(NOW - 5_000)),
        run: capture(true, 4200, 0.93),
        challenge_count: Some(ChallengeCount::new(3).unwrap()),
        completed_challenges: challenges(&["BLINK"]),
        challenges: challenges(&["BLINK", "SMILE"]),
        final_capture: capture(false, 1100, 0.95),
    };
    full.check.image_metrics = capture(true, 900, 0.91);
    full.check.metadata = object("{ \"spoof\" :1.0,\"e\":\"\\u00e9\"}");
    full.check.image_metadata = object("{\"b\":1e2,\n\"a\":[ ]}");
    full.check.image = Some(jpeg());
    full.check.image_path = Some(ImagePath::parse("/uploads/1.jpg").unwrap());
    full.check.device = Some(DeviceInfo {
        user_agent: Some("sdk".into()),
        ..DeviceInfo::default()
    });
    full.check.client_address = Some("41.58.12.100".parse().unwrap());
    full
}

#[tokio::test]
async fn a_record_its_image_session_key_and_audit_entry_are_all_there() {
    let database = Database::new();

    let recorded = database.record(everything()).await;

    assert_eq!(database.rows(), [1, 1, 1, 1, 1]);
    assert!(!recorded.is_replay);
    let references = "SELECT count(*) FROM liveness_checks c JOIN liveness_images i ON i.liveness_check_id = c.id \
         JOIN liveness_sessions s ON s.session_id = c.session_id AND s.self_service_user_id = 1234 \
         JOIN liveness_idempotency_keys k ON k.liveness_check_id = c.id";
    assert_eq!(database.number(references), 1);
}

#[tokio::test]
async fn what_was_recorded_is_answered() {
    let database = Database::new();

    let recorded = database.record(everything()).await;

    let expected = LivenessCheck {
        id: 1,
        self_service_user_id: 1234,
        pre_registration_id: Some(77),
        session_id: "session-1".into(),
        is_successful: true,
        verification_result: Some(true),
        session_duration: Some(4200),
        lighting_value: Some(0.93),
        challenge_count: Some(3),
        completed_challenges: Some(vec!["BLINK".into()]),
        final_capture_verification_result: Some(false),
        image_verification_result: Some(true),
        has_image: true,
        image_path: Some("/uploads/1.jpg".into()),
        device_info: Some(r#"{"userAgent":"sdk","devicePlatform":null,"appVersion":null}"#.into()),
        client_ip: Some("41.58.12.100".into()),
        completed_at: Some(at(NOW - 5_000)),
        created_at: at(NOW),
    };
    assert_eq!(recorded.check, expected);
}

#[tokio::test]
async fn every_measurement_has_its_column() {
    let database = Database::new();

    database.record(everything()).await;

    type Capture = (Bool, Integer, Double);
    let capture = |of: &str| {
        let columns =
            format!("SELECT {of}_verification_result, {of}_session_duration, {of}_lighting_value FROM liveness_checks");
        sql::<Capture>(&columns).get_result::<(bool, i32, f64)>(&mut database.connect())
    };
    assert_eq!(capture("final_capture").unwrap(), (false, 1100, 0.95));
    assert_eq!(capture("image").unwrap(), (true, 900, 0.91));
    assert_eq!(
        database.texts("SELECT challenges FROM liveness_checks"),
        [r#"["BLINK","SMILE"]"#]
    );
    assert_eq!(
        database.number("SELECT sdk_timestamp FROM liveness_checks"),
        1_742_680_800_000
    );
    assert_eq!(database.number("SELECT passed FROM liveness_checks"), 1);
}

#[tokio::test]
async fn metadata_is_kept_to_the_letter() {
    let database = Database::new();

    database.record(everything()).await;

    assert_eq!(
        database.texts("SELECT metadata FROM liveness_checks"),
        ["{ \"spoof\" :1.0,\"e\":\"\\u00e9\"}"]
    );
    assert_eq!(
        database.texts("SELECT image_metadata FROM liveness_checks"),
        ["{\"b\":1e2,\n\"a\":[ ]}"]
    );
}

#[tokio::test]
async fn an_image_is_kept_byte_for_byte() {
    let database = Database::new();

    database.record(everything()).await;

    let image = sql::<(BigInt, Text, Binary)>("SELECT liveness_check_id, media_type, bytes FROM liveness_images");
    let stored: (i64, String, Vec<u8>) = image.get_result(&mut database.connect()).unwrap();
    assert_eq!(stored, (1, "image/jpeg".to_owned(), jpeg().bytes().to_vec()));
}

#[tokio::test]
async fn what_was_not_given_is_null() {
    let database = Database::new();

    let recorded = database.record(recording(1, "session-1")).await;

    assert_eq!(database.rows(), [1, 0, 1, 0, 1]);
    assert!(!recorded.check.has_image);
    let absent = "coalesce(pre_registration_id, verification_result, session_duration, lighting_value, \
         challenge_count, completed_challenges, challenges, sdk_timestamp, completed_at, image_path, device_info, \
         client_ip, metadata, image_metadata)";
    let found = sql::<Nullable<Text>>(&format!("SELECT CAST({absent} AS TEXT) FROM liveness_checks"));
    assert_eq!(
        found.get_result::<Option<String>>(&mut database.connect()).unwrap(),
        None
    );
}

#[tokio::test]
async fn a_failure_at_the_last_row_leaves_nothing() {
    let database = Database::new();
    let trigger =
        "CREATE TRIGGER no_entry BEFORE INSERT ON liveness_audit_entries BEGIN SELECT RAISE(ABORT, 'no'); END";
    sql_query(trigger).execute(&mut database.connect()).unwrap();

    let refused = database.store.record(everything()).await;

    assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
    assert_eq!(database.rows(), [0, 0, 0, 0, 0]);
}

#[tokio::test]
async fn an_audit_entry_by_itself_is_given_back_as_written() {
    let database = Database::new();
    let mut second = audit_entry(2);
    second.client_address = Some("2001:db8::1".parse().unwrap());
    second.self_service_user_id = None;

    database.store.append_audit_entry(audit_entry(1)).await.unwrap();
    database.store.append_audit_entry(second.clone()).await.unwrap();

    assert_eq!(
        database.store.newest_audit_entries(9).await.unwrap(),
        [second.clone(), audit_entry(1)]
    );
    assert_eq!(database.store.newest_audit_entries(1).await.unwrap(), [second]);
}
