//! What the two commands record, and for which user.

use liveness_bus::testing::TestBus;
use liveness_bus::{BusError, RequestId};
use liveness_core::store::{CheckFilter, PageRequest};
use liveness_core::{DeviceInfo, LivenessCheck};
use serde_json::json;

use crate::report::{STATUS, SUBMIT, UPDATE, body_with};

/// All records, newest first.
#[expect(clippy::unwrap_used, reason = "the store is in memory")]
async fn records(world: &TestBus) -> Vec<LivenessCheck> {
    let page = PageRequest { number: 1, size: 100 };
    world
        .store()
        .checks()
        .page(CheckFilter::default(), page)
        .await
        .unwrap()
        .items
}

#[tokio::test]
async fn a_session_of_another_user_is_a_conflict_for_both_commands() {
    let world = TestBus::new();
    let body = body_with(json!({})).to_string();
    world.dispatch(SUBMIT, &body, &world.customer(1)).await.unwrap();

    for command in [SUBMIT, UPDATE] {
        let refused = world.dispatch(command, &body, &world.customer(2)).await;
        assert!(
            matches!(
                refused,
                Err(BusError::Conflict("the session id was recorded by another user"))
            ),
            "{refused:?}"
        );
    }

    assert_eq!(records(&world).await.len(), 1);
}

#[tokio::test]
async fn a_session_is_the_same_with_white_space_around_it() {
    let world = TestBus::new();
    world
        .dispatch(SUBMIT, &body_with(json!({})).to_string(), &world.customer(1))
        .await
        .unwrap();

    let spaced = body_with(json!({"sessionId": "  sdk-1\n"})).to_string();
    let of_another = world.dispatch(UPDATE, &spaced, &world.customer(2)).await;
    let of_the_same = world.dispatch(UPDATE, &spaced, &world.customer(1)).await.unwrap();

    assert!(matches!(of_another, Err(BusError::Conflict(_))), "{of_another:?}");
    assert_eq!(of_the_same["sessionId"], "sdk-1");
}

#[tokio::test]
async fn an_empty_text_in_an_optional_field_is_recorded_as_none() {
    let world = TestBus::new();
    let body = body_with(json!({"imagePath": "", "imageBase64": "", "metadata": {"completedAt": ""}}));

    for command in [SUBMIT, UPDATE] {
        world
            .dispatch(command, &body.to_string(), &world.customer(1))
            .await
            .unwrap();
    }

    for check in records(&world).await {
        assert_eq!(
            (check.image_path, check.has_image, check.completed_at),
            (None, false, None)
        );
    }
}

#[tokio::test]
async fn a_time_of_a_zone_is_recorded_in_utc() {
    let world = TestBus::new();
    let body = body_with(json!({"metadata": {"completedAt": "2026-12-31T24:00:00+01:00[Africa/Lagos]"}}));

    let receipt = world
        .dispatch(UPDATE, &body.to_string(), &world.customer(1))
        .await
        .unwrap();

    assert_eq!(receipt["completedAt"], "2026-12-31T23:00:00Z");
}

#[tokio::test]
async fn the_record_is_that_of_the_user_behind_the_token() {
    let world = TestBus::new();
    let body = body_with(json!({"userId": 2, "selfServiceUserId": 2})).to_string();

    world.dispatch(SUBMIT, &body, &world.customer(1)).await.unwrap();

    let owners: Vec<_> = records(&world)
        .await
        .iter()
        .map(|check| check.self_service_user_id)
        .collect();
    assert_eq!(owners, [1]);
    let status = world.dispatch(STATUS, "", &world.customer(2)).await.unwrap();
    assert_eq!(status["HasCompletedLivenessCheck"], false);
}

#[tokio::test]
async fn device_address_and_clock_are_of_the_context() {
    let world = TestBus::new();
    let device = DeviceInfo {
        device_platform: Some("Android".into()),
        ..DeviceInfo::default()
    };
    let context = world
        .context(TestBus::customer_principal(1))
        .device(device)
        .client_address(Some("2001:db8::1".parse().unwrap()))
        .request_id(RequestId::parse("r-1").unwrap())
        .build();

    world
        .dispatch(SUBMIT, &body_with(json!({})).to_string(), &context)
        .await
        .unwrap();

    let records = records(&world).await;
    assert_eq!(
        records[0].device_info.as_deref(),
        Some(r#"{"userAgent":null,"devicePlatform":"Android","appVersion":null}"#)
    );
    assert_eq!(records[0].client_ip.as_deref(), Some("2001:db8::1"));
    assert_eq!(records[0].created_at, "2026-03-22T14:00:05Z".parse().unwrap());
}

#[tokio::test]
async fn the_image_path_is_given_back_as_sent() {
    let world = TestBus::new();
    let body = body_with(json!({"imagePath": " /uploads/a b.jpg"})).to_string();

    world.dispatch(UPDATE, &body, &world.customer(1)).await.unwrap();

    let records = records(&world).await;
    assert_eq!(
        (records[0].image_path.as_deref(), records[0].has_image),
        (Some(" /uploads/a b.jpg"), false)
    );
}

#[tokio::test]
async fn empty_metadata_measures_nothing() {
    let world = TestBus::new();
    let nothing = json!({"metadata": {}, "imageMetadata": {"lightingValue": null}});

    let answer = world
        .dispatch(UPDATE, &body_with(nothing).to_string(), &world.customer(1))
        .await
        .unwrap();

    assert_eq!(
        (&answer["verificationResult"], &answer["challengeCount"]),
        (&json!(null), &json!(null))
    );
    assert_eq!(records(&world).await[0].completed_challenges, None);
}

#[tokio::test]
async fn a_phone_may_finish_at_any_instant_with_any_offset() {
    let world = TestBus::new();
    let body = body_with(json!({"metadata": {"completedAt": "2026-03-22T15:00:00.2509+01:00"}})).to_string();

    let answer = world.dispatch(UPDATE, &body, &world.customer(1)).await.unwrap();

    assert_eq!(answer["completedAt"], "2026-03-22T14:00:00.250Z");
}
