//! Reports under a policy that requires a session, and under one that does not: which session binds, and what uses it up.

use liveness_bus::BusError;
use liveness_bus::testing::TestBus;
use liveness_core::policy::Policy;
use serde_json::{Value, json};

use crate::report::{START, SUBMIT, UPDATE};

const NOT_NAMED: &str =
    "the report names no issued session, and one is required: send StartLivenessSessionCommand first";
const NOT_ISSUED: &str = "the session was not issued to this user";
const USED_UP: &str = "the session was used up by another report";

#[expect(clippy::unwrap_used, reason = "a test that cannot be set up ends there")]
fn required() -> TestBus {
    TestBus::under(&Policy::parse("base = \"record\"\n[session]\nrequired = true\n").unwrap())
}

#[expect(clippy::unwrap_used, reason = "a test that cannot be set up ends there")]
async fn start(world: &TestBus, user: i64) -> String {
    let started = world.dispatch(START, "{}", &world.customer(user)).await.unwrap();
    started["sessionId"].as_str().unwrap().to_owned()
}

async fn send(world: &TestBus, message: &str, user: i64, body: &Value) -> Result<Value, BusError> {
    world.dispatch(message, &body.to_string(), &world.customer(user)).await
}

/// What became of a report: `"00"`, or the code of the refusal with its words.
async fn outcome(world: &TestBus, message: &str, user: i64, body: Value) -> String {
    match send(world, message, user, &body).await {
        Ok(_) => "00".to_owned(),
        Err(error) => format!("{} {error}", error.code()),
    }
}

fn conflict(words: &str) -> String {
    format!("94 {words}")
}

#[tokio::test]
async fn a_session_is_named_as_session_or_beside_the_sdks_own_and_names_of_fields_have_no_case() {
    let world = required();
    let bodies = [
        |id: &str| json!({"sessionId": id, "isSuccessful": true}),
        |id: &str| json!({"sessionId": "sdk-1", "issuedSessionId": id, "isSuccessful": true}),
        |id: &str| json!({"SESSIONID": id, "isSuccessful": true}),
        |id: &str| json!({"sessionId": "sdk-1", "IssuedSessionID": format!(" {id} "), "isSuccessful": true}),
        |id: &str| json!({"sessionId": id, "issuedSessionId": "", "isSuccessful": true}),
    ];

    for body in bodies {
        let id = start(&world, 1).await;
        assert_eq!(outcome(&world, SUBMIT, 1, body(&id)).await, "00", "{id}");
        // In whichever field it is named, it is the same session.
        for again in bodies {
            assert_eq!(outcome(&world, UPDATE, 1, again(&id)).await, conflict(USED_UP));
        }
    }
}

#[tokio::test]
async fn a_session_of_another_and_one_that_never_was_have_the_same_words() {
    let world = required();
    let [own, of_another] = [start(&world, 1).await, start(&world, 2).await];
    let in_another_case = own.to_uppercase().replacen("LVS_", "lvs_", 1);
    let never = [
        of_another.as_str(),
        "lvs_AAAAAAAAAAAAAAAAAAAAAA",
        "lvs_",
        in_another_case.as_str(),
    ];

    for id in never {
        for body in [
            json!({"sessionId": id, "isSuccessful": true}),
            json!({"sessionId": "sdk-1", "issuedSessionId": id, "isSuccessful": true}),
        ] {
            assert_eq!(outcome(&world, SUBMIT, 1, body).await, conflict(NOT_ISSUED), "{id}");
        }
    }
    let beside = json!({"sessionId": own, "issuedSessionId": "sdk-1", "isSuccessful": true});
    assert_eq!(outcome(&world, SUBMIT, 1, beside).await, conflict(NOT_ISSUED));
    // Nothing of it has used up a session.
    for (user, id) in [(1, own), (2, of_another)] {
        let body = json!({"sessionId": id, "isSuccessful": true});
        assert_eq!(outcome(&world, SUBMIT, user, body).await, "00");
    }
}

#[tokio::test]
async fn a_report_without_a_session_is_refused_where_one_is_required_and_leaves_an_entry() {
    let world = required();
    let bare = json!({"sessionId": "sdk-1", "isSuccessful": true});

    assert_eq!(outcome(&world, SUBMIT, 1, bare.clone()).await, conflict(NOT_NAMED));
    assert_eq!(outcome(&world, UPDATE, 1, bare).await, conflict(NOT_NAMED));

    let entries = world.audit_entries().await;
    let outcomes: Vec<_> = entries.iter().map(|entry| &*entry.outcome).collect();
    assert_eq!(outcomes, ["94", "94"]);
}

#[tokio::test]
async fn a_session_expires_at_the_time_that_was_told() {
    let world = required();
    let body = |id: &str| json!({"sessionId": id, "isSuccessful": true});
    let [in_time, late] = [start(&world, 1).await, start(&world, 1).await];

    world.clock().advance(5 * 60_000 - 1);
    assert_eq!(outcome(&world, SUBMIT, 1, body(&in_time)).await, "00");
    world.clock().advance(1);
    assert_eq!(
        outcome(&world, SUBMIT, 1, body(&late)).await,
        "25 the session has expired"
    );
    // Whoever has used it up is told so, also after that.
    assert_eq!(outcome(&world, SUBMIT, 1, body(&in_time)).await, conflict(USED_UP));
}

#[tokio::test]
async fn a_submission_that_is_declined_uses_nothing_up_and_a_failed_update_does() {
    let world = required();
    let id = start(&world, 1).await;
    let failed = json!({"sessionId": id, "isSuccessful": false});

    let declined = outcome(&world, SUBMIT, 1, failed.clone()).await;
    assert!(declined.starts_with("05 "), "{declined}");
    assert_eq!(outcome(&world, UPDATE, 1, failed.clone()).await, "00");
    assert_eq!(outcome(&world, UPDATE, 1, failed).await, conflict(USED_UP));
}

#[tokio::test]
async fn a_report_that_is_refused_for_another_reason_uses_nothing_up() {
    let world = required();
    let [of_another, own] = [start(&world, 2).await, start(&world, 1).await];
    let taken = json!({"sessionId": "contested", "issuedSessionId": of_another, "isSuccessful": true});
    send(&world, SUBMIT, 2, &taken).await.unwrap();

    let contested = json!({"sessionId": "contested", "issuedSessionId": own, "isSuccessful": true});
    let refused = outcome(&world, SUBMIT, 1, contested).await;
    assert_eq!(refused, conflict("the session id was recorded by another user"));
    let wrong = json!({"sessionId": own, "isSuccessful": true, "metadata": {"lightingValue": 2}});
    assert!(outcome(&world, SUBMIT, 1, wrong).await.starts_with("30 "));

    let body = json!({"sessionId": "mine", "issuedSessionId": own, "isSuccessful": true});
    assert_eq!(outcome(&world, SUBMIT, 1, body).await, "00");
}

/// The code of each rule that spoke about a record, with what it saw.
#[expect(clippy::unwrap_used, reason = "what was recorded is there, and was judged")]
async fn reasons(world: &TestBus, recorded: &Value) -> Vec<(String, Value)> {
    let id = recorded["id"].as_i64().unwrap();
    let evidence = world.store().checks().evidence(id).await.unwrap().unwrap();
    let reasons = evidence.details.verdict.unwrap().reasons.into_iter();
    reasons.map(|reason| (reason.code.into_owned(), reason.saw)).collect()
}

#[tokio::test]
async fn where_none_is_required_no_report_is_refused_and_the_verdict_says_why_it_is_unbound() {
    let world = TestBus::new();
    let [own, of_another, late] = [start(&world, 1).await, start(&world, 2).await, start(&world, 1).await];
    let named = |id: &str| json!({"sessionId": "sdk-1", "issuedSessionId": id, "isSuccessful": true});
    let cases = [
        (named(&own), None),
        (named(&own), Some("used_up")),
        (named(&of_another), Some("not_issued")),
        (named("no session"), Some("not_issued")),
        (json!({"sessionId": "sdk-1", "isSuccessful": true}), Some("not_named")),
    ];
    for (body, why) in cases {
        let recorded = send(&world, UPDATE, 1, &body).await.unwrap();
        let reasons = reasons(&world, &recorded).await;
        let unbound = reasons.iter().find(|(code, _)| code == "session.unbound");
        assert_eq!(
            unbound.map(|(_, saw)| saw),
            why.map(|why| json!(why)).as_ref(),
            "{body}"
        );
    }
    world.clock().advance(5 * 60_000);
    let recorded = send(&world, UPDATE, 1, &named(&late)).await.unwrap();
    assert!(
        reasons(&world, &recorded)
            .await
            .contains(&("session.unbound".into(), json!("expired")))
    );
}

#[tokio::test]
async fn a_run_in_the_order_that_was_issued_is_accepted_by_the_names_of_the_sdk_and_another_order_is_not() {
    let world = TestBus::new();
    // What docs/clients.md makes of the names.
    let of_the_sdk = |name: &Value| {
        let name = match name.as_str().unwrap() {
            "BLINK" => "blink",
            "SMILE" => "smile",
            "TURN_LEFT" => "turnLeft",
            "TURN_RIGHT" => "turnRight",
            "NOD" => "nod",
            other => panic!("{other}"),
        };
        json!(format!("ChallengeType.{name}"))
    };
    for is_turned_round in [false, true] {
        let started = world.dispatch(START, "{}", &world.customer(1)).await.unwrap();
        let mut done: Vec<_> = started["challenges"]
            .as_array()
            .unwrap()
            .iter()
            .map(of_the_sdk)
            .collect();
        if is_turned_round {
            done.reverse();
        }
        world.clock().advance(5_000);
        let body = json!({
            "sessionId": "sdk-1", "issuedSessionId": started["sessionId"], "isSuccessful": true,
            "metadata": {"verificationResult": true, "sessionDuration": 4200, "completedChallenges": done},
        });
        let recorded = send(&world, UPDATE, 1, &body).await.unwrap();

        let codes = reasons(&world, &recorded).await.into_iter().map(|(code, _)| code);
        let codes: Vec<_> = codes
            .filter(|code| {
                ["challenges.", "session.", "time."]
                    .iter()
                    .any(|kind| code.starts_with(kind))
            })
            .collect();
        let expected: &[&str] = if is_turned_round { &["challenges.order"] } else { &[] };
        assert_eq!(codes, expected, "{body}");
    }
}
