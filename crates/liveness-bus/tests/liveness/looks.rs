//! Who has seen this face? Every message that shows data of people leaves an entry that says what it showed.

use std::collections::BTreeMap;

use liveness_bus::liveness::{MESSAGES, Settings};
use liveness_bus::testing::TestBus;
use liveness_bus::{Audit, AuditSubject, BusError, Context, Kind, Shown};
use serde_json::{Value, json};

use crate::report::{GET, GET_RECEIPT, GET_RECORD, RETRIEVE, RETRIEVE_ENTRIES, RETRIEVE_MINE, UPDATE, problems_in};

/// A JPEG of one pixel, up to the end of its frame header, in Base64.
const FACE: &str = "/9j/wAALCAABAAEBAREA";
/// Its SHA-256, as `printf … | base64 -d | sha256sum` prints it.
const FACE_SHA256: &str = "987459534458e4ce3081df15f18e22251916cb75fe733a9c80b7cd71ecce91b9";

#[expect(clippy::unwrap_used, reason = "a test that cannot go on ends there")]
fn digest() -> [u8; 32] {
    let byte = |at: usize| u8::from_str_radix(&FACE_SHA256[2 * at..2 * at + 2], 16).unwrap();
    std::array::from_fn(byte)
}

/// Users 7 and 8. 7 has a record without a face, then one with a face. 8 has a record that failed.
#[expect(clippy::unwrap_used, reason = "a test that cannot go on ends there")]
async fn three_records(settings: Settings) -> TestBus {
    let world = TestBus::with(settings, |builder| builder);
    let verified = json!({ "verificationResult": true });
    let records = [
        (7, json!({ "sessionId": "a", "isSuccessful": true })),
        (
            7,
            json!({ "sessionId": "b", "isSuccessful": true, "metadata": verified, "imageBase64": FACE }),
        ),
        (8, json!({ "sessionId": "c", "isSuccessful": false })),
    ];
    for user in [7, 8, 9] {
        world.add_customer(user).await;
    }
    for (user, body) in records {
        world.clock().advance(1000);
        let customer = world.customer(user);
        world.dispatch(UPDATE, &body.to_string(), &customer).await.unwrap();
    }
    world
}

fn record(id: i64, face: Option<[u8; 32]>, purpose: Option<&str>) -> AuditSubject {
    AuditSubject {
        liveness_check_id: Some(id),
        face_digest: face,
        shown: Shown {
            purpose: purpose.map(str::to_owned),
            ..Shown::default()
        },
    }
}

fn nothing(filter: &[(&str, &str)], purpose: Option<&str>) -> AuditSubject {
    AuditSubject {
        shown: Shown {
            count: Some(0),
            filter: named(filter),
            purpose: purpose.map(str::to_owned),
            ..Shown::default()
        },
        ..AuditSubject::default()
    }
}

fn list(records: &[i64], page: i64, page_size: i64, filter: &[(&str, &str)]) -> AuditSubject {
    AuditSubject {
        shown: Shown {
            records: records.to_vec(),
            count: Some(records.len() as u64),
            page: Some(page),
            page_size: Some(page_size),
            filter: named(filter),
            ..Shown::default()
        },
        ..AuditSubject::default()
    }
}

fn entries(count: u64, page: i64, page_size: i64, filter: &[(&str, &str)]) -> AuditSubject {
    let mut shown = list(&[], page, page_size, filter);
    shown.shown.count = Some(count);
    shown
}

fn named(filter: &[(&str, &str)]) -> BTreeMap<String, String> {
    let filter = filter.iter();
    filter
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

/// What may be sent, and what its entry has to say.
fn looks() -> Vec<(&'static str, Value, AuditSubject)> {
    let why = Some("Ticket 4711");
    vec![
        (
            GET_RECORD,
            json!({ "id": 2, "purpose": " Ticket 4711 " }),
            record(2, Some(digest()), why),
        ),
        (GET_RECORD, json!({ "id": 2 }), record(2, Some(digest()), None)),
        (GET_RECORD, json!({ "id": 1, "purpose": "" }), record(1, None, None)),
        (
            GET_RECORD,
            json!({ "id": 70, "purpose": "Ticket 4711" }),
            nothing(&[("id", "70")], why),
        ),
        (
            GET,
            json!({ "userId": 7, "purpose": "Ticket 4711" }),
            record(2, Some(digest()), why),
        ),
        // Their latest record did not pass, so the answer has none.
        (GET, json!({ "userId": 8 }), nothing(&[], None)),
        (GET, json!({ "userId": 9 }), nothing(&[], None)),
        (
            GET,
            json!({ "userId": 70, "purpose": "Ticket 4711" }),
            nothing(&[], why),
        ),
        (RETRIEVE, json!({}), list(&[3, 2, 1], 1, 20, &[])),
        (
            RETRIEVE,
            json!({ "pageNumber": 2, "pageSize": 1, "from": "2026-03-22T15:00:00+01:00", "sessionId": "" }),
            list(&[2], 2, 1, &[("from", "2026-03-22T14:00:00Z")]),
        ),
        (
            RETRIEVE,
            json!({
                "preRegistrationId": 1, "selfServiceUserId": 7, "sessionId": " b ", "from": "2026-03-22T14:00:00Z",
                "to": "2026-03-23T14:00:00Z", "isSuccessful": true, "hasImage": true,
            }),
            list(
                &[],
                1,
                20,
                &[
                    ("preRegistrationId", "1"),
                    ("selfServiceUserId", "7"),
                    ("sessionId", "b"),
                    ("from", "2026-03-22T14:00:00Z"),
                    ("to", "2026-03-23T14:00:00Z"),
                    ("isSuccessful", "true"),
                    ("hasImage", "true"),
                ],
            ),
        ),
        (GET_RECEIPT, json!({ "id": 2 }), record(2, None, None)),
        (GET_RECEIPT, json!({ "id": 3 }), nothing(&[("id", "3")], None)),
        (RETRIEVE_MINE, json!({}), list(&[2, 1], 1, 20, &[])),
        (
            RETRIEVE_MINE,
            json!({ "pageNumber": 2, "pageSize": 1 }),
            list(&[1], 2, 1, &[]),
        ),
        (RETRIEVE_MINE, json!({ "pageNumber": 9 }), list(&[], 9, 20, &[])),
        (
            RETRIEVE_ENTRIES,
            json!({ "checkId": 1, "message": UPDATE }),
            entries(1, 1, 20, &[("checkId", "1"), ("message", UPDATE)]),
        ),
        (
            RETRIEVE_ENTRIES,
            json!({
                "userId": 7, "principal": "7", "from": "2026-03-22T14:00:00Z", "to": "2026-03-23T14:00:00Z",
                "before": 2, "pageNumber": 1, "pageSize": 5,
            }),
            entries(
                1,
                1,
                5,
                &[
                    ("userId", "7"),
                    ("principal", "7"),
                    ("from", "2026-03-22T14:00:00Z"),
                    ("to", "2026-03-23T14:00:00Z"),
                    ("before", "2"),
                ],
            ),
        ),
        (
            RETRIEVE_ENTRIES,
            json!({ "before": 1_000_000 }),
            entries(0, 1, 20, &[("before", "1000000")]),
        ),
    ]
}

/// Somebody who may send the message.
fn sender(world: &TestBus, message: &str) -> Context {
    match message {
        RETRIEVE_MINE | GET_RECEIPT => world.customer(7),
        RETRIEVE_ENTRIES => world.auditor(),
        _ => world.admin(),
    }
}

#[tokio::test]
async fn the_entry_of_every_look_says_what_was_shown() {
    let world = three_records(Settings::default()).await;
    for (message, body, expected) in looks() {
        let before = world.audit_entries().await.len();

        // What is not found is an error, and a look too.
        let _answer = world
            .dispatch(message, &body.to_string(), &sender(&world, message))
            .await;

        let left = world.audit_entries().await.split_off(before);
        let subjects: Vec<_> = left.iter().map(|entry| &entry.subject).collect();
        assert_eq!(subjects, [&expected], "{message} {body}");
    }
}

/// A message that is added has to be added to `looks`.
#[test]
fn every_message_that_shows_data_of_people_is_looked_at_here() {
    let shows = MESSAGES
        .iter()
        .filter(|meta| meta.kind() == Kind::Query && meta.audit() != Audit::LogOnly);
    let looks = looks();
    let not_looked_at: Vec<_> = shows
        .map(|meta| meta.name())
        .filter(|name| looks.iter().all(|(message, ..)| message != name))
        .collect();
    assert_eq!(not_looked_at, [""; 0]);
}

#[tokio::test]
async fn a_recording_has_the_digest_of_the_face_that_every_look_at_it_has() {
    let world = three_records(Settings::default()).await;

    world.dispatch(GET_RECORD, r#"{"id":2}"#, &world.admin()).await.unwrap();

    let entries = world.audit_entries().await;
    let of_face = entries
        .iter()
        .filter(|entry| entry.subject.face_digest == Some(digest()));
    let told: Vec<(&str, Option<i64>)> = of_face
        .map(|entry| (&*entry.message, entry.subject.liveness_check_id))
        .collect();
    assert_eq!(told, [(UPDATE, Some(2)), (GET_RECORD, Some(2))]);
}

#[tokio::test]
async fn a_purpose_has_rules() {
    let world = three_records(Settings::default()).await;
    let longest = "ü".repeat(1000);
    let cases = [
        (longest.clone(), None),
        (format!(" {longest} "), None),
        (longest + "ü", Some("length")),
        ("  ".to_owned(), Some("length")),
        ("Ticket\n4711".to_owned(), Some("control_character")),
    ];
    for (message, field, id) in [(GET_RECORD, "id", 2), (GET, "userId", 7)] {
        for (purpose, code) in &cases {
            let body = json!({ field: id, "purpose": purpose }).to_string();
            let answer = world.dispatch(message, &body, &world.admin()).await;
            let expected: Vec<_> = code
                .iter()
                .map(|code| ("purpose".to_owned(), (*code).to_owned()))
                .collect();
            assert_eq!(problems_in(answer), expected, "{message} {purpose:?}");
        }
    }
}

#[tokio::test]
async fn no_face_is_shown_without_a_purpose_where_one_is_required() {
    let settings = Settings {
        requires_purpose: true,
        ..Settings::default()
    };
    let world = three_records(settings).await;
    for (message, field, id) in [(GET_RECORD, "id", 2), (GET, "userId", 7)] {
        for purpose in [Value::Null, json!("")] {
            let body = json!({ field: id, "purpose": purpose }).to_string();
            let refused = world.dispatch(message, &body, &world.admin()).await;
            assert_eq!(
                problems_in(refused),
                [("purpose".to_owned(), "required".to_owned())],
                "{body}"
            );
        }
        let body = json!({ field: id, "purpose": "Ticket 4711" }).to_string();
        let shown = world.dispatch(message, &body, &world.admin()).await.unwrap();
        assert_eq!(shown["LivenessCheck"]["HasImage"], true);
    }
    world.dispatch(RETRIEVE, "{}", &world.admin()).await.unwrap();
}

fn limited(faces_a_day: u32) -> Settings {
    Settings {
        faces_a_day: Some(faces_a_day),
        ..Settings::default()
    }
}

/// The outcomes and the records of the entries of looks.
async fn looked(world: &TestBus) -> Vec<(String, Option<i64>, bool)> {
    let entries = world.audit_entries().await.into_iter();
    let looks = entries.filter(|entry| [GET, GET_RECORD].contains(&entry.message.as_ref()));
    looks
        .map(|entry| {
            let subject = entry.subject;
            (
                entry.outcome.into(),
                subject.liveness_check_id,
                subject.face_digest.is_some(),
            )
        })
        .collect()
}

#[tokio::test]
async fn more_faces_than_the_policy_allows_are_refused_and_the_refusal_is_audited() {
    let world = three_records(limited(2)).await;
    let ask = async |message, body: Value| world.dispatch(message, &body.to_string(), &world.admin()).await;

    // Both messages count, and a record without a face does not.
    ask(GET, json!({ "userId": 7 })).await.unwrap();
    ask(GET_RECORD, json!({ "id": 1 })).await.unwrap();
    ask(GET_RECORD, json!({ "id": 2 })).await.unwrap();
    let refused = ask(GET_RECORD, json!({ "id": 2, "purpose": "Ticket 4711" })).await;
    let faceless = ask(GET_RECORD, json!({ "id": 1 })).await;

    assert!(matches!(refused, Err(BusError::TooMany { retry_after }) if retry_after.as_secs() == 24 * 60 * 60));
    assert_eq!(faceless.unwrap()["LivenessCheck"]["HasImage"], false);
    let ok = || "00".to_owned();
    let expected = [
        (ok(), Some(2), true),
        (ok(), Some(1), false),
        (ok(), Some(2), true),
        ("65".to_owned(), Some(2), false),
        (ok(), Some(1), false),
    ];
    assert_eq!(looked(&world).await, expected);
}

#[tokio::test]
async fn a_day_later_faces_are_shown_again() {
    let world = three_records(limited(1)).await;
    let ask = async || world.dispatch(GET_RECORD, r#"{"id":2}"#, &world.admin()).await;

    ask().await.unwrap();
    assert!(matches!(ask().await, Err(BusError::TooMany { .. })));
    world.clock().advance(24 * 60 * 60 * 1000);

    assert_eq!(ask().await.unwrap()["LivenessCheck"]["HasImage"], true);
}
