//! A session id belongs to the first user who recorded it.

use liveness_core::store::StoreError;

use crate::database::{Database, on_each_engine};
use crate::queue::begin_record;
use crate::samples::{at_once, keyed, recording};

async fn a_session_of_another_user_is_a_conflict_and_leaves_nothing(database: Database) {
    database.record(recording(1, "session-1")).await;
    let before = (database.rows(), database.totals());

    let refused = database
        .store
        .checks()
        .record(keyed(2, "session-1", "key-1", "{}"))
        .await;

    assert!(matches!(refused, Err(StoreError::SessionOfAnotherUser)), "{refused:?}");
    assert_eq!((database.rows(), database.totals()), before);
}

async fn the_same_user_may_record_a_session_again(database: Database) {
    let first = database.record(recording(1, "session-1")).await;
    let second = database.record(recording(1, "session-1")).await;

    assert!(second.check.id > first.check.id);
    assert_eq!(database.rows(), [2, 0, 1, 0, 2]);
}

async fn a_session_id_is_told_apart_by_case(database: Database) {
    database.record(recording(1, "session-a")).await;

    let other = database.record(recording(2, "session-A")).await;

    assert_eq!(other.check.self_service_user_id, 2);
    assert_eq!(database.rows(), [2, 0, 2, 0, 2]);
}

async fn only_one_of_thirty_two_users_gets_a_session_on_two_stores(database: Database) {
    let stores = [database.store.clone(), database.open()];
    let calls = (1..=32).map(|user| {
        let store = stores[user as usize % 2].clone();
        async move { store.checks().record(recording(user, "session-1")).await }
    });

    let (mut owners, mut conflicts) = (Vec::new(), 0);
    for answer in at_once(calls).await {
        match answer {
            Ok(recorded) => owners.push(recorded.check.self_service_user_id),
            Err(StoreError::SessionOfAnotherUser) => conflicts += 1,
            Err(other) => panic!("{other:?}"),
        }
    }

    assert_eq!((owners.len(), conflicts), (1, 31));
    assert_eq!(database.rows(), [1, 0, 1, 0, 1]);
    assert!(!database.record(recording(owners[0], "session-1")).await.is_replay);
}

/// Two users record in the same sessions on two stores, in opposite order.
async fn each_of_many_sessions_belongs_to_one_user_only(database: Database) {
    let stores = [database.store.clone(), database.open()];
    let hold = database.hold();
    let calls: Vec<_> = (0..128)
        .map(|number| {
            let (user, place) = (number % 2 + 1, number / 2);
            let session = if user == 1 { place } else { 63 - place };
            let recording = recording(user, &format!("session-{session}"));
            begin_record(&stores[number as usize % 2], recording).unwrap()
        })
        .collect();
    hold.release();

    let answers = at_once(calls).await;

    let recorded = answers.iter().filter(|answer| answer.is_ok()).count();
    let conflict = |answer: &&Result<_, _>| matches!(answer, Err(StoreError::SessionOfAnotherUser));
    assert_eq!((recorded, answers.iter().filter(conflict).count()), (64, 64));
    assert_eq!(database.rows(), [64, 0, 64, 0, 64]);
    let [owners, recorders] = ["sessions", "checks"].map(|table| {
        database.texts(&format!(
            "SELECT session_id || ' ' || self_service_user_id FROM liveness_{table} ORDER BY 1"
        ))
    });
    assert_eq!(owners, recorders);
}

on_each_engine! {
    a_session_of_another_user_is_a_conflict_and_leaves_nothing,
    the_same_user_may_record_a_session_again,
    a_session_id_is_told_apart_by_case,
    only_one_of_thirty_two_users_gets_a_session_on_two_stores,
    each_of_many_sessions_belongs_to_one_user_only,
}
