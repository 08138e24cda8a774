//! A command that is repeated under its idempotency key records only once.

use liveness_core::store::{Recording, StoreError};

use crate::database::{Database, on_each_engine};
use crate::queue::begin_record;
use crate::samples::{HOUR, NOW, at_once, keyed, made_at};

async fn a_replay_answers_the_first_record_and_is_audited(database: Database) {
    let first = database.record(keyed(1, "session-1", "key-1", "{}")).await;

    let replay = database
        .record(made_at(NOW + HOUR, keyed(1, "session-1", "key-1", "{}")))
        .await;

    assert!(replay.is_replay);
    assert_eq!(replay.check, first.check);
    assert_eq!(database.rows(), [1, 0, 1, 1, 2]);
}

async fn a_key_with_another_body_is_a_conflict_and_leaves_nothing(database: Database) {
    database.record(keyed(1, "session-1", "key-1", "{}")).await;
    let before = (database.rows(), database.totals());

    for session in ["session-1", "session-2"] {
        let refused = database.store.checks().record(keyed(1, session, "key-1", "{ }")).await;

        assert!(matches!(refused, Err(StoreError::IdempotencyKeyReused)), "{refused:?}");
        assert_eq!((database.rows(), database.totals()), before);
    }
}

async fn a_key_of_a_refused_recording_may_be_used_again(database: Database) {
    database.record(keyed(2, "session-2", "key-1", "{}")).await;
    let refused = database
        .store
        .checks()
        .record(keyed(1, "session-2", "key-1", "wrong"))
        .await;

    let corrected = database.record(keyed(1, "session-1", "key-1", "right")).await;

    assert!(matches!(refused, Err(StoreError::SessionOfAnotherUser)), "{refused:?}");
    assert!(!corrected.is_replay);
}

async fn a_key_stands_for_one_user_and_one_command(database: Database) {
    database.record(keyed(1, "session-1", "key-1", "{}")).await;

    let of_another_user = database.record(keyed(11, "session-2", "key-1", "other")).await;
    let of_another_command = database
        .record(Recording {
            command: "UpdateLivenessCheckCommand",
            ..keyed(1, "session-1", "key-1", "other")
        })
        .await;

    assert_eq!(
        (of_another_user.is_replay, of_another_command.is_replay),
        (false, false)
    );
    assert_eq!(database.rows(), [3, 0, 2, 3, 3]);
}

async fn a_key_is_told_apart_by_case(database: Database) {
    database.record(keyed(1, "session-1", "key-a", "{}")).await;

    let other = database.record(keyed(1, "session-1", "key-A", "other")).await;

    assert!(!other.is_replay);
}

async fn a_key_is_kept_for_ever(database: Database) {
    let first = database.record(keyed(1, "session-1", "key-1", "{}")).await;
    let years_later = NOW + 10 * 365 * 24 * HOUR;
    for number in 2..5 {
        let key = format!("key-{number}");
        database
            .record(made_at(years_later, keyed(1, "session-1", &key, "{}")))
            .await;
    }

    let replay = database
        .record(made_at(years_later, keyed(1, "session-1", "key-1", "{}")))
        .await;

    assert!(replay.is_replay);
    assert_eq!(replay.check, first.check);
    assert_eq!(database.rows(), [4, 0, 1, 4, 5]);
}

async fn the_longest_key_of_any_visible_characters_is_found_again(database: Database) {
    let visible: String = ('!'..='~').cycle().take(255).collect();
    let first = database.record(keyed(i64::MAX, "session-1", &visible, "{}")).await;

    let replay = database.record(keyed(i64::MAX, "session-1", &visible, "{}")).await;

    assert!(replay.is_replay);
    assert_eq!(replay.check, first.check);
}

/// Makes sixteen calls on each of two stores, as if from two processes.
async fn thirty_two_calls_at_once_under_one_key_record_once(database: Database) {
    let stores = [database.store.clone(), database.open()];
    let calls = (0..32).map(|number| {
        let store = stores[number % 2].clone();
        async move { store.checks().record(keyed(1, "session-1", "key-1", "{}")).await }
    });

    let answers: Result<Vec<_>, _> = at_once(calls).await.into_iter().collect();

    let answers = answers.unwrap();
    assert_eq!(answers.iter().filter(|answer| !answer.is_replay).count(), 1);
    assert!(answers.iter().all(|answer| answer.check == answers[0].check));
    assert_eq!(database.rows(), [1, 0, 1, 1, 32]);
}

/// Some clients make a new session for each try.
async fn calls_at_once_under_one_key_with_other_sessions_record_once(database: Database) {
    let stores = [database.store.clone(), database.open()];
    let calls = (0..32).map(|number| {
        let store = stores[number % 2].clone();
        async move {
            store
                .checks()
                .record(keyed(1, &format!("session-{number}"), "key-1", "{}"))
                .await
        }
    });

    let answers: Result<Vec<_>, _> = at_once(calls).await.into_iter().collect();

    let answers = answers.unwrap();
    assert_eq!(answers.iter().filter(|answer| !answer.is_replay).count(), 1);
    assert!(answers.iter().all(|answer| answer.check == answers[0].check));
    assert_eq!(database.rows(), [1, 0, 1, 1, 32]);
}

/// Two stores get the same keys in opposite order. Each call has a session of its own.
async fn many_keys_at_once_on_two_stores_record_once_each(database: Database) {
    let stores = [database.store.clone(), database.open()];
    let hold = database.hold();
    let calls: Vec<_> = (0..128)
        .map(|number| {
            let key = if number % 2 == 0 { number / 2 } else { 63 - number / 2 };
            let recording = keyed(1, &format!("session-{number}"), &format!("key-{key}"), "{}");
            begin_record(&stores[number % 2], recording).unwrap()
        })
        .collect();
    hold.release();

    let answers: Result<Vec<_>, _> = at_once(calls).await.into_iter().collect();

    let replays = answers.unwrap().iter().filter(|answer| answer.is_replay).count();
    assert_eq!(replays, 64);
    assert_eq!(database.rows(), [64, 0, 64, 64, 128]);
}

on_each_engine! {
    a_replay_answers_the_first_record_and_is_audited,
    a_key_with_another_body_is_a_conflict_and_leaves_nothing,
    a_key_of_a_refused_recording_may_be_used_again,
    a_key_stands_for_one_user_and_one_command,
    a_key_is_told_apart_by_case,
    a_key_is_kept_for_ever,
    the_longest_key_of_any_visible_characters_is_found_again,
    thirty_two_calls_at_once_under_one_key_record_once,
    calls_at_once_under_one_key_with_other_sessions_record_once,
    many_keys_at_once_on_two_stores_record_once_each,
}
