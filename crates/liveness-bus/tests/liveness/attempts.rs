//! Attempts that end, as an attacker meets them, and the way back.

use liveness_bus::testing::TestBus;
use liveness_bus::{BusError, Principal};
use liveness_core::policy::Policy;
use liveness_core::{Claims, UserReference};
use serde_json::{Value, json};

use crate::report::{START, STATUS, SUBMIT, UNLOCK, UPDATE, body_with};

/// What `enforce` says of attempts and quotas. Reports need no issued session, and a success no image.
const POLICY: &str = "base = \"enforce\"\n[session]\nrequired = false\n[verdict]\ncounts = false\n\
    [rules]\n\"session.unbound\" = \"note\"\n\"image.missing\" = \"off\"\n\
    [attempts]\nother_way = \"come to a branch with your passport.\"\n";

#[expect(clippy::unwrap_used, reason = "the policy is valid")]
fn enforced() -> TestBus {
    TestBus::under(&Policy::parse(POLICY).unwrap())
}

/// A hand-made failure of customer 7.
async fn fail(world: &TestBus) -> Result<Value, BusError> {
    let body = body_with(json!({"sessionId": "made-by-hand", "isSuccessful": false}));
    world.dispatch(UPDATE, &body.to_string(), &world.customer(7)).await
}

/// The phone of another user.
async fn honest(world: &TestBus) -> Result<Value, BusError> {
    let body = body_with(json!({"sessionId": "honest"}));
    world.dispatch(SUBMIT, &body.to_string(), &world.customer(8)).await
}

/// Starts a session of customer 7. Answers how many attempts are left.
async fn start(world: &TestBus) -> Result<Value, BusError> {
    let mut started = world.dispatch(START, "{}", &world.customer(7)).await?;
    Ok(started["attemptsLeft"].take())
}

async fn unlock(world: &TestBus, user: i64) -> Result<Value, BusError> {
    let body = json!({"userId": user, "reason": "Passport seen"});
    world.dispatch(UNLOCK, &body.to_string(), &world.admin()).await
}

#[tokio::test]
async fn who_fails_sixty_times_waits_and_is_locked_and_others_pass() {
    let world = enforced();
    let mut waits = Vec::new();
    let mut recorded = 0;
    let refusal = loop {
        match fail(&world).await {
            Ok(_) => recorded += 1,
            Err(BusError::Exhausted { retry_after, .. }) => {
                waits.push(retry_after.as_secs());
                world.clock().advance(i64::try_from(retry_after.as_millis()).unwrap());
            }
            Err(other) => break other,
        }
        assert!(recorded <= 60);
    };

    assert_eq!(recorded, 50);
    assert_eq!(waits[..9], [30, 60, 120, 240, 480, 960, 1920, 3600, 3600]);
    assert_eq!(refusal.code(), "62");
    assert_eq!(
        refusal.to_string(),
        "the user is locked after too many failures; come to a branch with your passport"
    );
    honest(&world).await.unwrap();
    let status = world.dispatch(STATUS, "{}", &world.customer(7)).await.unwrap();
    assert_eq!(status["HasCompletedLivenessCheck"], false);
    let codes: Vec<_> = world.audit_entries().await.into_iter().map(|e| e.outcome).collect();
    assert_eq!(codes.iter().filter(|code| *code == "65").count(), waits.len());
    assert_eq!(codes.iter().filter(|code| *code == "62").count(), 1);

    let unlocked = unlock(&world, 7).await.unwrap();

    let now = liveness_core::Clock::now(world.clock()).to_string();
    assert_eq!(unlocked, json!({"userId": 7, "unlockedAt": now}));
    let entry = world.audit_entries().await.pop().unwrap();
    assert_eq!((&*entry.message, entry.self_service_user_id), (UNLOCK, Some(7)));
    assert_eq!(entry.subject.shown.purpose.as_deref(), Some("Passport seen"));
    world.clock().advance(24 * 60 * 60 * 1000);
    fail(&world).await.unwrap();
}

#[tokio::test]
async fn a_start_says_how_many_failures_are_left_and_waits_like_a_report() {
    let world = enforced();
    for left in [5, 4, 3, 2, 1] {
        assert_eq!(start(&world).await.unwrap(), left);
        fail(&world).await.unwrap();
    }
    let refused = start(&world).await;
    let Err(BusError::Exhausted { retry_after, .. }) = refused else {
        panic!("{refused:?}")
    };
    assert_eq!(retry_after.as_secs(), 30);
    world.clock().advance(30_000);
    assert_eq!(start(&world).await.unwrap(), 1);
    let of_another = world.dispatch(START, "{}", &world.customer(8)).await.unwrap();
    assert_eq!(of_another["attemptsLeft"], 5);
}

#[tokio::test]
async fn a_declined_report_is_no_failure() {
    let world = enforced();
    let body = body_with(json!({"isSuccessful": false})).to_string();
    for _ in 0..9 {
        let declined = world.dispatch(SUBMIT, &body, &world.customer(7)).await;
        assert!(matches!(declined, Err(BusError::Declined(_))), "{declined:?}");
    }
    fail(&world).await.unwrap();
}

#[tokio::test]
async fn an_unknown_user_cannot_be_unlocked_and_a_known_one_always() {
    let world = enforced();
    let unknown = unlock(&world, 7).await;
    assert!(matches!(unknown, Err(BusError::NotFound(_))), "{unknown:?}");
    world.add_customer(7).await;
    for _ in 0..2 {
        unlock(&world, 7).await.unwrap();
    }
}

#[tokio::test]
async fn nobody_unlocks_themselves_however_they_name_themselves() {
    let world = enforced();
    world.add_customer(7).await;
    let staff = Principal::new("anne")
        .with_issuer("https://bank.example")
        .with_role("admin");
    let claims = |reference| Claims::of(reference);
    let own = [
        staff.clone().with_user(claims(UserReference::Id(7)).to_user(7)),
        staff.clone().with_user_claims(claims(UserReference::Id(7))),
        staff
            .clone()
            .with_user_claims(claims(UserReference::UserId("USR-00000007".into()))),
    ];
    let body = json!({"userId": 7, "reason": "Passport seen"}).to_string();
    for principal in own {
        let sender = world.context(principal).build();
        let refused = world.dispatch(UNLOCK, &body, &sender).await;
        assert!(matches!(refused, Err(BusError::Forbidden(_))), "{refused:?}");
        let entry = world.audit_entries().await.pop().unwrap();
        assert_eq!((&*entry.outcome, entry.self_service_user_id), ("57", Some(7)));
        assert_eq!(entry.subject.shown.purpose.as_deref(), Some("Passport seen"));
    }
    let other = world
        .context(staff.with_user_claims(claims(UserReference::Id(8))))
        .build();
    world.dispatch(UNLOCK, &body, &other).await.unwrap();
}
