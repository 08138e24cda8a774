//! The outcome of every operation when the database is in order, when it is in use, and when it has no tables.

use liveness_core::CompletionRule;
use liveness_core::store::{CheckFilter, PageRequest, Store, StoreError};

use crate::database::{Database, Place, on_each_engine};
use crate::samples::{at_once, audit_entry, recording};

/// The name and the outcome of every operation of a store.
pub(crate) async fn every_operation(store: &Store) -> Vec<(&'static str, Result<(), StoreError>)> {
    let (rule, page) = (CompletionRule::AnySuccessful, PageRequest { number: 1, size: 20 });
    let user = recording(9, "session-9").check.user;
    vec![
        ("ping", store.ping().await),
        (
            "record",
            store.checks().record(recording(1, "session-1")).await.map(drop),
        ),
        ("append_audit_entry", store.trail().append(audit_entry(1)).await),
        ("add_user", store.users().add(user, audit_entry(1)).await.map(drop)),
        ("newest_audit_entries", store.trail().newest(1).await.map(drop)),
        ("completing_check", store.checks().completing(1, rule).await.map(drop)),
        (
            "completing_check_with_image",
            store.checks().completing_with_face(1, rule).await.map(drop),
        ),
        (
            "checks",
            store.checks().page(CheckFilter::default(), page).await.map(drop),
        ),
        ("users", store.users().find(vec![1]).await.map(drop)),
        (
            "user_by_user_id",
            store.users().get_by_user_id("USR-1".into()).await.map(drop),
        ),
    ]
}

pub(crate) async fn assert_unavailable(store: &Store) {
    for (operation, outcome) in every_operation(store).await {
        assert!(
            matches!(outcome, Err(StoreError::Unavailable(_))),
            "{operation}: {outcome:?}"
        );
    }
}

async fn every_operation_works_on_a_database_in_order(database: Database) {
    for (operation, outcome) in every_operation(&database.store).await {
        assert!(outcome.is_ok(), "{operation}: {outcome:?}");
    }
}

async fn a_database_that_another_writes_to_is_read_and_not_written(database: Database) {
    database.record(recording(1, "session-1")).await;
    let hold = database.hold();

    let refused = database.store.checks().record(recording(2, "session-2")).await;
    let read = database
        .store
        .checks()
        .completing(1, CompletionRule::AnySuccessful)
        .await;

    assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
    assert!(read.unwrap().is_some());
    assert_eq!(database.rows(), [1, 0, 1, 0, 1]);
    hold.release();
    assert!(database.store.checks().record(recording(2, "session-2")).await.is_ok());
    assert_eq!(database.rows(), [2, 0, 2, 0, 2]);
}

async fn without_its_tables_the_database_is_not_ready(place: Place) {
    let outcome = place.open().ping().await;

    assert!(matches!(outcome, Err(StoreError::Internal(_))), "{outcome:?}");
}

async fn records_are_there_when_the_database_is_opened_again(database: Database) {
    let first = database.record(recording(1, "session-1")).await;

    let again = database.open();
    again.migrate().unwrap();

    let found = again
        .checks()
        .completing(1, CompletionRule::AnySuccessful)
        .await
        .unwrap();
    assert_eq!(found, Some(first.check));
}

async fn many_calls_at_once_are_all_served(database: Database) {
    let calls = (0..64).map(|number| {
        let (store, user) = (database.store.clone(), number % 8 + 1);
        async move {
            store
                .checks()
                .record(recording(user, &format!("session-{user}")))
                .await?;
            store.checks().completing(user, CompletionRule::AnySuccessful).await
        }
    });

    for answer in at_once(calls).await {
        assert!(answer.unwrap().is_some());
    }

    assert_eq!(database.rows(), [64, 0, 8, 0, 64]);
}

#[tokio::test]
async fn a_store_in_memory_is_a_database_of_its_own() {
    let (store, other) = (Store::in_memory().unwrap(), Store::in_memory().unwrap());
    store.migrate().unwrap();
    other.migrate().unwrap();

    for (operation, outcome) in every_operation(&store).await {
        assert!(outcome.is_ok(), "{operation}: {outcome:?}");
    }

    assert_eq!(other.trail().newest(9).await.unwrap(), []);
    assert_eq!(store.trail().newest(9).await.unwrap().len(), 3);
}

on_each_engine! {
    every_operation_works_on_a_database_in_order,
    a_database_that_another_writes_to_is_read_and_not_written,
    without_its_tables_the_database_is_not_ready,
    records_are_there_when_the_database_is_opened_again,
    many_calls_at_once_are_all_served,
}
