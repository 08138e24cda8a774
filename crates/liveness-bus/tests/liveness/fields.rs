//! The rules for each field of a report: `docs/api.md#fields`.

use liveness_bus::BusError;
use liveness_bus::testing::TestBus;
use serde_json::{Value, json};

use crate::report::{RETRIEVE, UPDATE, problem, problems_of, problems_of_text};

/// Every case breaks one rule of the named field.
async fn each_is(cases: impl IntoIterator<Item = (Value, &'static str, &'static str)>) {
    for (fields, field, code) in cases {
        let shown = fields.to_string();
        assert_eq!(
            problems_of(fields).await,
            [problem(field, code)],
            "{}",
            &shown[..shown.len().min(200)]
        );
    }
}

async fn each_is_fine(cases: impl IntoIterator<Item = Value>) {
    for fields in cases {
        let shown = fields.to_string();
        assert_eq!(problems_of(fields).await, [], "{}", &shown[..shown.len().min(200)]);
    }
}

#[tokio::test]
async fn the_session_id_has_1_to_255_characters_after_trimming() {
    let of = |id: Value| json!({"sessionId": id});

    each_is_fine([of(json!("é".repeat(255))), of(json!("  a b \n"))]).await;
    each_is([
        (of(json!(null)), "sessionId", "required"),
        (of(json!(5)), "sessionId", "type"),
        (of(json!("")), "sessionId", "length"),
        (of(json!(" \t\n ")), "sessionId", "length"),
        (of(json!("é".repeat(256))), "sessionId", "length"),
        (of(json!("a\tb")), "sessionId", "control_character"),
        (of(json!("a\u{0}b")), "sessionId", "control_character"),
        (of(json!("a\u{85}")), "sessionId", "control_character"),
    ])
    .await;
    assert_eq!(
        problems_of_text(r#"{"isSuccessful":true}"#).await,
        [problem("sessionId", "required")]
    );
}

#[tokio::test]
async fn the_outcome_is_a_boolean() {
    let of = |outcome: Value| json!({"isSuccessful": outcome});

    each_is([
        (of(json!(null)), "isSuccessful", "required"),
        (of(json!("true")), "isSuccessful", "type"),
        (of(json!(1)), "isSuccessful", "type"),
    ])
    .await;
    assert_eq!(
        problems_of_text(r#"{"sessionId":"a"}"#).await,
        [problem("isSuccessful", "required")]
    );
}

#[tokio::test]
async fn the_image_path_stays_below_its_folder() {
    let of = |path: Value| json!({"imagePath": path});

    each_is_fine([
        of(json!("x".repeat(1024))),
        of(json!("/uploads/a..b.jpg")),
        of(json!("")),
        of(json!(null)),
    ])
    .await;
    each_is([
        (of(json!(5)), "imagePath", "type"),
        (of(json!("x".repeat(1025))), "imagePath", "length"),
        (of(json!("a/../b")), "imagePath", "path"),
        (of(json!("..\\b")), "imagePath", "path"),
        (of(json!("a\nb")), "imagePath", "control_character"),
    ])
    .await;
}

#[tokio::test]
async fn metadata_is_an_object_of_at_most_16_kib() {
    for name in ["metadata", "imageMetadata"] {
        let of = |value: Value| json!({ name: value });
        let of_bytes = |bytes: usize| of(json!({"x": "y".repeat(bytes - r#"{"x":""}"#.len())}));

        each_is_fine([of(json!({})), of(json!(null)), of_bytes(16 * 1024)]).await;
        each_is([
            (of(json!([])), name, "type"),
            (of(json!("x")), name, "type"),
            (of(json!(5)), name, "type"),
            (of_bytes(16 * 1024 + 1), name, "length"),
        ])
        .await;
    }
}

#[tokio::test]
async fn the_numbers_of_metadata_are_within_their_ranges() {
    let of = |field: &str, value: Value| json!({"metadata": { field: value }});

    each_is_fine([
        of("timestamp", json!(0)),
        of("timestamp", json!(i64::MAX)),
        of("challengeCount", json!(0)),
        of("challengeCount", json!(100)),
    ])
    .await;
    each_is([
        (of("timestamp", json!(-1)), "metadata.timestamp", "range"),
        (of("timestamp", json!(1.5)), "metadata.timestamp", "type"),
        (
            of("timestamp", json!(9_223_372_036_854_775_808_u64)),
            "metadata.timestamp",
            "range",
        ),
        (of("challengeCount", json!(-1)), "metadata.challengeCount", "range"),
        (of("challengeCount", json!(101)), "metadata.challengeCount", "range"),
        (of("challengeCount", json!("3")), "metadata.challengeCount", "type"),
    ])
    .await;
}

#[tokio::test]
async fn a_capture_is_measured_alike_wherever_it_stands() {
    let place = |path: &str, capture: &Value| match path {
        "metadata.finalCapture" => json!({"metadata": {"finalCapture": capture}}),
        name => json!({ name: capture }),
    };
    let good = [
        json!({"verificationResult": null, "sessionDuration": 0, "lightingValue": 0}),
        json!({"verificationResult": false, "sessionDuration": i32::MAX, "lightingValue": 1.0}),
    ];
    let bad = [
        (json!({"verificationResult": "yes"}), "verificationResult", "type"),
        (json!({"sessionDuration": -1}), "sessionDuration", "range"),
        (
            json!({"sessionDuration": 2_147_483_648_i64}),
            "sessionDuration",
            "range",
        ),
        (json!({"sessionDuration": 1.5}), "sessionDuration", "type"),
        (json!({"lightingValue": -0.01}), "lightingValue", "range"),
        (json!({"lightingValue": 1.01}), "lightingValue", "range"),
        (json!({"lightingValue": "0.5"}), "lightingValue", "type"),
    ];

    for path in ["metadata", "metadata.finalCapture", "imageMetadata"] {
        for capture in &good {
            assert_eq!(problems_of(place(path, capture)).await, [], "{path} {capture}");
        }
        for (capture, field, code) in &bad {
            let expected = problem(&format!("{path}.{field}"), code);
            assert_eq!(problems_of(place(path, capture)).await, [expected], "{path} {capture}");
        }
    }
}

#[tokio::test]
async fn the_final_capture_is_an_object() {
    each_is([(
        json!({"metadata": {"finalCapture": 5}}),
        "metadata.finalCapture",
        "type",
    )])
    .await;
    each_is([(
        json!({"metadata": {"finalCapture": []}}),
        "metadata.finalCapture",
        "type",
    )])
    .await;
}

#[tokio::test]
async fn the_completion_is_an_instant() {
    let of = |time: Value| json!({"metadata": {"completedAt": time}});

    each_is_fine([
        of(json!("2026-03-22T14:00:00+01:00")),
        of(json!("2026-03-22T14:00:00")),
        of(json!("2026-03-22T15:00:00+01:00[Africa/Lagos]")),
        of(json!("2026-03-22T24:00:00Z")),
        of(json!("")),
        of(json!(null)),
    ])
    .await;
    each_is([
        (of(json!("2026-03-22")), "metadata.completedAt", "format"),
        (of(json!(" ")), "metadata.completedAt", "format"),
        (of(json!("2026-03-22T14:00:00+25:00")), "metadata.completedAt", "format"),
        (of(json!("yesterday")), "metadata.completedAt", "format"),
        (of(json!(1_742_680_800_000_i64)), "metadata.completedAt", "type"),
    ])
    .await;
}

#[tokio::test]
async fn challenges_are_at_most_100_strings_of_1_to_64_characters() {
    for (name, path, element) in [
        (
            "completedChallenges",
            "metadata.completedChallenges",
            "metadata.completedChallenges[1]",
        ),
        ("challenges", "metadata.challenges", "metadata.challenges[1]"),
    ] {
        let of = |list: Value| json!({"metadata": { name: list }});

        each_is_fine([of(json!([])), of(json!(vec!["é".repeat(64); 100]))]).await;
        each_is([
            (of(json!("BLINK")), path, "type"),
            (of(json!(["BLINK", 5])), element, "type"),
            (of(json!(["BLINK", null])), element, "type"),
            (of(json!(vec!["BLINK"; 101])), path, "length"),
            (of(json!([""])), path, "length"),
            (of(json!(["x".repeat(65)])), path, "length"),
            (of(json!(["BLINK", "\u{1b}"])), element, "control_character"),
        ])
        .await;
    }
}

/// The code and the message of the one error.
async fn told_of(message: &str, body: &str) -> (String, String, String) {
    let world = TestBus::new();
    let cx = if message == RETRIEVE {
        world.admin()
    } else {
        world.customer(1)
    };
    match world.dispatch(message, body, &cx).await {
        Err(BusError::Invalid(problems)) => match &*problems {
            [one] => (one.field.clone(), one.code.to_string(), one.message.to_string()),
            others => panic!("{others:?}"),
        },
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_whole_number_that_is_too_large_is_told_with_its_bounds() {
    let large = [
        "9223372036854775808",
        "1e19",
        "1e400",
        "18446744073709551616.0",
        "9.3e18",
    ];
    for number in large {
        for (field, body, most) in [
            (
                "metadata.timestamp",
                r#""metadata":{"timestamp":N}"#,
                "must be at most 9223372036854775807",
            ),
            (
                "metadata.sessionDuration",
                r#""metadata":{"sessionDuration":N}"#,
                "must be 0 to 2147483647 milliseconds",
            ),
            (
                "metadata.challengeCount",
                r#""metadata":{"challengeCount":N}"#,
                "must be 0 to 100",
            ),
            (
                "imageMetadata.sessionDuration",
                r#""imageMetadata":{"sessionDuration":N}"#,
                "must be 0 to 2147483647 milliseconds",
            ),
        ] {
            let body = body.replace('N', number);
            let body = format!(r#"{{"sessionId":"s","isSuccessful":true,{body}}}"#);
            let told = told_of(UPDATE, &body).await;
            assert_eq!(
                told,
                (field.to_owned(), "range".to_owned(), most.to_owned()),
                "{number}"
            );
        }
        let told = told_of(RETRIEVE, &format!(r#"{{"selfServiceUserId":{number}}}"#)).await;
        assert_eq!((&*told.1, &*told.2), ("range", "must be at most 9223372036854775807"));
        let told = told_of(RETRIEVE, &format!(r#"{{"pageSize":{number}}}"#)).await;
        assert_eq!(told.1, "range");
        let told = told_of(RETRIEVE, &format!(r#"{{"selfServiceUserId":-{number}}}"#)).await;
        assert_eq!(told.1, "range", "-{number}");
    }
    for number in ["1.5", "9223372036854775808.5", "1e-1", r#""5""#, "true"] {
        let told = told_of(RETRIEVE, &format!(r#"{{"selfServiceUserId":{number}}}"#)).await;
        assert_eq!((&*told.1, &*told.2), ("type", "must be an integer"), "{number}");
    }
}
