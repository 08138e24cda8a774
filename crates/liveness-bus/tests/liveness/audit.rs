//! Each message leaves one audit entry, whatever its outcome: `docs/api.md#audit`.

use liveness_bus::testing::TestBus;
use liveness_bus::{AuditEntry, AuditSubject, Context, Principal, RequestId};
use liveness_core::store::CheckFilter;
use serde_json::json;

use crate::report::{GET, GET_RECORD, RETRIEVE, RETRIEVE_ENTRIES, RETRIEVE_MINE, STATUS, SUBMIT, UPDATE, body_with};

#[expect(clippy::unwrap_used, reason = "id and address are valid")]
fn from_somewhere(world: &TestBus, principal: Principal) -> Context {
    world
        .context(principal)
        .request_id(RequestId::parse("r-7").unwrap())
        .client_address(Some("41.58.12.100".parse().unwrap()))
        .build()
}

#[expect(clippy::unwrap_used, reason = "time and address are valid")]
fn entry(message: &'static str, outcome: &'static str) -> AuditEntry {
    AuditEntry {
        at: "2026-03-22T14:00:05Z".parse().unwrap(),
        request_id: "r-7".into(),
        principal: "1".into(),
        issuer: None,
        actor: None,
        roles: "customer".into(),
        self_service_user_id: Some(1),
        message: message.into(),
        outcome: outcome.into(),
        client_address: Some("41.58.12.100".parse().unwrap()),
        subject: AuditSubject::default(),
    }
}

fn of_admin(message: &'static str, outcome: &'static str, user: Option<i64>) -> AuditEntry {
    AuditEntry {
        principal: "admin-1".into(),
        roles: "admin".into(),
        self_service_user_id: user,
        ..entry(message, outcome)
    }
}

/// The entries that one message leaves, without what they say was shown: `looks.rs` checks that.
async fn left_by(world: &TestBus, message: &str, body: &str, principal: Principal) -> Vec<AuditEntry> {
    let before = world.audit_entries().await.len();
    // Other tests check the reply. This one checks only the entries.
    let _answer = world.dispatch(message, body, &from_somewhere(world, principal)).await;
    let mut left = world.audit_entries().await.split_off(before);
    for entry in &mut left {
        entry.subject = AuditSubject::default();
    }
    left
}

fn admin() -> Principal {
    Principal::new("admin-1").with_role("admin")
}

#[tokio::test]
async fn a_command_leaves_one_entry_however_it_ends() {
    let world = TestBus::new();
    let taken = body_with(json!({"sessionId": "taken"})).to_string();
    world.dispatch(SUBMIT, &taken, &world.customer(2)).await.unwrap();
    let cases = [
        (body_with(json!({})).to_string(), "00"),
        (body_with(json!({"sessionId": ""})).to_string(), "30"),
        ("no JSON".to_owned(), "30"),
        (taken, "94"),
    ];

    for command in [SUBMIT, UPDATE] {
        for (body, outcome) in &cases {
            let left = left_by(&world, command, body, TestBus::customer_principal(1)).await;
            assert_eq!(left, [entry(command, outcome)], "{body}");
        }
    }
}

#[tokio::test]
async fn a_declined_submission_leaves_one_entry_and_no_record() {
    let world = TestBus::new();
    let body = body_with(json!({"isSuccessful": false})).to_string();

    let left = left_by(&world, SUBMIT, &body, TestBus::customer_principal(1)).await;

    assert_eq!(left, [entry(SUBMIT, "05")]);
    let page = liveness_core::store::PageRequest { number: 1, size: 1 };
    assert_eq!(
        world
            .store()
            .checks()
            .page(CheckFilter::default(), page)
            .await
            .unwrap()
            .total,
        0
    );
}

#[tokio::test]
async fn who_may_not_send_a_message_leaves_an_entry() {
    let world = TestBus::new();

    for command in [SUBMIT, UPDATE] {
        assert_eq!(
            left_by(&world, command, "{}", admin()).await,
            [of_admin(command, "57", None)]
        );
    }
    for query in [GET, GET_RECORD, RETRIEVE, RETRIEVE_ENTRIES] {
        let expected = AuditEntry {
            self_service_user_id: None,
            ..entry(query, "57")
        };
        assert_eq!(
            left_by(&world, query, "{}", TestBus::customer_principal(1)).await,
            [expected]
        );
    }
}

#[tokio::test]
async fn the_queries_of_an_administrator_name_the_user_concerned() {
    let world = TestBus::new();
    world.add_customer(1234).await;
    let body = body_with(json!({})).to_string();
    world.dispatch(SUBMIT, &body, &world.customer(1234)).await.unwrap();
    let cases = [
        // The query does not name the user. Only the record does.
        (GET_RECORD, r#"{"id":1}"#, of_admin(GET_RECORD, "00", Some(1234))),
        (GET_RECORD, r#"{"id":2}"#, of_admin(GET_RECORD, "25", None)),
        (GET_RECORD, r#"{"id":0}"#, of_admin(GET_RECORD, "30", None)),
        (GET_RECORD, "no JSON", of_admin(GET_RECORD, "30", None)),
        (GET, r#"{"userId":1234}"#, of_admin(GET, "00", Some(1234))),
        (GET, r#"{"userId":5}"#, of_admin(GET, "25", Some(5))),
        (GET, "{}", of_admin(GET, "30", None)),
        (GET, "no JSON", of_admin(GET, "30", None)),
        (RETRIEVE, "{}", of_admin(RETRIEVE, "00", None)),
        (
            RETRIEVE,
            r#"{"selfServiceUserId":1234}"#,
            of_admin(RETRIEVE, "00", Some(1234)),
        ),
        (RETRIEVE, r#"{"pageSize":0}"#, of_admin(RETRIEVE, "30", None)),
        (RETRIEVE, "no JSON", of_admin(RETRIEVE, "30", None)),
    ];

    for (query, body, expected) in cases {
        assert_eq!(
            left_by(&world, query, body, admin()).await,
            [expected],
            "{query} {body}"
        );
    }
}

#[tokio::test]
async fn both_roles_are_told() {
    let world = TestBus::new();
    let both = TestBus::customer_principal(1).with_role("Admin");

    let left = left_by(&world, RETRIEVE, "{}", both).await;

    let expected = AuditEntry {
        roles: "customer,admin".into(),
        self_service_user_id: None,
        ..entry(RETRIEVE, "00")
    };
    assert_eq!(left, [expected]);
}

#[tokio::test]
async fn the_status_query_and_unknown_messages_leave_none() {
    let world = TestBus::new();
    let customer = TestBus::customer_principal(1);

    for (message, body) in [(STATUS, "{}"), (STATUS, "no JSON"), ("NoSuchCommand", "{}")] {
        assert_eq!(
            left_by(&world, message, body, customer.clone()).await,
            [],
            "{message} {body}"
        );
    }
    assert_eq!(left_by(&world, STATUS, "{}", admin()).await, []);
}

#[tokio::test]
async fn a_message_of_nobody_leaves_none() {
    let world = TestBus::new();

    for message in [
        SUBMIT,
        UPDATE,
        STATUS,
        GET,
        GET_RECORD,
        RETRIEVE,
        RETRIEVE_MINE,
        RETRIEVE_ENTRIES,
    ] {
        assert_eq!(
            left_by(&world, message, "{}", Principal::anonymous()).await,
            [],
            "{message}"
        );
    }
}
