//! A session id belongs to the first user who recorded it.

use liveness_core::store::StoreError;

use crate::database::{Database, keyed, recording};

#[tokio::test]
async fn a_session_of_another_user_is_a_conflict_and_leaves_nothing() {
    let database = Database::new();
    database.record(recording(1, "session-1")).await;
    let before = database.rows();

    let refused = database.store.record(keyed(2, "session-1", "key-1", "{}")).await;

    assert!(matches!(refused, Err(StoreError::SessionOfAnotherUser)), "{refused:?}");
    assert_eq!(database.rows(), before);
}

#[tokio::test]
async fn the_same_user_may_record_a_session_again() {
    let database = Database::new();

    let first = database.record(recording(1, "session-1")).await;
    let second = database.record(recording(1, "session-1")).await;

    assert!(second.check.id > first.check.id);
    assert_eq!(database.rows(), [2, 0, 1, 0, 2]);
}

#[tokio::test]
async fn a_session_id_is_told_apart_by_case() {
    let database = Database::new();
    database.record(recording(1, "session-a")).await;

    let other = database.record(recording(2, "session-A")).await;

    assert_eq!(other.check.self_service_user_id, 2);
    assert_eq!(database.rows(), [2, 0, 2, 0, 2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_sixteen_users_racing_for_a_session_one_gets_it() {
    let database = Database::new();
    let racers: Vec<_> = (1..=16)
        .map(|user| {
            let store = database.store.clone();
            tokio::spawn(async move { store.record(recording(user, "session-1")).await })
        })
        .collect();

    let (mut owners, mut conflicts) = (Vec::new(), 0);
    for racer in racers {
        match racer.await.unwrap() {
            Ok(recorded) => owners.push(recorded.check.self_service_user_id),
            Err(StoreError::SessionOfAnotherUser) => conflicts += 1,
            Err(other) => panic!("{other}"),
        }
    }

    assert_eq!((owners.len(), conflicts), (1, 15));
    assert_eq!(database.rows(), [1, 0, 1, 0, 1]);
    assert_eq!(database.record(recording(owners[0], "session-1")).await.check.id, 2);
}
