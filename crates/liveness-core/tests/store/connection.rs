//! A database that is out of reach is told so; nothing is ever acknowledged that is not in the file.

use std::fs;
use std::path::PathBuf;

use diesel::connection::SimpleConnection as _;
use liveness_core::CompletionRule;
use liveness_core::store::{CheckFilter, PageRequest, Store, StoreError};

use crate::database::{Database, NOW, at, audit_entry, recording};

/// The outcome of every operation of a store, by its name.
async fn every_operation(store: &Store) -> Vec<(&'static str, Result<(), StoreError>)> {
    let (rule, page) = (CompletionRule::AnySuccessful, PageRequest { number: 1, size: 20 });
    let user = recording(9, "session-9").check.user;
    vec![
        ("ping", store.ping().await),
        ("record", store.record(recording(1, "session-1")).await.map(drop)),
        ("append_audit_entry", store.append_audit_entry(audit_entry(1)).await),
        ("add_user", store.add_user(user, at(NOW)).await.map(drop)),
        ("newest_audit_entries", store.newest_audit_entries(1).await.map(drop)),
        ("completing_check", store.completing_check(1, rule).await.map(drop)),
        (
            "completing_check_with_image",
            store.completing_check_with_image(1, rule).await.map(drop),
        ),
        ("checks", store.checks(CheckFilter::default(), page).await.map(drop)),
        ("users", store.users(vec![1]).await.map(drop)),
        ("user_by_user_id", store.user_by_user_id("USR-1".into()).await.map(drop)),
    ]
}

async fn assert_unavailable(store: &Store) {
    for (operation, outcome) in every_operation(store).await {
        assert!(
            matches!(outcome, Err(StoreError::Unavailable(_))),
            "{operation}: {outcome:?}"
        );
    }
}

/// The database file and its two companions, and where a test may put them meanwhile.
fn files_of(database: &Database) -> Vec<(PathBuf, PathBuf)> {
    let path = database.path();
    let of = |suffix: &str| format!("{}{suffix}", path.display());
    ["", "-wal", "-shm"]
        .map(|suffix| (of(suffix).into(), format!("{}.away", of(suffix)).into()))
        .into()
}

#[tokio::test]
async fn every_operation_works_on_a_database_in_order() {
    let database = Database::new();

    for (operation, outcome) in every_operation(&database.store).await {
        assert!(outcome.is_ok(), "{operation}: {outcome:?}");
    }
}

#[tokio::test]
async fn a_deleted_file_is_unavailable_to_reads_and_writes() {
    let database = Database::new();
    database.record(recording(1, "session-1")).await;

    fs::remove_file(database.path()).unwrap();

    assert_unavailable(&database.store).await;
    assert!(!database.path().exists());
}

#[tokio::test]
async fn a_file_in_place_of_the_database_is_unavailable_and_not_written_to() {
    let (database, other) = (Database::new(), Database::new());
    for (file, away) in files_of(&database) {
        fs::rename(file, away).unwrap();
    }
    other.execute("PRAGMA wal_checkpoint(TRUNCATE)");
    fs::copy(other.path(), database.path()).unwrap();

    assert_unavailable(&database.store).await;

    assert_eq!(database.rows(), [0, 0, 0, 0, 0]);
}

#[tokio::test]
async fn a_file_put_back_works_again_without_opening_it_anew() {
    let database = Database::new();
    database.record(recording(1, "session-1")).await;
    for (file, away) in files_of(&database) {
        fs::rename(file, away).unwrap();
    }
    assert_unavailable(&database.store).await;

    for (file, away) in files_of(&database) {
        fs::rename(away, file).unwrap();
    }

    assert_eq!(database.record(recording(1, "session-1")).await.check.id, 2);
    assert_eq!(database.rows(), [2, 0, 1, 0, 2]);
}

#[tokio::test]
async fn a_database_that_another_writes_to_is_read_and_not_written() {
    let database = Database::new();
    database.record(recording(1, "session-1")).await;
    let mut other = database.connect();
    other.batch_execute("BEGIN IMMEDIATE").unwrap();

    let refused = database.store.record(recording(2, "session-2")).await;
    let read = database.store.completing_check(1, CompletionRule::AnySuccessful).await;

    assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
    assert!(read.unwrap().is_some());
    other.batch_execute("ROLLBACK").unwrap();
    assert_eq!(database.rows(), [1, 0, 1, 0, 1]);
    assert_eq!(database.record(recording(2, "session-2")).await.check.id, 2);
}

#[tokio::test]
async fn a_full_database_is_unavailable_and_records_nothing() {
    // The limit is that of a connection, so it is set on the store's own, which a pool of one has.
    let host = crate::host_pool::Host::new(1);
    let store = host.migrated_store();
    host.execute("PRAGMA max_page_count = 1");
    let mut large = recording(1, "session-1");
    large.check.image = Some(crate::database::jpeg());

    let refused = store.record(large).await;

    assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
    assert_eq!(host.number("SELECT count(*) FROM liveness_checks"), 0);
}

#[tokio::test]
async fn without_its_tables_the_database_is_not_ready() {
    let folder = tempfile::tempdir().unwrap();

    let store = Store::open(&format!("sqlite://{}/empty.db", folder.path().display())).unwrap();

    assert!(matches!(store.ping().await, Err(StoreError::Internal(_))));
}

#[tokio::test(flavor = "multi_thread")]
async fn many_calls_at_once_are_all_served() {
    let database = Database::new();
    let calls: Vec<_> = (0..64)
        .map(|number| {
            let store = database.store.clone();
            tokio::spawn(async move {
                store
                    .record(recording(number % 8 + 1, &format!("session-{}", number % 8)))
                    .await?;
                store
                    .completing_check(number % 8 + 1, CompletionRule::LatestVerified)
                    .await
            })
        })
        .collect();

    for call in calls {
        call.await.unwrap().unwrap();
    }

    assert_eq!(database.rows(), [64, 0, 8, 0, 64]);
}
