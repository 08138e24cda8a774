//! A command repeated under its idempotency key records once.

use liveness_core::store::{Recording, StoreError};

use crate::database::{Database, HOUR, NOW, at, keyed};

fn made_at(unix_millis: i64, recording: Recording) -> Recording {
    let mut recording = recording;
    recording.check.created_at = at(unix_millis);
    recording
}

#[tokio::test]
async fn a_replay_answers_the_first_record_and_is_audited() {
    let database = Database::new();
    let first = database.record(keyed(1, "session-1", "key-1", "{}")).await;

    let replay = database
        .record(made_at(NOW + HOUR, keyed(1, "session-1", "key-1", "{}")))
        .await;

    assert!(replay.is_replay);
    assert_eq!(replay.check, first.check);
    assert_eq!(database.rows(), [1, 0, 1, 1, 2]);
}

#[tokio::test]
async fn a_key_with_another_body_is_a_conflict_and_leaves_nothing() {
    let database = Database::new();
    database.record(keyed(1, "session-1", "key-1", "{}")).await;
    let before = database.rows();

    let refused = database.store.record(keyed(1, "session-2", "key-1", "{ }")).await;

    assert!(matches!(refused, Err(StoreError::IdempotencyKeyReused)), "{refused:?}");
    assert_eq!(database.rows(), before);
}

#[tokio::test]
async fn a_key_of_a_refused_recording_may_be_used_again() {
    let database = Database::new();
    database.record(keyed(2, "session-2", "key-1", "{}")).await;
    let refused = database.store.record(keyed(1, "session-2", "key-1", "wrong")).await;

    let corrected = database.record(keyed(1, "session-1", "key-1", "right")).await;

    assert!(matches!(refused, Err(StoreError::SessionOfAnotherUser)), "{refused:?}");
    assert!(!corrected.is_replay);
}

#[tokio::test]
async fn a_key_stands_for_one_user_and_one_command() {
    let database = Database::new();
    database.record(keyed(1, "session-1", "key-1", "{}")).await;

    let of_another_user = database.record(keyed(2, "session-2", "key-1", "other")).await;
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

#[tokio::test]
async fn a_key_is_told_apart_by_case() {
    let database = Database::new();
    database.record(keyed(1, "session-1", "key-a", "{}")).await;

    let other = database.record(keyed(1, "session-1", "key-A", "other")).await;

    assert!(!other.is_replay);
}

#[tokio::test]
async fn keys_older_than_a_day_are_forgotten_two_at_a_time() {
    let database = Database::new();
    for hour in 0..5 {
        let key = format!("old-{hour}");
        database
            .record(made_at(NOW + hour * HOUR, keyed(1, "session-1", &key, "{}")))
            .await;
    }

    database
        .record(made_at(NOW + 72 * HOUR, keyed(1, "session-1", "new-1", "{}")))
        .await;

    let kept = "SELECT idempotency_key FROM liveness_idempotency_keys ORDER BY created_at";
    assert_eq!(database.texts(kept), ["old-2", "old-3", "old-4", "new-1"]);
    database
        .record(made_at(NOW + 72 * HOUR, keyed(1, "session-1", "new-2", "{}")))
        .await;
    assert_eq!(database.texts(kept), ["old-4", "new-1", "new-2"]);
}

#[tokio::test]
async fn a_key_is_kept_for_a_day() {
    let database = Database::new();
    database.record(keyed(1, "session-1", "young", "{}")).await;
    let replay = |key| made_at(NOW + 24 * HOUR, keyed(1, "session-1", key, "{}"));

    let other = database.record(replay("other")).await;
    let young = database.record(replay("young")).await;

    assert!(!other.is_replay);
    assert!(young.is_replay);
}

#[tokio::test]
async fn forgetting_a_key_leaves_its_record() {
    let database = Database::new();
    database.record(keyed(1, "session-1", "old", "{}")).await;

    database
        .record(made_at(NOW + 25 * HOUR, keyed(1, "session-1", "new", "{}")))
        .await;
    let again = database
        .record(made_at(NOW + 25 * HOUR, keyed(1, "session-1", "old", "other")))
        .await;

    assert!(!again.is_replay);
    assert_eq!(database.rows(), [3, 0, 1, 2, 3]);
}

#[tokio::test(flavor = "multi_thread")]
async fn thirty_two_calls_at_once_under_one_key_record_once() {
    let database = Database::new();
    let calls: Vec<_> = (0..32)
        .map(|_| {
            let store = database.store.clone();
            tokio::spawn(async move { store.record(keyed(1, "session-1", "key-1", "{}")).await })
        })
        .collect();

    let mut answers = Vec::new();
    for call in calls {
        answers.push(call.await.unwrap().unwrap());
    }

    assert_eq!(answers.iter().filter(|answer| !answer.is_replay).count(), 1);
    assert!(answers.iter().all(|answer| answer.check == answers[0].check));
    assert_eq!(database.rows(), [1, 0, 1, 1, 32]);
}
