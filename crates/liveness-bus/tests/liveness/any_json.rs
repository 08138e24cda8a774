//! Rules for every key and every string of a body, also in unknown fields: `docs/api.md#transport`.

use liveness_bus::BusError;
use liveness_bus::testing::TestBus;
use serde_json::json;

use crate::report::{SUBMIT, body_with, problem, problems_of, problems_of_text};

#[tokio::test]
async fn a_known_key_given_twice_is_an_error_wherever_it_stands() {
    let cases = [
        (r#""sessionId":"b""#, "sessionId"),
        (r#""imagePath":null,"imagePath":null"#, "imagePath"),
        (r#""metadata":{"timestamp":1,"timestamp":1}"#, "metadata.timestamp"),
        (
            r#""metadata":{"finalCapture":{"lightingValue":1,"lightingValue":1}}"#,
            "metadata.finalCapture.lightingValue",
        ),
        (
            r#""imageMetadata":{"lightingValue":1,"lightingValue":1}"#,
            "imageMetadata.lightingValue",
        ),
    ];

    for (twice, field) in cases {
        let body = format!(r#"{{"sessionId":"a","isSuccessful":true,{twice}}}"#);
        assert_eq!(problems_of_text(&body).await, [problem(field, "duplicate")], "{body}");
    }
}

#[tokio::test]
async fn control_characters_are_refused_in_unknown_fields_too() {
    let cases = [
        (r#""x":"\u0000""#, "x"),
        (r#""x":{"y":["\u001b"]}"#, "x.y[0]"),
        (r#""metadata":{"x":"\u0000"}"#, "metadata.x"),
        (r#""x":"\u0000","x":"""#, "x"),
        (r#""metadata":{"x":"\u0000","x":""}"#, "metadata.x"),
        (r#""METADATA":{"x":"\u0000"}"#, "metadata.x"),
        (r#""SessionID2":{"\u0000":1}"#, "SessionID2"),
    ];

    for (unknown, field) in cases {
        let body = format!(r#"{{"sessionId":"a","isSuccessful":true,{unknown}}}"#);
        assert_eq!(
            problems_of_text(&body).await,
            [problem(field, "control_character")],
            "{body}"
        );
    }
}

#[tokio::test]
async fn unknown_fields_are_ignored_at_every_level() {
    let unknown = json!({"deep": [{"x": "a\tb\r\n"}], "userId": 9, "selfServiceUserId": "x"});
    let mut body = body_with(json!({"metadata": unknown, "imageMetadata": unknown}));
    body["metadata"]["finalCapture"] = unknown.clone();
    body["userId"] = unknown;

    assert_eq!(problems_of(body).await, []);
}

/// A body with `levels` nested arrays. The object itself is one more level.
fn nested(levels: usize) -> String {
    let (open, close) = ("[".repeat(levels), "]".repeat(levels));
    format!(r#"{{"sessionId":"a","isSuccessful":true,"x":{open}{close}}}"#)
}

#[tokio::test]
async fn a_body_has_at_most_64_levels() {
    let world = TestBus::new();

    let deepest = world.dispatch(SUBMIT, &nested(63), &world.customer(1)).await;
    let deeper = world.dispatch(SUBMIT, &nested(64), &world.customer(1)).await;

    assert!(deepest.is_ok(), "{deepest:?}");
    assert!(matches!(deeper, Err(BusError::Malformed(_))), "{deeper:?}");
}

#[tokio::test]
async fn levels_within_metadata_count_from_the_whole_body() {
    let of = |levels: usize| {
        nested(levels)
            .replace(r#""x":"#, r#""metadata":{"x":"#)
            .replace("]}", "]}}")
    };
    let world = TestBus::new();

    let deepest = world.dispatch(SUBMIT, &of(62), &world.customer(1)).await;
    let deeper = world.dispatch(SUBMIT, &of(63), &world.customer(1)).await;

    assert!(deepest.is_ok(), "{deepest:?}");
    assert!(matches!(deeper, Err(BusError::Malformed(_))), "{deeper:?}");
}

#[tokio::test]
async fn no_more_than_a_hundred_errors_are_told() {
    let wrong = vec![5; 100];
    let fields =
        json!({"sessionId": 5, "imagePath": "..", "metadata": {"challenges": wrong, "completedChallenges": wrong}});

    let found = problems_of(fields).await;

    assert_eq!(found.len(), 100);
}
