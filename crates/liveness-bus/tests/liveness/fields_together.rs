//! All errors of a report are reported at once, whatever kind of rule each field breaks.

use liveness_bus::liveness::{CaptureMetricsReport, LivenessReport, SessionMetricsReport};
use liveness_bus::testing::TestBus;
use liveness_bus::{BusError, Received};
use serde_json::{Value, json};

use crate::report::{Problem, SUBMIT, problem, problems_of, problems_of_report, problems_of_text};

/// A body in which every field breaks a rule, some by their type and some by their value.
fn all_wrong() -> Value {
    json!({
        "sessionId": " ",
        "isSuccessful": "yes",
        "imageBase64": "no image",
        "imagePath": "../x",
        "metadata": {
            "timestamp": -1, "completedAt": "2026-03-22", "verificationResult": 1, "sessionDuration": -1,
            "lightingValue": "dim", "challengeCount": 101, "completedChallenges": [""], "challenges": [5],
            "finalCapture": {"verificationResult": 0, "sessionDuration": 1.5, "lightingValue": 7},
        },
        "imageMetadata": {"verificationResult": "no", "sessionDuration": -5, "lightingValue": 2},
    })
}

fn sorted(mut problems: Vec<Problem>) -> Vec<Problem> {
    problems.sort();
    problems
}

#[tokio::test]
async fn every_wrong_field_is_told_at_once_types_and_values_together() {
    let found = sorted(problems_of(all_wrong()).await);

    let expected = [
        ("imageBase64", "base64"),
        ("imageMetadata.lightingValue", "range"),
        ("imageMetadata.sessionDuration", "range"),
        ("imageMetadata.verificationResult", "type"),
        ("imagePath", "path"),
        ("isSuccessful", "type"),
        ("metadata.challengeCount", "range"),
        ("metadata.challenges[0]", "type"),
        ("metadata.completedAt", "format"),
        ("metadata.completedChallenges", "length"),
        ("metadata.finalCapture.lightingValue", "range"),
        ("metadata.finalCapture.sessionDuration", "type"),
        ("metadata.finalCapture.verificationResult", "type"),
        ("metadata.lightingValue", "type"),
        ("metadata.sessionDuration", "range"),
        ("metadata.timestamp", "range"),
        ("metadata.verificationResult", "type"),
        ("sessionId", "length"),
    ];
    assert_eq!(found, expected.map(|(field, code)| problem(field, code)));
}

#[tokio::test]
async fn an_empty_body_lacks_both_required_fields() {
    let expected = [problem("isSuccessful", "required"), problem("sessionId", "required")];

    for body in ["", "{}"] {
        assert_eq!(problems_of_text(body).await, expected);
    }
}

#[tokio::test]
async fn a_report_made_in_the_process_meets_the_same_rules() {
    let metadata = Received::<SessionMetricsReport>::from_json(r#"{"lightingValue":2,"timestamp":"x"}"#).unwrap();
    let image_metadata = Received::<CaptureMetricsReport>::from_json(r#"{"sessionDuration":-1}"#).unwrap();
    let report = LivenessReport {
        session_id: Some("a\tb".into()),
        image_path: Some("..".into()),
        metadata: Some(metadata),
        image_metadata: Some(image_metadata),
        ..LivenessReport::default()
    };

    let found = problems_of_report(report).await;

    let expected = [
        ("imageMetadata.sessionDuration", "range"),
        ("imagePath", "path"),
        ("isSuccessful", "required"),
        ("metadata.lightingValue", "range"),
        ("metadata.timestamp", "type"),
        ("sessionId", "control_character"),
    ];
    assert_eq!(found, expected.map(|(field, code)| problem(field, code)));
}

#[tokio::test]
async fn what_is_required_and_what_is_wrong_are_told_together() {
    let found = problems_of_text(r#"{"imagePath":5,"metadata":{"challengeCount":-1}}"#).await;

    let expected = [
        ("imagePath", "type"),
        ("isSuccessful", "required"),
        ("metadata.challengeCount", "range"),
        ("sessionId", "required"),
    ];
    assert_eq!(found, expected.map(|(field, code)| problem(field, code)));
}

#[tokio::test]
async fn no_refused_value_is_repeated() {
    let world = TestBus::new();
    let secret = "SECRET";
    let body = json!({
        "sessionId": format!("{secret}\t"), "isSuccessful": secret, "imageBase64": secret, "imagePath": format!("../{secret}"),
        "metadata": {"completedAt": secret, "timestamp": secret, "challenges": secret, "finalCapture": secret},
        "imageMetadata": secret,
    });

    let refused = world
        .dispatch(SUBMIT, &body.to_string(), &world.customer(1))
        .await
        .unwrap_err();

    let BusError::Invalid(errors) = &refused else {
        panic!("{refused:?}")
    };
    assert_eq!(errors.len(), 8);
    assert!(!format!("{refused} {refused:?}").contains(secret));
}
