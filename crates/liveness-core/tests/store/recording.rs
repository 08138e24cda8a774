//! A recording is one transaction: all of it is there, or nothing.

use liveness_core::store::{Recording, StoreError};
use liveness_core::verdict::VerdictOutcome;
use liveness_core::{
    CaptureMetrics, ChallengeCount, Challenges, CheckDetails, DeviceInfo, ImagePath, LightingValue, LivenessCheck,
    ReceivedObject, SessionDuration, SessionMetrics,
};
use serde_json::value::RawValue;

use crate::database::{Database, on_each_engine};
use crate::samples::{NOW, at, audit_entry, jpeg, kept, keyed, recording, with_face};

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
    full.check.image_path = Some(ImagePath::parse("/uploads/1.jpg").unwrap());
    full.check.device = Some(DeviceInfo {
        user_agent: Some("sdk".into()),
        ..DeviceInfo::default()
    });
    full.check.client_address = Some("41.58.12.100".parse().unwrap());
    with_face(full)
}

async fn a_record_its_image_session_key_and_audit_entry_are_all_there(database: Database) {
    let recorded = database.record(everything()).await;

    assert_eq!(database.rows(), [1, 1, 1, 1, 1]);
    assert!(!recorded.is_replay);
    let check = "SELECT session_id || ' ' || id FROM liveness_checks \
         WHERE idempotency_key = '1234 SubmitLivenessCheckCommand key-1'";
    let session = "SELECT session_id FROM liveness_sessions WHERE self_service_user_id = 1234";
    let face = "SELECT liveness_check_id FROM liveness_images WHERE self_service_user_id = 1234";
    let face = database.number(face);
    assert_eq!(face, recorded.check.id);
    assert_eq!(
        database.texts(check),
        [format!("{} {face}", database.texts(session)[0])]
    );
    let fingerprint = database
        .connect()
        .bytes("SELECT request_fingerprint FROM liveness_checks");
    assert_eq!(fingerprint, everything().idempotency_key.unwrap().fingerprint());
}

async fn what_was_recorded_is_answered(database: Database) {
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
        face_erased_at: None,
        verdict: Some(VerdictOutcome::Rejected),
        decision: None,
    };
    assert_eq!(recorded.check, expected);
}

async fn all_that_was_recorded_is_evidence(database: Database) {
    let recorded = database.record(everything()).await.check;

    let evidence = database.store.checks().evidence(recorded.id).await.unwrap().unwrap();

    let sent = everything().check;
    let expected = CheckDetails {
        challenges: Some(vec!["BLINK".into(), "SMILE".into()]),
        final_capture_session_duration: Some(1100),
        final_capture_lighting_value: Some(0.95),
        image_session_duration: Some(900),
        image_lighting_value: Some(0.91),
        metadata: sent.metadata,
        image_metadata: sent.image_metadata,
        verdict: evidence.details.verdict.clone(),
        issued_session: None,
    };
    assert_eq!(evidence.details, expected);
    assert_eq!((evidence.check, evidence.face), (recorded, sent.image.map(kept)));
}

async fn what_was_not_recorded_is_no_evidence(database: Database) {
    let bare = database.record(recording(1, "session-1")).await.check;

    let evidence = database.store.checks().evidence(bare.id).await.unwrap().unwrap();
    let none = database.store.checks().evidence(bare.id + 1).await.unwrap();

    let expected = CheckDetails {
        challenges: None,
        final_capture_session_duration: None,
        final_capture_lighting_value: None,
        image_session_duration: None,
        image_lighting_value: None,
        metadata: None,
        image_metadata: None,
        verdict: evidence.details.verdict.clone(),
        issued_session: None,
    };
    assert_eq!(evidence.details, expected);
    assert_eq!((evidence.face, none), (None, None));
}

async fn every_measurement_has_its_column(database: Database) {
    database.record(everything()).await;

    let measured = "SELECT count(*) FROM liveness_checks WHERE is_successful = TRUE AND passed = TRUE \
         AND verification_result = TRUE AND session_duration = 4200 AND lighting_value = 0.93 \
         AND final_capture_verification_result = FALSE AND final_capture_session_duration = 1100 \
         AND final_capture_lighting_value = 0.95 AND image_verification_result = TRUE \
         AND image_session_duration = 900 AND image_lighting_value = 0.91 \
         AND challenge_count = 3 AND sdk_timestamp = 1742680800000";
    assert_eq!(database.number(measured), 1);
    assert_eq!(
        database.texts("SELECT challenges FROM liveness_checks"),
        [r#"["BLINK","SMILE"]"#]
    );
}

async fn metadata_is_kept_to_the_letter(database: Database) {
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

async fn any_text_is_given_back_as_sent(database: Database) {
    let text = "/'; -- \"$1\\n%_ \u{e9}e\u{301}\u{1f600}\u{10ffff}/";
    let mut odd = recording(1, text);
    odd.check.image_path = Some(ImagePath::parse(text).unwrap());
    odd.audit_entry.principal = text.into();

    let mut entry = odd.audit_entry.clone();
    entry.subject.liveness_check_id = Some(1);

    let recorded = database.record(odd).await;

    assert_eq!(recorded.check.session_id, text);
    assert_eq!(recorded.check.image_path.as_deref(), Some(text));
    assert_eq!(database.store.trail().newest(1).await.unwrap(), [entry]);
}

async fn an_image_is_kept_byte_for_byte(database: Database) {
    database.record(everything()).await;

    let media_types = "SELECT media_type FROM liveness_images WHERE liveness_check_id = 1";
    assert_eq!(database.texts(media_types), ["image/jpeg"]);
    let bytes = database.connect().bytes("SELECT bytes FROM liveness_images");
    assert_eq!(bytes, jpeg().bytes());
}

async fn what_was_not_given_is_null(database: Database) {
    let recorded = database.record(recording(1, "session-1")).await;

    assert_eq!(database.rows(), [1, 0, 1, 0, 1]);
    assert!(!recorded.check.has_image);
    let absent = [
        "pre_registration_id",
        "verification_result",
        "session_duration",
        "lighting_value",
        "challenge_count",
        "completed_challenges",
        "challenges",
        "sdk_timestamp",
        "completed_at",
        "image_path",
        "device_info",
        "client_ip",
        "metadata",
        "image_metadata",
        "idempotency_key",
        "request_fingerprint",
    ];
    let condition = absent.join(" IS NULL AND ");
    let found = format!("SELECT count(*) FROM liveness_checks WHERE {condition} IS NULL");
    assert_eq!(database.number(&found), 1);
}

async fn a_failure_at_the_last_row_leaves_nothing(database: Database) {
    database.execute(database.pick(
        "CREATE TRIGGER no_entry BEFORE INSERT ON liveness_audit_entries BEGIN SELECT RAISE(ABORT, 'no'); END",
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''no''; END'; \
         CREATE TRIGGER no_entry BEFORE INSERT ON liveness_audit_entries FOR EACH ROW EXECUTE FUNCTION refuse()",
    ));

    let refused = database.store.checks().record(everything()).await;

    assert!(matches!(refused, Err(StoreError::Internal(_))), "{refused:?}");
    assert_eq!(database.rows(), [0, 0, 0, 0, 0]);
    assert!(database.totals().is_empty(), "{:?}", database.totals());
}

async fn an_audit_entry_by_itself_is_given_back_as_written(database: Database) {
    let mut second = audit_entry(2);
    second.client_address = Some("2001:db8::1".parse().unwrap());
    second.self_service_user_id = None;

    database.store.trail().append(audit_entry(1)).await.unwrap();
    database.store.trail().append(second.clone()).await.unwrap();

    assert_eq!(
        database.store.trail().newest(9).await.unwrap(),
        [second.clone(), audit_entry(1)]
    );
    assert_eq!(database.store.trail().newest(1).await.unwrap(), [second]);
}

on_each_engine! {
    a_record_its_image_session_key_and_audit_entry_are_all_there,
    what_was_recorded_is_answered,
    all_that_was_recorded_is_evidence,
    what_was_not_recorded_is_no_evidence,
    every_measurement_has_its_column,
    metadata_is_kept_to_the_letter,
    any_text_is_given_back_as_sent,
    an_image_is_kept_byte_for_byte,
    what_was_not_given_is_null,
    an_audit_entry_by_itself_is_given_back_as_written,
    ;
    not on Citus:
    a_failure_at_the_last_row_leaves_nothing,
}
