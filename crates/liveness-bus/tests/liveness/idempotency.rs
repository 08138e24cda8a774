//! A command that is sent again with the same key: `docs/api.md#idempotency-keys`.

use liveness_bus::testing::TestBus;
use liveness_bus::{BusError, Context, IdempotencyKey};
use serde_json::{Value, json};

use crate::report::{SUBMIT, UPDATE, body_with};

#[expect(clippy::unwrap_used, reason = "the key is valid")]
fn keyed(world: &TestBus, user: i64, key: &str, body: &str) -> Context {
    let key = IdempotencyKey::parse(key, body.as_bytes()).unwrap();
    world
        .context(TestBus::customer_principal(user))
        .idempotency_key(Some(key))
        .build()
}

async fn send(world: &TestBus, command: &str, user: i64, key: &str, body: &str) -> Result<Value, BusError> {
    world.dispatch(command, body, &keyed(world, user, key, body)).await
}

async fn outcomes(world: &TestBus) -> Vec<String> {
    world
        .audit_entries()
        .await
        .into_iter()
        .map(|entry| entry.outcome.into_owned())
        .collect()
}

#[tokio::test]
async fn a_call_sent_again_has_the_first_answer_and_is_audited_again() {
    for command in [SUBMIT, UPDATE] {
        let world = TestBus::new();
        let body = body_with(json!({"metadata": {"challengeCount": 3}})).to_string();
        let first = send(&world, command, 1, "key-1", &body).await.unwrap();
        world.clock().advance(60_000);

        let again = send(&world, command, 1, "key-1", &body).await.unwrap();

        assert_eq!(again, first);
        assert_eq!(outcomes(&world).await, ["00", "00"]);
        let next = world.dispatch(command, &body, &world.customer(1)).await.unwrap();
        assert_eq!(next["id"], 2);
    }
}

#[tokio::test]
async fn a_key_with_another_body_is_a_conflict() {
    let world = TestBus::new();
    let body = body_with(json!({})).to_string();
    send(&world, SUBMIT, 1, "key-1", &body).await.unwrap();

    let refused = send(&world, SUBMIT, 1, "key-1", &format!("{body} ")).await;

    assert!(
        matches!(
            refused,
            Err(BusError::Conflict("the Idempotency-Key was used with another body"))
        ),
        "{refused:?}"
    );
    assert_eq!(outcomes(&world).await, ["00", "94"]);
}

#[tokio::test]
async fn a_key_stands_for_one_user_and_one_command() {
    let world = TestBus::new();
    let body = |session: &str| body_with(json!({"sessionId": session})).to_string();
    send(&world, SUBMIT, 1, "key-1", &body("a")).await.unwrap();

    let of_another_command = send(&world, UPDATE, 1, "key-1", &body("b")).await.unwrap();
    let of_another_user = send(&world, SUBMIT, 2, "key-1", &body("c")).await.unwrap();

    assert_eq!(
        (&of_another_command["id"], &of_another_user["id"]),
        (&json!(2), &json!(3))
    );
}

#[tokio::test]
async fn after_a_refusal_the_key_may_be_used_with_a_corrected_body() {
    let world = TestBus::new();
    let bodies = [
        body_with(json!({"isSuccessful": false})).to_string(),
        body_with(json!({"sessionId": ""})).to_string(),
    ];
    for body in bodies {
        send(&world, SUBMIT, 1, "key-1", &body).await.unwrap_err();
    }

    let answer = send(&world, SUBMIT, 1, "key-1", &body_with(json!({})).to_string())
        .await
        .unwrap();

    assert_eq!(answer["id"], 1);
    assert_eq!(outcomes(&world).await, ["05", "30", "00"]);
}

#[tokio::test]
async fn without_a_key_each_call_records() {
    let world = TestBus::new();
    let body = body_with(json!({})).to_string();

    let first = world.dispatch(SUBMIT, &body, &world.customer(1)).await.unwrap();
    let second = world.dispatch(SUBMIT, &body, &world.customer(1)).await.unwrap();

    assert_eq!((&first["id"], &second["id"]), (&json!(1), &json!(2)));
}
