//! Decisions about records, as administrators send them, and as everybody else sees what comes of them.

use liveness_bus::testing::TestBus;
use liveness_bus::{BusError, Context, Principal};
use liveness_core::policy::Policy;
use liveness_core::{Claims, UserReference};
use serde_json::{Value, json};

use crate::report::{GET_RECORD, REVIEW, STATUS, UPDATE, problem, problems_in};

/// A world under a policy with these lines, with a record of customer 7.
#[expect(clippy::expect_used, reason = "a policy and a record that are good")]
async fn world_under(lines: &str) -> TestBus {
    let policy = Policy::parse(&format!("base = \"record\"\n{lines}"));
    let world = TestBus::under(&policy.expect("a policy"));
    world.add_customer(7).await;
    let body = json!({"sessionId": "a", "isSuccessful": true, "metadata": {"verificationResult": true}});
    let recorded = world.dispatch(UPDATE, &body.to_string(), &world.customer(7)).await;
    recorded.expect("a record");
    world.clock().advance(1000);
    world
}

fn reviewer(world: &TestBus, name: &str) -> Context {
    let principal = Principal::new(name)
        .with_issuer("https://bank.example")
        .with_role("admin");
    world.context(principal).build()
}

async fn decide(world: &TestBus, who: &Context, decision: &str, seen: i64) -> Result<Value, BusError> {
    let body =
        json!({"id": 1, "decision": decision, "reason": "The face is that of the passport", "decisionsSeen": seen});
    world.dispatch(REVIEW, &body.to_string(), who).await
}

#[expect(clippy::expect_used, reason = "the record is there")]
async fn decisions(world: &TestBus, who: &Context) -> Value {
    let record = world.dispatch(GET_RECORD, r#"{"id":1}"#, who).await;
    record.expect("a record")["LivenessCheck"]["Decisions"].clone()
}

#[tokio::test]
async fn a_decision_is_answered_shown_and_one_entry_of_the_trail() {
    let world = world_under("").await;
    let anne = reviewer(&world, "anne");
    let before = world.audit_entries().await.len();

    let answer = decide(&world, &anne, "approve", 0).await.unwrap();

    let expected = json!({
        "id": 1, "decision": "approve", "decisionsSeen": 1, "counts": true, "decidedAt": "2026-03-22T14:00:06Z",
    });
    assert_eq!(answer, expected);
    let entries = world.audit_entries().await.split_off(before);
    assert_eq!(entries.len(), 1);
    let entry = &entries[0];
    let said = (
        &*entry.message,
        &*entry.outcome,
        entry.self_service_user_id,
        entry.subject.liveness_check_id,
    );
    assert_eq!(said, (REVIEW, "00", Some(7), Some(1)));
    assert_eq!(
        entry.subject.shown.purpose.as_deref(),
        Some("The face is that of the passport")
    );
    let shown = json!([{
        "Decision": "approve", "Reason": "The face is that of the passport", "By": "anne", "At": "2026-03-22T14:00:06Z",
        "Counts": true,
    }]);
    assert_eq!(decisions(&world, &reviewer(&world, "bert")).await, shown);
}

#[tokio::test]
async fn a_decision_that_is_refused_says_what_was_meant() {
    let world = world_under("").await;
    let anne = reviewer(&world, "anne");
    decide(&world, &anne, "reject", 0).await.unwrap();

    let refused = decide(&world, &anne, "approve", 0).await;

    assert!(matches!(refused, Err(BusError::Conflict(_))), "{refused:?}");
    let entry = world.audit_entries().await.pop().unwrap();
    assert_eq!((&*entry.outcome, entry.subject.shown.decision), ("94", None));
    assert_eq!(entry.subject.shown.filter["id"], "1");
    let unknown = json!({"id": 99, "decision": "approve", "reason": "why", "decisionsSeen": 0}).to_string();
    let unknown = world.dispatch(REVIEW, &unknown, &anne).await;
    assert!(matches!(unknown, Err(BusError::NotFound(_))), "{unknown:?}");
}

#[tokio::test]
async fn nobody_decides_on_a_record_of_their_own_however_they_name_themselves() {
    let world = world_under("").await;
    let staff = Principal::new("anne")
        .with_issuer("https://bank.example")
        .with_role("admin");
    let claims = |reference| Claims::of(reference);
    let own = [
        staff.clone().with_user(Claims::of(UserReference::Id(7)).to_user(7)),
        staff.clone().with_user_claims(claims(UserReference::Id(7))),
        staff
            .clone()
            .with_user_claims(claims(UserReference::UserId("USR-00000007".into()))),
    ];
    for principal in own {
        let sender = world.context(principal).build();
        let refused = decide(&world, &sender, "approve", 0).await;
        assert!(matches!(refused, Err(BusError::Forbidden(_))), "{refused:?}");
    }
    let others = [
        staff.clone().with_user_claims(claims(UserReference::Id(8))),
        staff.with_user_claims(claims(UserReference::UserId("anne".into()))),
    ];
    for (seen, principal) in others.into_iter().enumerate() {
        let sender = world.context(principal).build();
        decide(&world, &sender, "approve", seen as i64).await.unwrap();
    }
}

#[tokio::test]
async fn every_wrong_field_of_a_decision_is_told() {
    let world = world_under("").await;
    let anne = reviewer(&world, "anne");
    let problems = async |body: Value| problems_in(world.dispatch(REVIEW, &body.to_string(), &anne).await);
    let fields = ["decision", "decisionsSeen", "id", "reason"];
    assert_eq!(
        problems(json!({})).await,
        fields.map(|field| problem(field, "required"))
    );
    let wrong = json!({"id": 0, "decision": "approved", "reason": "", "decisionsSeen": -1});
    let mut found = problems(wrong).await;
    found.sort();
    let codes = ["format", "range", "range", "length"];
    let expected: Vec<_> = fields
        .into_iter()
        .zip(codes)
        .map(|(field, code)| problem(field, code))
        .collect();
    assert_eq!(found, expected);
    for word in ["none", "Approve", "askAgain"] {
        let body = json!({"id": 1, "decision": word, "reason": "why", "decisionsSeen": 0});
        assert_eq!(problems(body).await, [problem("decision", "format")], "{word}");
    }
}

#[tokio::test]
async fn where_two_decide_the_second_is_not_shown_the_first() {
    let world = world_under("[review]\nsecond = true\n").await;
    let (anne, bert) = (reviewer(&world, "anne"), reviewer(&world, "bert"));

    let first = decide(&world, &anne, "reject", 0).await.unwrap();
    assert_eq!((&first["counts"], &first["decisionsSeen"]), (&json!(false), &json!(1)));
    assert_eq!(decisions(&world, &bert).await, json!([]));
    assert_eq!(decisions(&world, &anne).await[0]["Counts"], false);
    let twice = decide(&world, &anne, "reject", 1).await;
    assert!(matches!(twice, Err(BusError::Conflict(_))), "{twice:?}");
    let second = decide(&world, &bert, "reject", 0).await.unwrap();

    assert_eq!((&second["counts"], &second["decisionsSeen"]), (&json!(true), &json!(1)));
    let made = decisions(&world, &reviewer(&world, "carl")).await;
    let told: Vec<_> = made
        .as_array()
        .unwrap()
        .iter()
        .map(|made| (&made["By"], &made["Counts"]))
        .collect();
    assert_eq!(told, [(&json!("anne"), &json!(true)), (&json!("bert"), &json!(true))]);
}

#[expect(clippy::unwrap_used, reason = "a run that cannot be recorded ends the test")]
/// What a command says of a run with these fields, and whether the user has passed then.
async fn said(world: &TestBus, mut fields: Value) -> (Option<String>, bool) {
    fields["sessionId"] = json!("b");
    let mut out = Vec::new();
    let body = fields.to_string();
    let customer = world.customer(8);
    world
        .bus()
        .dispatch(UPDATE, body.as_bytes(), &customer, &mut out)
        .await
        .unwrap();
    let answer: Value = serde_json::from_slice(&out).unwrap();
    if let Some(verdict) = answer.get("verdict") {
        let text = String::from_utf8(out).unwrap();
        assert!(text.ends_with(&format!(r#","verdict":{verdict}}}"#)), "{text}");
    }
    let status = world.dispatch(STATUS, "{}", &customer).await.unwrap();
    let verdict = answer
        .get("verdict")
        .map(|verdict| verdict.as_str().unwrap().to_owned());
    (verdict, status["HasCompletedLivenessCheck"] == true)
}

#[tokio::test]
async fn the_commands_tell_the_verdict_only_where_verdicts_count() {
    let counting = world_under("[verdict]\ncounts = true\n").await;
    let recording = world_under("").await;
    let doubted = json!({"isSuccessful": true, "metadata": {"screenFlashSpoofDetected": true}});
    assert_eq!(said(&recording, doubted.clone()).await, (None, true));
    assert_eq!(said(&counting, doubted).await, (Some("rejected".to_owned()), false));
    let without_an_image = json!({"isSuccessful": true});
    assert_eq!(
        said(&counting, without_an_image).await,
        (Some("review".to_owned()), false)
    );
}
