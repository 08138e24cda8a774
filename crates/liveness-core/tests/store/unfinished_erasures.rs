//! Erasures whose commit fails after a key was destroyed: the trail tells of them all the same.

use std::time::{Duration, Instant};

use liveness_core::store::{CompleteErasures, ErasureError, JobRunner, JobSettings, Store};

use crate::database::{Database, on_each_engine};
use crate::erasures::{findings, signed};
use crate::samples::{HOUR, NOW, at, order};
use crate::sealed_faces::{Vault, face_of, patterned, record};

const PATIENCE: Duration = Duration::from_secs(30);
const ORDERS: &str = "SELECT count(*) FROM liveness_jobs WHERE kind = 'erasures.complete'";

/// From now on, no transaction can be committed that erases a face: a key that points nowhere is found by COMMIT itself.
pub(crate) fn let_commits_fail(database: &Database) {
    database.execute(
        "CREATE TABLE nowhere (id BIGINT PRIMARY KEY); \
         CREATE TABLE pointing (id BIGINT REFERENCES nowhere (id) DEFERRABLE INITIALLY DEFERRED)",
    );
    database.execute(database.pick(
        "CREATE TRIGGER failing AFTER INSERT ON liveness_face_erasures BEGIN INSERT INTO pointing VALUES (1); END",
        "CREATE FUNCTION point_nowhere() RETURNS trigger LANGUAGE plpgsql AS \
         $$ BEGIN INSERT INTO pointing VALUES (1); RETURN NULL; END $$; \
         CREATE TRIGGER failing AFTER INSERT ON liveness_face_erasures FOR EACH ROW EXECUTE FUNCTION point_nowhere()",
    ));
}

pub(crate) fn let_commits_succeed(database: &Database) {
    database.execute(database.pick(
        "DROP TRIGGER failing",
        "DROP TRIGGER failing ON liveness_face_erasures; DROP FUNCTION point_nowhere",
    ));
    database.execute("DROP TABLE pointing; DROP TABLE nowhere");
}

/// A minute later, the job runs.
pub(crate) async fn a_minute_later(store: &Store, database: &Database) {
    database.execute("UPDATE liveness_jobs SET run_at = 0, takeable_at = 0");
    let runner = JobRunner::start(store, vec![Box::new(CompleteErasures)], JobSettings::default()).unwrap();
    let deadline = Instant::now() + PATIENCE;
    while database.number(ORDERS) > 0 {
        assert!(Instant::now() < deadline, "the job has not run");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    runner.stop(PATIENCE);
}

async fn an_erasure_whose_commit_fails_is_completed_by_itself(database: Database) {
    let vault = Vault::of(&database);
    let store = vault.open(&database);
    let pem = signed(&store);
    let check = record(&store, patterned(1, "session-1")).await;
    let entries = "SELECT count(*) FROM liveness_audit_entries";
    let before = database.number(entries);
    let_commits_fail(&database);

    let failed = store.erasures().erase_face(check.id, order()).await;

    assert!(matches!(failed, Err(ErasureError::Store(_))), "{failed:?}");
    assert_eq!(
        database.number("SELECT count(*) FROM liveness_checks WHERE has_image"),
        1
    );
    // Its key is gone, and no entry says so.
    assert_eq!(face_of(&store, &check).await, None);
    assert_eq!((database.number(entries), database.number(ORDERS)), (before, 1));
    let_commits_succeed(&database);
    // Nothing keeps a face that nobody can open.
    store.holds().place(1, false, order()).await.unwrap();

    a_minute_later(&store, &database).await;

    let evidence = store.checks().evidence(check.id).await.unwrap().unwrap();
    let erasure = evidence.erasure.unwrap();
    assert_eq!(
        (erasure.erased_at, &*erasure.because),
        (at(NOW + HOUR), "Request 2026-118")
    );
    let receipt = store.trail().newest(1).await.unwrap().remove(0);
    assert_eq!(
        (&*receipt.principal, &*receipt.message),
        ("officer-1", "EraseFaceCommand")
    );
    assert_eq!(receipt.request_id, "request-2");
    assert_eq!(receipt.subject.face_digest, Some(erasure.digest));
    assert_eq!(findings(&store, &pem), [""; 0]);
}

async fn the_erasure_of_a_user_whose_commit_fails_goes_on_by_itself(database: Database) {
    let vault = Vault::of(&database);
    let store = vault.open(&database);
    let pem = signed(&store);
    let check = record(&store, patterned(1, "session-1")).await;
    let_commits_fail(&database);
    let failed = store.erasures().erase_user(1, false, order()).await;
    assert!(matches!(failed, Err(ErasureError::Store(_))), "{failed:?}");
    assert_eq!((face_of(&store, &check).await, database.number(ORDERS)), (None, 1));
    let_commits_succeed(&database);

    a_minute_later(&store, &database).await;

    let again = store.erasures().erase_user(1, false, order()).await;
    assert!(matches!(again, Err(ErasureError::Erased)), "{again:?}");
    assert_eq!(database.number("SELECT faces FROM liveness_user_erasures"), 1);
    assert_eq!(findings(&store, &pem), [""; 0]);
}

async fn an_order_is_kept_until_it_is_done_and_a_hold_that_came_first_wins(database: Database) {
    let vault = Vault::of(&database);
    let store = vault.open(&database);
    let pem = signed(&store);
    let [gone, kept] = [
        record(&store, patterned(1, "session-1")).await,
        record(&store, patterned(2, "session-2")).await,
    ];
    store.erasures().erase_face(gone.id, order()).await.unwrap();
    store.erasures().erase_user(1, false, order()).await.unwrap();
    assert_eq!(database.number(ORDERS), 0);

    // The process ended before it could destroy the key, and then somebody has placed a hold.
    vault.place.execute("ALTER TABLE liveness_face_keys RENAME TO hidden");
    let failed = store.erasures().erase_face(kept.id, order()).await;
    assert!(matches!(failed, Err(ErasureError::Store(_))), "{failed:?}");
    vault.place.execute("ALTER TABLE hidden RENAME TO liveness_face_keys");
    assert_eq!(database.number(ORDERS), 1);
    store.holds().place(2, false, order()).await.unwrap();

    a_minute_later(&store, &database).await;

    assert!(face_of(&store, &kept).await.is_some());
    assert_eq!(findings(&store, &pem), [""; 0]);
}

on_each_engine!(
    ;
    not on Citus:
    an_erasure_whose_commit_fails_is_completed_by_itself,
    the_erasure_of_a_user_whose_commit_fails_goes_on_by_itself,
    an_order_is_kept_until_it_is_done_and_a_hold_that_came_first_wins,
);
