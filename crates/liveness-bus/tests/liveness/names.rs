//! Names of fields in any case, and whole numbers however they are written, in all messages: `docs/api.md#transport`.

use liveness_bus::testing::TestBus;
use serde_json::{Value, json};

use crate::report::{GET, GET_RECORD, RETRIEVE, STATUS, SUBMIT, UPDATE, problem, problems_in, problems_of_text};

/// A JPEG of 1 x 1 pixel, as far as its header tells.
const FACE: &str = "/9j/wAARCAABAAEDASIAAhEBAxEB";

/// The body with its names as other clients write them.
fn spellings(body: &Value) -> [Value; 3] {
    [
        renamed(body, &|name| {
            let (first, rest) = name.split_at(1);
            first.to_uppercase() + rest
        }),
        renamed(body, &|name| name.to_uppercase()),
        renamed(body, &|name| name.to_lowercase()),
    ]
}

fn renamed(value: &Value, rename: &dyn Fn(&str) -> String) -> Value {
    match value {
        Value::Object(fields) => fields
            .iter()
            .map(|(name, field)| (rename(name), renamed(field, rename)))
            .collect(),
        other => other.clone(),
    }
}

#[tokio::test]
async fn a_report_is_recorded_whole_in_whatever_case_its_names_are() {
    let report = json!({
        "sessionId": "sdk-1", "isSuccessful": true, "imageBase64": FACE, "imagePath": "a/b.jpg",
        "metadata": {
            "timestamp": 1_742_680_800_000_i64, "completedAt": "2026-03-22T14:00:00Z", "verificationResult": false,
            "sessionDuration": 4200, "lightingValue": 0.5, "challengeCount": 2, "completedChallenges": ["BLINK"],
            "challenges": ["BLINK", "NOD"],
            "finalCapture": {"verificationResult": true, "sessionDuration": 7, "lightingValue": 0.25},
        },
        "imageMetadata": {"verificationResult": false, "sessionDuration": 8, "lightingValue": 0.75},
    });
    for command in [SUBMIT, UPDATE] {
        let mut records = Vec::new();
        for body in std::iter::once(report.clone()).chain(spellings(&report)) {
            let world = TestBus::new();
            world
                .dispatch(command, &body.to_string(), &world.customer(1))
                .await
                .unwrap();
            let mut record = world.dispatch(GET_RECORD, r#"{"ID":1}"#, &world.admin()).await.unwrap();
            for kept in ["Metadata", "ImageMetadata"] {
                // It is kept as it was sent.
                record["LivenessCheck"].as_object_mut().unwrap().remove(kept);
            }
            records.push(record);
        }
        assert_eq!(
            records[0]["LivenessCheck"]["VerificationResult"],
            json!(false),
            "{:?}",
            records[0]
        );
        assert_eq!(records[0]["LivenessCheck"]["HasImage"], json!(true));
        for record in &records[1..] {
            assert_eq!(record, &records[0], "{command}");
        }
    }
}

#[tokio::test]
async fn a_filter_narrows_the_list_in_whatever_case_its_name_is() {
    let world = TestBus::new();
    for (user, session) in [(1, "a"), (1, "b"), (2, "c")] {
        let body = json!({"sessionId": session, "isSuccessful": true}).to_string();
        world.dispatch(UPDATE, &body, &world.customer(user)).await.unwrap();
    }
    for (body, count, shown) in [
        (json!({"selfServiceUserId": 1}), 2, 2),
        (json!({"selfServiceUserId": 999_999}), 0, 0),
        (json!({"sessionId": "c"}), 1, 1),
        (json!({"preRegistrationId": 5}), 0, 0),
        (json!({"pageSize": 1, "pageNumber": 2}), 3, 1),
        (json!({"pageSize": 1.0, "pageNumber": 2e0}), 3, 1),
    ] {
        for body in std::iter::once(body.clone()).chain(spellings(&body)) {
            let page = world
                .dispatch(RETRIEVE, &body.to_string(), &world.admin())
                .await
                .unwrap();
            assert_eq!(page["TotalCount"], json!(count), "{body}");
            assert_eq!(page["Items"].as_array().unwrap().len(), shown, "{body}");
        }
    }
}

#[tokio::test]
async fn the_user_of_a_query_is_a_whole_number_however_it_is_written() {
    let world = TestBus::new();
    world.add_customer(1).await;
    world
        .dispatch(UPDATE, r#"{"SessionId":"a","IsSuccessful":true}"#, &world.customer(1))
        .await
        .unwrap();
    for body in [r#"{"userId":1}"#, r#"{"UserID":1.0}"#, r#"{"USERID":0.1e1}"#] {
        let shown = world.dispatch(GET, body, &world.admin()).await.unwrap();
        assert_eq!(shown["UserId"], json!(1), "{body}");
    }
    for body in [r#"{"userId":1.5}"#, r#"{"UserId":"1"}"#, r#"{"userId":""}"#] {
        let refused = problems_in(world.dispatch(GET, body, &world.admin()).await);
        assert_eq!(refused, [problem("userId", "type")], "{body}");
    }
    for body in [r#"{"userId":1,"UserId":1}"#, r#"{"UserId":1,"UserId":2}"#] {
        let refused = problems_in(world.dispatch(GET, body, &world.admin()).await);
        assert_eq!(refused, [problem("userId", "duplicate")], "{body}");
    }
}

#[tokio::test]
async fn a_query_without_fields_takes_null_and_white_space() {
    let world = TestBus::new();
    for body in ["", " \n", "null", "\u{feff}null", "\u{feff}{}"] {
        let status = world.dispatch(STATUS, body, &world.customer(1)).await.unwrap();
        assert_eq!(status["HasCompletedLivenessCheck"], json!(false), "{body:?}");
    }
}

#[tokio::test]
async fn the_numbers_of_a_report_are_whole_however_they_are_written() {
    let good = r#"{"sessionId":"a","isSuccessful":true,"metadata":{"timestamp":1.7426808e12,"sessionDuration":4200.0,
        "challengeCount":3.0,"finalCapture":{"sessionDuration":0e5}},"imageMetadata":{"SessionDuration":2147483647.000}}"#;
    assert_eq!(problems_of_text(good).await, []);
    for (metadata, field, code) in [
        (r#"{"sessionDuration":4200.7}"#, "metadata.sessionDuration", "type"),
        (
            r#"{"sessionDuration":2147483648.0}"#,
            "metadata.sessionDuration",
            "range",
        ),
        (r#"{"timestamp":"1742680800000"}"#, "metadata.timestamp", "type"),
        (r#"{"challengeCount":1e400}"#, "metadata.challengeCount", "range"),
        (r#"{"lightingValue":1e400}"#, "metadata.lightingValue", "range"),
        (r#"{"challengeCount":""}"#, "metadata.challengeCount", "type"),
        (r#"{"verificationResult":""}"#, "metadata.verificationResult", "type"),
        (r#"{"challenges":""}"#, "metadata.challenges", "type"),
        (r#"{"finalCapture":""}"#, "metadata.finalCapture", "type"),
        (
            r#"{"FinalCapture":{"SESSIONDURATION":0.1}}"#,
            "metadata.finalCapture.sessionDuration",
            "type",
        ),
        (r#""""#, "metadata", "type"),
    ] {
        let body = format!(r#"{{"sessionId":"a","isSuccessful":true,"metadata":{metadata}}}"#);
        assert_eq!(problems_of_text(&body).await, [problem(field, code)], "{body}");
    }
}
