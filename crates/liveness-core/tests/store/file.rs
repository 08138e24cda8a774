//! The file of a SQLite database. Only its owner may read it, and nothing is acknowledged that is not in the file.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use diesel::connection::SimpleConnection as _;
use liveness_core::store::{Store, StoreError};

use crate::connection::assert_unavailable;
use crate::database::{Database, Place};
use crate::host_pool::sqlite_pool;
use crate::samples::{recording, with_face};

/// The database file and its two companions, each with a path that a test can move it to for a while.
fn files_of(database: &Database) -> Vec<(PathBuf, PathBuf)> {
    let path = database.path();
    let of = |suffix: &str| format!("{}{suffix}", path.display());
    ["", "-wal", "-shm"]
        .map(|suffix| (of(suffix).into(), format!("{}.away", of(suffix)).into()))
        .into()
}

#[tokio::test]
async fn a_deleted_file_is_unavailable_to_reads_and_writes() {
    let database = Database::sqlite();
    database.record(recording(1, "session-1")).await;

    fs::remove_file(database.path()).unwrap();

    assert_unavailable(&database.store).await;
    assert!(!database.path().exists());
}

#[tokio::test]
async fn a_file_in_place_of_the_database_is_unavailable_and_not_written_to() {
    let (database, other) = (Database::sqlite(), Database::sqlite());
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
    let database = Database::sqlite();
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
async fn a_full_database_is_unavailable_and_records_nothing() {
    // The limit belongs to one connection. The pool has only one, so the store uses the connection with the limit.
    let place = Place::file();
    let pool = sqlite_pool(&place, 1);
    let store = Store::from_sqlite_pool(pool.clone()).unwrap();
    store.migrate().unwrap();
    pool.get().unwrap().batch_execute("PRAGMA max_page_count = 1").unwrap();

    let refused = store.checks().record(with_face(recording(1, "session-1"))).await;

    assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
    assert_eq!(place.number("SELECT count(*) FROM liveness_checks"), 0);
}

#[tokio::test]
async fn only_its_owner_may_read_the_file() {
    let database = Database::sqlite();
    database.record(recording(1, "session-1")).await;

    for suffix in ["", "-wal", "-shm"] {
        let path = format!("{}{suffix}", database.path().display());
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{path}");
    }
}
