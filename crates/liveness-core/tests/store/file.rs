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

/// Records until the log and its index are there, and gives back their paths.
async fn companions_of(database: &Database) -> [PathBuf; 2] {
    database.record(recording(1, "session-1")).await;
    let [_, (log, _), (index, _)] = files_of(database).try_into().unwrap();
    assert!(log.metadata().unwrap().len() > 0 && index.exists());
    [log, index]
}

#[tokio::test]
async fn a_deleted_log_or_index_is_unavailable() {
    for which in [0, 1] {
        let database = Database::sqlite();
        let companions = companions_of(&database).await;

        fs::remove_file(&companions[which]).unwrap();

        assert_unavailable(&database.store).await;
    }
}

#[tokio::test]
async fn a_log_or_index_that_was_replaced_is_unavailable_until_it_is_back() {
    for which in [0, 1] {
        let database = Database::sqlite();
        let file = companions_of(&database).await[which].clone();
        let away = file.with_extension("away");
        fs::rename(&file, &away).unwrap();
        fs::copy(&away, &file).unwrap();
        assert_unavailable(&database.store).await;

        fs::rename(&away, &file).unwrap();

        assert_eq!(database.record(recording(1, "session-1")).await.check.id, 2);
        assert_eq!(database.rows(), [2, 0, 1, 0, 2]);
    }
}

#[tokio::test]
async fn a_truncated_log_is_unavailable_until_its_bytes_are_back() {
    let database = Database::sqlite();
    let [log, _] = companions_of(&database).await;
    let bytes = fs::read(&log).unwrap();
    for length in [0, bytes.len() as u64 / 2, bytes.len() as u64 - 1] {
        fs::File::options()
            .write(true)
            .open(&log)
            .unwrap()
            .set_len(length)
            .unwrap();

        assert_unavailable(&database.store).await;

        fs::write(&log, &bytes).unwrap();
    }
    assert_eq!(database.record(recording(1, "session-1")).await.check.id, 2);
    assert_eq!(database.rows(), [2, 0, 1, 0, 2]);
}

#[tokio::test]
async fn a_log_that_vanishes_during_a_write_is_never_acknowledged() {
    let database = Database::sqlite();
    let [log, _] = companions_of(&database).await;
    let hold = database.hold();
    let store = database.store.clone();
    let recorded = tokio::spawn(async move { store.checks().record(recording(1, "session-2")).await });
    // The writer takes the write, looks at the files, and waits for its turn.
    while database.store.stats().waiting_writes > 0 {
        tokio::task::yield_now().await;
    }
    fs::remove_file(&log).unwrap();

    hold.release();

    let outcome = recorded.await.unwrap();
    assert!(
        matches!(outcome, Err(StoreError::OutcomeUnknown(_) | StoreError::Unavailable(_))),
        "{outcome:?}"
    );
}

#[tokio::test]
async fn a_log_that_a_checkpoint_of_another_process_emptied_is_no_trouble() {
    let database = Database::sqlite();
    let [log, _] = companions_of(&database).await;

    database.execute("PRAGMA wal_checkpoint(TRUNCATE)");

    assert_eq!(log.metadata().unwrap().len(), 0);
    assert!(database.store.ping().await.is_ok());
    assert_eq!(database.record(recording(1, "session-1")).await.check.id, 2);
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
