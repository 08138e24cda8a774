//! A user who is added from a token's claims leaves one entry, in the transaction that adds them.

use liveness_core::{AuditEntry, AuditSubject};
use serde_json::{Value, json};

use crate::audit::entries;
use crate::durability::until;
use crate::engine::{Engine, on_each_engine};
use crate::faults::{break_audit, mend_audit};
use crate::server::{Answer, ISSUER, Server, admin, customer, report, token};

const STATUS: &str = "CheckLivenessStatusQuery";

/// The name of each message that a customer sends, with a body.
fn messages() -> [(&'static str, Value); 3] {
    [
        (STATUS, json!({})),
        ("SubmitLivenessCheckCommand", report("a", true)),
        ("UpdateLivenessCheckCommand", report("b", false)),
    ]
}

fn is_known(server: &Server, id: i64) -> bool {
    let answer = server.send("GetUserLivenessCheckQuery", &admin(), &json!({ "userId": id }));
    answer.status == 200
}

fn of_users(entries: Vec<AuditEntry>) -> Vec<AuditEntry> {
    let added = entries.into_iter();
    added.filter(|entry| entry.message.ends_with(": user added")).collect()
}

fn the_first_message_of_a_user_leaves_an_entry_of_it(engine: Engine) {
    let server = Server::start(engine);
    for (id, (message, body)) in (7..).zip(messages()) {
        let before = entries(&server).len();
        let first = server.send(message, &customer(id), &body);
        let left = entries(&server).split_off(before);
        assert_eq!(first.status, 200, "{first:?}");
        let added = &left[0];

        let expected = AuditEntry {
            at: added.at,
            request_id: first.header("x-request-id").unwrap().to_owned(),
            principal: id.to_string(),
            issuer: Some(ISSUER.to_owned()),
            actor: None,
            roles: "customer".to_owned(),
            self_service_user_id: Some(id),
            message: format!("{message}: user added").into(),
            outcome: "00".into(),
            client_address: Some("127.0.0.1".parse().unwrap()),
            subject: AuditSubject::default(),
        };
        assert_eq!(added, &expected);
        // The message has its own entry, if it leaves one.
        assert_eq!(left.len(), if message == STATUS { 1 } else { 2 }, "{left:?}");

        let before = entries(&server).len();
        server.send(STATUS, &customer(id), &json!({}));
        assert_eq!(entries(&server).len(), before);
    }
}

fn a_message_that_is_refused_for_its_body_has_added_its_user(engine: Engine) {
    let server = Server::start(engine);

    let refused = server.send("SubmitLivenessCheckCommand", &customer(7), &json!({}));

    assert_eq!(refused.codes(), (400, "30"));
    let left = entries(&server);
    let left: Vec<_> = left.iter().map(|entry| (&*entry.message, &*entry.outcome)).collect();
    assert_eq!(
        left,
        [
            ("SubmitLivenessCheckCommand: user added", "00"),
            ("SubmitLivenessCheckCommand", "30")
        ]
    );
}

fn assert_unfit(answer: &Answer) {
    assert_eq!(answer.codes(), (403, "57"), "{answer:?}");
    let message = answer.json["message"].as_str().unwrap();
    assert!(message.contains("at most 255 characters"), "{message}");
}

fn a_claim_that_cannot_be_stored_adds_nobody(engine: Engine) {
    let server = Server::start(engine);
    let canary = "canary".repeat(667);
    for (id, claim) in (7..).zip(["email", "given_name", "family_name", "middle_name", "name"]) {
        for text in [&*canary, &"é".repeat(256), "canary\n", "canary\u{85}"] {
            let token = token(&json!({ "sub": id.to_string(), claim: text }));
            let before = server.log().len();
            for (message, body) in messages() {
                let answer = server.send(message, &token, &body);
                assert_unfit(&answer);
                let id = answer.header("x-request-id").unwrap().to_owned();
                let told = |line: &str| line.contains(&id) && line.contains(&format!("the claim {claim} must "));
                until(|| server.log()[before..].lines().any(told));
            }
            assert!(!is_known(&server, id), "{claim}");
        }
        // The longest that fits.
        let fitting = token(&json!({ "sub": id.to_string(), claim: "é".repeat(255) }));
        assert_eq!(server.send(STATUS, &fitting, &json!({})).status, 200, "{claim}");
        assert!(is_known(&server, id), "{claim}");
    }
    assert_eq!(of_users(entries(&server)).len(), 5);
    assert!(!server.log().contains("canary"), "{}", server.log());
}

fn later_claims_change_nothing_and_are_not_judged(engine: Engine) {
    let server = Server::start(engine);
    let claims = |name: &str| token(&json!({ "sub": "7", "name": name }));
    server.send(STATUS, &claims("Jane"), &json!({}));
    let before = entries(&server).len();

    for name in ["Eve", &"x".repeat(4000)] {
        assert_eq!(server.send(STATUS, &claims(name), &json!({})).status, 200);
    }

    assert_eq!(entries(&server).len(), before);
    let shown = server.send("GetUserLivenessCheckQuery", &admin(), &json!({ "userId": 7 }));
    assert_eq!(shown.data()["DisplayName"], "Jane");
}

fn an_address_that_is_not_verified_is_not_stored(engine: Engine) {
    let server = Server::start(engine);
    let cases = [
        (Some(json!(true)), true),
        (Some(json!("true")), true),
        (None, true),
        (Some(json!(false)), false),
        (Some(json!("false")), false),
        (Some(Value::Null), false),
        (Some(json!(1)), false),
    ];
    for (id, (verified, is_stored)) in (7..).zip(cases) {
        let mut claims = json!({ "sub": id.to_string(), "email": "jane@example.com" });
        if let Some(verified) = &verified {
            claims["email_verified"] = verified.clone();
        }
        server.send(STATUS, &token(&claims), &json!({}));

        let shown = server.send("GetUserLivenessCheckQuery", &admin(), &json!({ "userId": id }));
        assert_eq!(shown.data()["EmailAddress"].is_string(), is_stored, "{verified:?}");
    }
}

fn without_an_audit_entry_there_is_no_user(engine: Engine) {
    let server = Server::start(engine);
    break_audit(&server);

    let answer = server.send(STATUS, &customer(7), &json!({}));

    assert_eq!(answer.codes(), (503, "91"), "{answer:?}");
    mend_audit(&server);
    assert!(!is_known(&server, 7));
}

on_each_engine! {
    the_first_message_of_a_user_leaves_an_entry_of_it,
    a_message_that_is_refused_for_its_body_has_added_its_user,
    a_claim_that_cannot_be_stored_adds_nobody,
    later_claims_change_nothing_and_are_not_judged,
    an_address_that_is_not_verified_is_not_stored,
    without_an_audit_entry_there_is_no_user,
}
