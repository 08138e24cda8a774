//! Erasures and legal holds, as officers send them, and as everybody else sees what is left.

use liveness_bus::BusError;
use liveness_bus::testing::TestBus;
use serde_json::{Value, json};

use crate::report::{
    ERASE_FACE, ERASE_USER, GET, GET_RECORD, LIFT_HOLD, PLACE_HOLD, RETRIEVE, RETRIEVE_ENTRIES, RETRIEVE_MINE, STATUS,
    SUBMIT,
};

const WHY: &str = "Request 2026-118";

/// A world with the record of a customer, with a face.
#[expect(clippy::unwrap_used, reason = "a face that cannot be recorded ends the test")]
async fn with_a_face() -> TestBus {
    let world = TestBus::new();
    world.add_customer(7).await;
    let body = json!({
        "sessionId": "a", "isSuccessful": true, "imageBase64": "/9j/wAALCAABAAEBAREA",
        "metadata": {"verificationResult": true},
    });
    world
        .dispatch(SUBMIT, &body.to_string(), &world.customer(7))
        .await
        .unwrap();
    world.clock().advance(1000);
    world
}

async fn officer(world: &TestBus, message: &str, mut body: Value) -> Result<Value, BusError> {
    body["reason"] = json!(WHY);
    world.dispatch(message, &body.to_string(), &world.officer()).await
}

#[expect(clippy::unwrap_used, reason = "an administrator is answered")]
async fn admin(world: &TestBus, message: &str, body: Value) -> Value {
    world
        .dispatch(message, &body.to_string(), &world.admin())
        .await
        .unwrap()
}

#[tokio::test]
async fn an_erased_face_is_told_to_everybody_who_may_see_the_record() {
    let world = with_a_face().await;
    let before = admin(&world, GET_RECORD, json!({"id": 1})).await;

    let erased = officer(&world, ERASE_FACE, json!({"id": 1})).await.unwrap();

    let sha256 = &before["LivenessCheck"]["Face"]["Sha256"];
    let at = "2026-03-22T14:00:06Z";
    assert_eq!(
        erased,
        json!({"id": 1, "faceSha256": sha256, "erasedAt": at, "unreadableFrom": null})
    );
    let record = admin(&world, GET_RECORD, json!({"id": 1})).await;
    let check = &record["LivenessCheck"];
    assert_eq!(
        (&check["HasImage"], &check["ImageBase64"]),
        (&json!(false), &json!(null))
    );
    let face = json!({"Sha256": sha256, "ErasedAt": at, "ErasedBecause": WHY, "HeldSince": null});
    assert_eq!(check["Face"], face);
    let user = admin(&world, GET, json!({"userId": 7})).await;
    assert_eq!(user["LivenessCheck"]["HasImage"], false);
    for (has_image, expected) in [(true, 0), (false, 1)] {
        let listed = admin(&world, RETRIEVE, json!({"hasImage": has_image})).await;
        assert_eq!(listed["TotalCount"], expected);
        assert_eq!(listed["Items"].as_array().unwrap().len(), expected);
    }
    let mine = world.dispatch(RETRIEVE_MINE, "{}", &world.customer(7)).await.unwrap();
    assert_eq!(
        (&mine["Items"][0]["HasImage"], &mine["Items"][0]["FaceErasedAt"]),
        (&json!(false), &json!(at))
    );
}

#[tokio::test]
async fn the_receipt_is_one_entry_with_the_face_and_the_reason() {
    let world = with_a_face().await;
    let erased = officer(&world, ERASE_FACE, json!({"id": 1})).await.unwrap();

    let body = json!({"message": ERASE_FACE}).to_string();
    let found = world.dispatch(RETRIEVE_ENTRIES, &body, &world.auditor()).await.unwrap();

    assert_eq!(found["TotalCount"], 1);
    let entry = &found["Items"][0];
    let told = [
        &entry["Principal"],
        &entry["UserId"],
        &entry["CheckId"],
        &entry["Purpose"],
        &entry["FaceSha256"],
    ];
    assert_eq!(
        told,
        [
            &json!("officer-1"),
            &json!(7),
            &json!(1),
            &json!(WHY),
            &erased["faceSha256"]
        ]
    );
    assert_eq!(
        (&entry["Shown"]["Erased"], &entry["Shown"]["UnreadableFrom"]),
        (&json!("face"), &json!(null))
    );
}

#[tokio::test]
async fn what_is_not_there_is_404_and_what_was_erased_is_410() {
    let world = with_a_face().await;
    let faceless = json!({"sessionId": "b", "isSuccessful": true}).to_string();
    world.dispatch(SUBMIT, &faceless, &world.customer(7)).await.unwrap();

    for (message, body) in [
        (ERASE_FACE, json!({"id": 99})),
        (ERASE_FACE, json!({"id": 2})),
        (ERASE_USER, json!({"userId": 99})),
        (PLACE_HOLD, json!({"userId": 99})),
        (LIFT_HOLD, json!({"userId": 7})),
    ] {
        let refused = officer(&world, message, body).await;
        assert!(matches!(refused, Err(BusError::NotFound(_))), "{message}: {refused:?}");
    }
    officer(&world, ERASE_FACE, json!({"id": 1})).await.unwrap();
    officer(&world, ERASE_USER, json!({"userId": 7})).await.unwrap();
    for (message, body) in [(ERASE_FACE, json!({"id": 1})), (ERASE_USER, json!({"userId": 7}))] {
        let refused = officer(&world, message, body).await.unwrap_err();
        assert!(matches!(refused, BusError::Gone(_)), "{message}: {refused:?}");
        assert_eq!(refused.code(), "25");
    }
    // A refused erasure leaves an entry too, of what was meant.
    let entries = world.audit_entries().await;
    let refused = entries.iter().find(|entry| entry.outcome == "25").unwrap();
    assert_eq!(refused.subject.shown.filter["id"], "99");
    assert_eq!(refused.subject.shown.purpose.as_deref(), Some(WHY));
}

#[tokio::test]
async fn a_hold_keeps_erasures_away_until_it_is_lifted() {
    let world = with_a_face().await;

    let held = officer(&world, PLACE_HOLD, json!({"userId": 7})).await.unwrap();

    assert_eq!(held, json!({"userId": 7, "heldSince": "2026-03-22T14:00:06Z"}));
    for (message, body) in [
        (PLACE_HOLD, json!({"userId": 7})),
        (ERASE_FACE, json!({"id": 1})),
        (ERASE_USER, json!({"userId": 7})),
    ] {
        let refused = officer(&world, message, body).await.unwrap_err();
        assert!(
            matches!(refused, BusError::Conflict("the user is under a legal hold")),
            "{message}: {refused:?}"
        );
    }
    let record = admin(&world, GET_RECORD, json!({"id": 1})).await;
    assert_eq!(record["LivenessCheck"]["Face"]["HeldSince"], "2026-03-22T14:00:06Z");
    let lifted = officer(&world, LIFT_HOLD, json!({"userId": 7})).await.unwrap();
    assert_eq!(lifted, json!({"userId": 7, "liftedAt": "2026-03-22T14:00:06Z"}));
    officer(&world, ERASE_FACE, json!({"id": 1})).await.unwrap();
}

#[tokio::test]
async fn an_erased_user_has_a_status_and_no_name() {
    let world = with_a_face().await;

    let erased = officer(&world, ERASE_USER, json!({"userId": 7})).await.unwrap();

    let expected = json!({
        "userId": 7, "records": 1, "faces": 1, "erasedAt": "2026-03-22T14:00:06Z", "unreadableFrom": null,
    });
    assert_eq!(erased, expected);
    let status = world.dispatch(STATUS, "{}", &world.customer(7)).await.unwrap();
    assert_eq!(status["HasCompletedLivenessCheck"], true);
    let user = admin(&world, GET, json!({"userId": 7})).await;
    assert!(user["UserId2"].as_str().unwrap().starts_with("erased-"));
    assert_eq!(user["LivenessCheck"]["ClientIp"], json!(null));
    let record = admin(&world, GET_RECORD, json!({"id": 1})).await;
    assert_eq!(
        (
            &record["LivenessCheck"]["Metadata"],
            &record["LivenessCheck"]["Face"]["ErasedBecause"]
        ),
        (&json!(null), &json!(WHY))
    );
}

#[tokio::test]
async fn a_reason_is_asked_for() {
    let world = with_a_face().await;
    for reason in [
        json!(null),
        json!(""),
        json!(" "),
        json!("a\tb"),
        json!("x".repeat(1001)),
    ] {
        let body = json!({"id": 1, "userId": 7, "reason": reason}).to_string();
        for message in [ERASE_FACE, ERASE_USER, PLACE_HOLD, LIFT_HOLD] {
            let refused = world.dispatch(message, &body, &world.officer()).await;
            assert!(
                matches!(&refused, Err(BusError::Invalid(errors)) if errors[0].field == "reason"),
                "{message}: {refused:?}"
            );
        }
    }
}
