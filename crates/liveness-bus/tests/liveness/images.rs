//! The field `imageBase64`: `docs/api.md#images`.

use liveness_bus::BusError;
use liveness_bus::liveness::{LivenessReport, Settings, UpdateLivenessCheckCommand};
use liveness_bus::testing::TestBus;
use liveness_core::{CompletionRule, FaceImage};
use serde_json::{Value, json};

use crate::report::{SUBMIT, UPDATE, body_with, problem, problems_of, problems_of_text};

/// A JPEG of one pixel, up to the end of its frame header.
const JPEG: [u8; 15] = *b"\xFF\xD8\xFF\xC0\0\x0B\x08\0\x01\0\x01\x01\x01\x11\0";
/// `JPEG` in Base64.
const TEXT: &str = "/9j/wAALCAABAAEBAREA";

/// Sends an image, and returns what is stored.
#[expect(clippy::unwrap_used, reason = "the store is in memory")]
async fn stored(image: Value) -> Option<FaceImage> {
    let world = TestBus::new();
    let body = body_with(json!({"imageBase64": image})).to_string();
    world.dispatch(SUBMIT, &body, &world.customer(1)).await.unwrap();
    let rule = CompletionRule::AnySuccessful;
    world
        .store()
        .checks()
        .completing_with_face(1, rule)
        .await
        .unwrap()
        .unwrap()
        .1
        .map(|face| face.image)
}

fn small_images() -> TestBus {
    let settings = Settings {
        max_image_bytes: JPEG.len(),
        ..Settings::default()
    };
    TestBus::with(settings, |builder| builder)
}

#[tokio::test]
async fn an_image_is_taken_with_a_data_uri_and_without() {
    let expected = FaceImage::from_bytes(JPEG.to_vec()).unwrap();

    for text in [
        TEXT,
        "data:image/jpeg;base64,/9j/wAALCAABAAEBAREA",
        "DATA:text/html;charset=x;BASE64,/9j/wAALCAABAAEBAREA",
        "_9j_wAALCAABAAEBAREA",
        "_9j/wAAL\nCAAB\tAAEB AREA\r\n",
        "\n data:image/jpeg;base64,\r\n_9j/wAALCAABAAEBAREA",
    ] {
        assert_eq!(stored(json!(text)).await, Some(expected.clone()), "{text:?}");
    }
}

#[tokio::test]
async fn an_image_may_be_written_with_escapes() {
    let body = r#"{"sessionId":"a","isSuccessful":true,"imageBase64":"data:image\/jpeg;base64,\/9j\u002FwAALCAABA\r\nAEBAREA\u000A"}"#;

    assert_eq!(problems_of_text(body).await, []);
}

#[tokio::test]
async fn padding_is_optional() {
    for text in ["/9j/wAALCAABAAEBAQ==", "/9j/wAALCAABAAEBAQ", "/9j/wAALCAABAAEBAQ\n=\n="] {
        assert_eq!(stored(json!(text)).await.unwrap().bytes(), &JPEG[..13], "{text}");
    }
}

#[tokio::test]
async fn null_and_a_text_without_letters_are_no_image() {
    for none in [json!(null), json!(""), json!(" "), json!("\r\n\t \n")] {
        assert_eq!(stored(none.clone()).await, None, "{none}");
    }
}

#[tokio::test]
async fn what_is_no_image_is_told_by_the_rule_that_it_breaks() {
    let cases = [
        (json!(5), "type"),
        (json!([TEXT]), "type"),
        (json!("%%%"), "base64"),
        (json!("/9j/4B"), "base64"),
        (json!("_9j_\n4B"), "base64"),
        (json!("/9j/\u{a0}wAALCAABAAEBAREA"), "base64"),
        (json!("=\n="), "base64"),
        (json!("data:image/jpeg,/9j/wAALCAABAAEBAREA"), "base64"),
        (json!("/9j/"), "image_header"),
        (json!("/9j/4AAQSkZJRgAB"), "image_header"),
        (json!("iVBORw0KGgo="), "image_header"),
        (json!("iVBORw0KGgoAAAANSUhEUgAAAAAAAAAB"), "image_header"),
        // 60,000 by 60,000.
        (json!("iVBORw0KGgoAAAANSUhEUgAA6mAAAOpg"), "pixels"),
        (json!("data:image/jpeg;base64,"), "media_type"),
        (json!("R0lGODlh"), "media_type"),
        (json!("data:image/jpeg;base64,R0lGODlh"), "media_type"),
    ];

    for (image, code) in cases {
        let found = problems_of(json!({"imageBase64": image})).await;
        assert_eq!(found, [problem("imageBase64", code)], "{image}");
    }
}

#[tokio::test]
async fn an_image_at_the_limit_is_taken_and_one_byte_more_is_too_large() {
    let world = small_images();
    let customer = world.customer(1);
    let body = |text: &str| body_with(json!({"imageBase64": text})).to_string();

    for command in [SUBMIT, UPDATE] {
        world.dispatch(command, &body(TEXT), &customer).await.unwrap();
        let lines = TEXT.split_inclusive('A').collect::<Vec<_>>().join("\r\n");
        world.dispatch(command, &body(&lines), &customer).await.unwrap();
        let refused = world
            .dispatch(command, &body("/9j/wAALCAABAAEBAREAAA=="), &customer)
            .await;
        assert!(matches!(refused, Err(BusError::TooLarge(_))), "{refused:?}");
    }
}

#[tokio::test]
async fn the_limit_holds_for_messages_made_in_the_process() {
    let world = small_images();
    let report = |bytes: Vec<u8>| LivenessReport {
        session_id: Some("sdk-1".into()),
        is_successful: Some(true),
        image_base64: FaceImage::from_bytes(bytes).unwrap().into(),
        ..LivenessReport::default()
    };
    let customer = world.customer(1);

    world
        .send(UpdateLivenessCheckCommand(report(JPEG.to_vec())), &customer)
        .await
        .unwrap();
    let larger = [&JPEG[..], &[0]].concat();
    let refused = world.send(UpdateLivenessCheckCommand(report(larger)), &customer).await;

    assert!(matches!(refused, Err(BusError::TooLarge(_))), "{refused:?}");
}

#[tokio::test]
async fn after_a_field_error_the_size_is_not_asked() {
    let world = small_images();
    let body = body_with(json!({"sessionId": "", "imageBase64": "/9j/wAALCAABAAEBAREAAA=="})).to_string();

    let refused = world.dispatch(SUBMIT, &body, &world.customer(1)).await;

    assert!(matches!(refused, Err(BusError::Invalid(_))), "{refused:?}");
}
