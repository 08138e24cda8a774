//! The self-service user behind a token.

use liveness_core::{Claims, Timestamp, UserReference};
use serde_json::{Value, json};

use crate::engine::{Engine, on_each_engine};
use crate::server::{Answer, Server, admin, customer, report, token};
use crate::wire::{DETAILS, LIST, STATUS, UPDATE, assert_refused};

const NOBODY: (u16, &str) = (403, "57");

fn details(server: &Server, id: i64) -> Answer {
    server.send(DETAILS, &admin(), &json!({ "userId": id }))
}

fn named(subject: Value) -> String {
    token(&json!({ "sub": subject, "role": "customer" }))
}

/// Records a check with the token, and gives back whose it is.
fn records_for(server: &Server, token: &str, session: &str) -> Value {
    let answer = server.send(UPDATE, token, &report(session, true));
    assert_eq!(answer.codes(), (200, "00"), "{answer:?}");
    let page = server.send(LIST, &admin(), &json!({ "sessionId": session }));
    page.data()["Items"][0]["SelfServiceUserId"].clone()
}

fn a_number_seen_for_the_first_time_becomes_a_user_of_the_claims(engine: Engine) {
    let server = Server::start(engine);
    assert_eq!(details(&server, 1234).codes(), (404, "25"));
    let claims = json!({
        "sub": "1234", "email": "jane@example.com", "given_name": "Jane", "family_name": "Doe",
        "middle_name": "M.", "name": "Dr. Jane Doe", "preRegistrationId": 77, "role": "customer",
    });
    assert_eq!(server.send(STATUS, &token(&claims), &json!({})).codes(), (200, "00"));

    let expected = json!({
        "UserId": 1234, "UserId2": "USR-00001234", "EmailAddress": "jane@example.com", "FirstName": "Jane",
        "LastName": "Doe", "MiddleName": "M.", "DisplayName": "Dr. Jane Doe",
        "HasCompletedLivenessCheck": false, "LivenessCheck": null,
    });
    assert_eq!(details(&server, 1234).data(), &expected);

    let later = json!({ "sub": "1234", "email": "eve@example.com", "name": "Eve", "role": "customer" });
    assert_eq!(records_for(&server, &token(&later), "s"), 1234);
    assert_eq!(details(&server, 1234).data()["EmailAddress"], "jane@example.com");
    let page = server.send(LIST, &admin(), &json!({ "preRegistrationId": 77 }));
    assert_eq!(page.data()["TotalCount"], 1);
}

fn a_user_without_a_name_is_called_by_the_given_and_the_family_name(engine: Engine) {
    let server = Server::start(engine);
    let cases = [
        (
            json!({ "sub": "1", "given_name": "Jane", "family_name": "Doe" }),
            json!("Jane Doe"),
        ),
        (json!({ "sub": "2", "family_name": "Doe" }), json!("Doe")),
        (json!({ "sub": "3" }), Value::Null),
        (
            json!({ "sub": "4", "name": 5, "given_name": ["Jane"], "email": {}, "preRegistrationId": {} }),
            Value::Null,
        ),
        (json!({ "sub": "5", "name": "", "given_name": "Jane" }), json!("Jane")),
    ];
    for (claims, expected) in cases {
        assert_eq!(
            server.send(STATUS, &token(&claims), &json!({})).codes(),
            (200, "00"),
            "{claims}"
        );
        let id = claims["sub"].as_str().unwrap().parse().unwrap();
        assert_eq!(details(&server, id).data()["DisplayName"], expected, "{claims}");
    }
}

fn a_user_is_found_by_number_and_by_user_id(engine: Engine) {
    let server = Server::start(engine);
    assert_eq!(records_for(&server, &customer(1234), "a"), 1234);
    assert_eq!(records_for(&server, &named(json!(1234)), "b"), 1234);
    assert_eq!(records_for(&server, &named(json!("USR-00001234")), "c"), 1234);
}

fn what_names_no_user_may_do_nothing(engine: Engine) {
    let server = Server::start(engine);
    assert_eq!(records_for(&server, &customer(7), "s"), 7);
    let subjects = [
        json!("USR-00000008"),
        json!("usr-00000007"),
        json!("USR-7"),
        json!("somebody"),
        json!("007"),
        json!("+7"),
        json!("-7"),
        json!("7.0"),
        json!("7e0"),
        json!(" 7"),
        json!("0"),
        json!("9223372036854775808"),
        json!("\u{ff17}"),
        json!("x".repeat(255)),
        json!(0),
    ];
    for subject in subjects {
        let answer = server.send(STATUS, &named(subject.clone()), &json!({}));
        assert_refused(&subject.to_string(), &answer, NOBODY);
    }
    let without = token(&json!({ "role": "customer" }));
    assert_refused("no subject", &server.send(STATUS, &without, &json!({})), NOBODY);
}

fn without_provisioning_only_known_users_are_served(engine: Engine) {
    let server = Server::with(engine, &[("LIVENESS_PROVISION_USERS", "false")]);
    assert_refused("query", &server.send(STATUS, &customer(5), &json!({})), NOBODY);
    assert_refused(
        "command",
        &server.send(UPDATE, &customer(5), &report("s", true)),
        NOBODY,
    );
    assert_eq!(details(&server, 5).codes(), (404, "25"));

    let user = Claims::of(UserReference::Id(5)).to_user(5);
    let created: Timestamp = "2026-03-22T14:00:00Z".parse().unwrap();
    let added = actix_web::rt::System::new().block_on(server.store().users().put(vec![user], created));
    added.unwrap();
    assert_eq!(records_for(&server, &customer(5), "a"), 5);

    server.signal("KILL");
    let server = server.restart();
    assert_eq!(records_for(&server, &named(json!("USR-00000005")), "b"), 5);
    assert_refused("another", &server.send(STATUS, &customer(6), &json!({})), NOBODY);
}

fn the_claim_that_names_the_user_is_a_setting(engine: Engine) {
    let server = Server::with(engine, &[("LIVENESS_JWT_USER_ID_CLAIM", "uid")]);
    assert_eq!(records_for(&server, &token(&json!({ "sub": "8", "uid": "5" })), "a"), 5);
    assert_eq!(records_for(&server, &token(&json!({ "uid": 6 })), "b"), 6);
    for claims in [json!({ "sub": "5" }), json!({ "sub": "5", "uid": null })] {
        let answer = server.send(STATUS, &token(&claims), &json!({}));
        assert_refused(&claims.to_string(), &answer, NOBODY);
    }
    assert_eq!(details(&server, 8).codes(), (404, "25"));
}

fn the_claim_that_names_the_user_may_be_a_path(engine: Engine) {
    let server = Server::with(engine, &[("LIVENESS_JWT_USER_ID_CLAIM", "customer.number")]);
    let nested = token(&json!({ "sub": "8", "customer": { "number": 5 } }));
    assert_eq!(records_for(&server, &nested, "a"), 5);
    let whole = token(&json!({ "sub": "8", "customer.number": "6", "customer": { "number": 5 } }));
    assert_eq!(records_for(&server, &whole, "b"), 6);
    for claims in [
        json!({ "sub": "8", "customer": 5 }),
        json!({ "sub": "8", "customer": { "number": [5] } }),
        json!({ "sub": "8", "number": 5 }),
        json!({ "sub": "8", "customer.number": null, "customer": { "number": 5 } }),
    ] {
        assert_refused(
            &claims.to_string(),
            &server.send(STATUS, &token(&claims), &json!({})),
            NOBODY,
        );
    }
}

on_each_engine! {
    a_number_seen_for_the_first_time_becomes_a_user_of_the_claims,
    a_user_without_a_name_is_called_by_the_given_and_the_family_name,
    a_user_is_found_by_number_and_by_user_id,
    what_names_no_user_may_do_nothing,
    without_provisioning_only_known_users_are_served,
    the_claim_that_names_the_user_is_a_setting,
    the_claim_that_names_the_user_may_be_a_path,
}
