//! Legal holds, and what `trail verify` finds when somebody changes them in the database.

use liveness_core::store::{Store, TrailPart};
use liveness_core::trail::TrailKey;

use crate::database::{Database, on_each_engine};
use crate::erasures::{findings, signed};
use crate::samples::{order, recording};
use crate::sealed_faces::record;

/// What is found in all parts of the trail, one after the other.
fn found_in_parts(store: &Store, pem: &str) -> Vec<String> {
    let key = TrailKey::from_pem(pem).unwrap();
    let part = |number| {
        let part = TrailPart { number, of: 5 };
        store.trail().verify(&key, false, part, |_, _| {}).unwrap().findings
    };
    let mut found: Vec<_> = (0..5).flat_map(part).collect();
    found.sort();
    found.dedup();
    found
}

/// What somebody does who has all rights in the database, and what is found. A hold is on user 1, and one on user 2 was lifted.
const TAMPERING: &[(&str, &[&str])] = &[
    (
        "DELETE FROM liveness_legal_holds",
        &["the legal hold on user 1 was taken away: audit entry 4 has placed it"],
    ),
    (
        "UPDATE liveness_legal_holds SET because = 'another'",
        &["the legal hold on user 1 was changed: audit entry 4 tells of another"],
    ),
    (
        "UPDATE liveness_legal_holds SET held_since = held_since + 1",
        &["the legal hold on user 1 was changed: audit entry 4 tells of another"],
    ),
    (
        "UPDATE liveness_legal_holds SET placed_by = 'somebody'",
        &["the legal hold on user 1 was changed: audit entry 4 tells of another"],
    ),
    (
        "UPDATE liveness_legal_holds SET self_service_user_id = 3",
        &[
            "the legal hold on user 1 was taken away: audit entry 4 has placed it",
            "the legal hold on user 3 was put in: no audit entry tells of it",
        ],
    ),
    (
        "UPDATE liveness_legal_holds SET self_service_user_id = 2",
        &[
            "the legal hold on user 1 was taken away: audit entry 4 has placed it",
            "the legal hold on user 2 was put back: audit entry 6 has lifted it",
        ],
    ),
];

async fn a_hold_that_was_changed_in_the_database_is_found(database: Database) {
    let store = &database.store;
    let pem = signed(store);
    for user in 1..=3 {
        record(store, recording(user, &format!("session-{user}"))).await;
    }
    let holds = store.holds();
    holds.place(1, false, order()).await.unwrap();
    holds.place(2, false, order()).await.unwrap();
    holds.lift(2, order()).await.unwrap();
    assert_eq!(findings(store, &pem), [""; 0]);
    for (statement, expected) in TAMPERING {
        database.execute("CREATE TABLE kept AS SELECT * FROM liveness_legal_holds");
        database.execute(statement);
        assert_eq!(found_in_parts(store, &pem), *expected, "{statement}");
        database.execute(
            "DELETE FROM liveness_legal_holds; INSERT INTO liveness_legal_holds SELECT * FROM kept; DROP TABLE kept",
        );
    }
    assert_eq!(found_in_parts(store, &pem), [""; 0]);
}

async fn holds_that_are_lifted_and_placed_again_are_no_findings(database: Database) {
    let store = &database.store;
    let pem = signed(store);
    record(store, recording(1, "session-1")).await;
    let holds = store.holds();
    holds.place(1, false, order()).await.unwrap();
    holds.lift(1, order()).await.unwrap();
    holds.place(1, false, order()).await.unwrap();
    assert_eq!(findings(store, &pem), [""; 0]);
    // It counts before its entry is in the log.
    holds.lift(1, order()).await.unwrap();
    assert_eq!(found_in_parts(store, &pem), [""; 0]);
    // An erasure takes the words out of the entries, and leaves what happened.
    store.erasures().erase_user(1, false, order()).await.unwrap();
    assert_eq!(findings(store, &pem), [""; 0]);
    holds.place(1, true, order()).await.unwrap();
    assert_eq!(findings(store, &pem), [""; 0]);

    database.execute("DELETE FROM liveness_legal_holds");

    let found = found_in_parts(store, &pem);
    assert!(
        found.len() == 1 && found[0].starts_with("the legal hold on user 1 was taken away: audit entry "),
        "{found:?}"
    );
}

on_each_engine! {
    holds_that_are_lifted_and_placed_again_are_no_findings,
    ;
    not on Citus:
    a_hold_that_was_changed_in_the_database_is_found,
}
