//! Writes that wait at the same time share a transaction. Each write gets its own answer.

use std::fs;

use liveness_core::store::{GroupCommit, Recorded, StoreError};

use crate::database::{Database, on_each_engine};
use crate::queue::{begin, begin_record, occupy, one_face, writers};
use crate::samples::{at_once, audit_entry, keyed, recording};

/// The number of transactions that the store has committed. For SQLite, it is counted in the write-ahead log. For
/// PostgreSQL, it is the number of different transactions that wrote the records.
fn commits(database: &Database) -> i64 {
    if database.pick(false, true) {
        return database.number("SELECT count(DISTINCT xmin::text) FROM liveness_checks");
    }
    let log = fs::read(format!("{}-wal", database.path().display())).unwrap();
    // It is empty until something is written after the migrations.
    let Some((header, frames)) = log.split_at_checked(32) else {
        return 0;
    };
    let page_size = u32::from_be_bytes(header[8..12].try_into().unwrap()) as usize;
    let is_commit = |frame: &&[u8]| frame[4..8] != [0; 4] && frame[8..16] == header[16..24];
    frames.chunks_exact(24 + page_size).filter(is_commit).count() as i64
}

fn name_of(outcome: &Result<Recorded, StoreError>) -> &'static str {
    match outcome {
        Ok(recorded) if recorded.is_replay => "replay",
        Ok(_) => "recorded",
        Err(StoreError::SessionOfAnotherUser) => "another's session",
        Err(StoreError::IdempotencyKeyReused) => "key reused",
        Err(StoreError::Refused(_)) => "refused",
        Err(StoreError::Unavailable(_)) => "unavailable",
        Err(StoreError::OutcomeUnknown(_)) => "unknown",
        Err(StoreError::Internal(_)) => "internal",
    }
}

async fn many_calls_at_once_are_answered_and_recorded(database: Database) {
    let calls = (1..=256).map(|user| {
        let store = database.store.clone();
        async move {
            store
                .checks()
                .record(keyed(user, &format!("session-{user}"), "key-1", "{}"))
                .await
        }
    });

    for (answer, user) in at_once(calls).await.into_iter().zip(1..) {
        let recorded = answer.unwrap();
        assert_eq!((recorded.check.self_service_user_id, recorded.is_replay), (user, false));
        assert_eq!(recorded.check.session_id, format!("session-{user}"));
    }

    assert_eq!(database.rows(), [256, 0, 256, 256, 256]);
}

async fn writes_that_wait_together_are_committed_together(database: Database) {
    let store = database.open_to_queue(one_face());
    let before = commits(&database);
    let hold = database.hold();
    let busy = occupy(&database, &store).await;

    let queued = (1..=20).map(|user| begin_record(&store, recording(user, &format!("session-{user}"))).unwrap());
    let all: Vec<_> = busy.into_iter().chain(queued).collect();
    hold.release();
    for call in all {
        call.await.unwrap();
    }

    assert_eq!(commits(&database) - before, writers(&database) + 1);
}

async fn with_a_batch_of_one_each_write_has_a_transaction_of_its_own(database: Database) {
    let store = database.open_to_queue(GroupCommit { batch: 1, ..one_face() });
    let before = commits(&database);
    let hold = database.hold();
    let busy = occupy(&database, &store).await;

    let queued = (1..=20).map(|user| begin_record(&store, recording(user, &format!("session-{user}"))).unwrap());
    let all: Vec<_> = busy.into_iter().chain(queued).collect();
    hold.release();
    for call in all {
        call.await.unwrap();
    }

    assert_eq!(commits(&database) - before, writers(&database) + 21);
}

async fn a_refused_write_does_not_keep_others_from_a_shared_transaction(database: Database) {
    database.record(keyed(1, "session-1", "key-1", "{}")).await;
    database.record(keyed(1, "session-1", "key-2", "{}")).await;
    let store = database.open_to_queue(one_face());
    let before = commits(&database);
    let hold = database.hold();
    let busy = occupy(&database, &store).await;
    let mix = [
        ("recorded", recording(3, "session-3")),
        ("another's session", recording(2, "session-1")),
        ("key reused", keyed(1, "session-9", "key-1", "other")),
        ("replay", keyed(1, "session-8", "key-2", "{}")),
        ("recorded", keyed(4, "session-4", "key-1", "{}")),
    ];

    let (expected, calls): (Vec<_>, Vec<_>) = mix
        .into_iter()
        .map(|(expected, recording)| (expected, begin_record(&store, recording).unwrap()))
        .unzip();
    hold.release();

    let outcomes = at_once(calls).await;
    at_once(busy).await;
    assert_eq!(outcomes.iter().map(name_of).collect::<Vec<_>>(), expected);
    assert_eq!(commits(&database) - before, writers(&database) + 1);
    let of_others = writers(&database) + 1;
    assert_eq!(
        database.rows(),
        [4 + of_others, of_others, 3 + of_others, 3, 5 + of_others]
    );
}

async fn a_write_that_the_database_refuses_fails_alone(database: Database) {
    database.record(keyed(1, "session-1", "key-1", "{}")).await;
    database.record(keyed(1, "session-1", "key-2", "{}")).await;
    let check = "CHECK (session_id <> 'poisoned')";
    database.execute(&format!(
        "ALTER TABLE liveness_checks ADD COLUMN refused INTEGER {check}"
    ));
    let store = database.open_to_queue(one_face());
    let hold = database.hold();
    let busy = occupy(&database, &store).await;
    let mix = [
        ("recorded", recording(3, "session-3")),
        ("internal", recording(4, "poisoned")),
        ("another's session", recording(2, "session-1")),
        ("internal", recording(0, "of nobody")),
        ("key reused", keyed(1, "session-9", "key-1", "other")),
        ("recorded", keyed(5, "session-5", "key-5", "{}")),
        ("replay", keyed(1, "session-8", "key-2", "{}")),
    ];
    let user = recording(6, "none").check.user;

    let (expected, calls): (Vec<_>, Vec<_>) = mix
        .into_iter()
        .map(|(expected, recording)| (expected, begin_record(&store, recording).unwrap()))
        .unzip();
    let (of_entry, of_user, added) = (store.clone(), store.clone(), user.clone());
    let entry = begin(async move { of_entry.trail().append(audit_entry(7)).await }).unwrap();
    let user_call = begin(async move { of_user.users().add(added, audit_entry(8)).await }).unwrap();
    hold.release();

    let outcomes = at_once(calls).await;
    at_once(busy).await;
    assert_eq!(outcomes.iter().map(name_of).collect::<Vec<_>>(), expected);
    entry.await.unwrap();
    assert_eq!(user_call.await.unwrap(), Some(user));
    let of_others = writers(&database) + 1;
    assert_eq!(
        database.rows(),
        [4 + of_others, of_others, 3 + of_others, 3, 7 + of_others]
    );
    let everyone = format!("pre-registration 0: {}", 4 + of_others);
    assert_eq!(database.totals()[0], everyone);
}

/// PostgreSQL refuses a text with U+0000. The other writes of the same batch must still succeed.
async fn a_text_that_cannot_be_stored_does_not_fail_other_writes(database: Database) {
    let store = database.open_to_queue(one_face());
    let hold = database.hold();
    let busy = occupy(&database, &store).await;
    let mut odd = recording(2, "session-2");
    odd.audit_entry.principal = "a\0b".into();

    let before = begin_record(&store, recording(1, "session-1")).unwrap();
    let odd = begin_record(&store, odd).unwrap();
    let after = begin_record(&store, recording(3, "session-3")).unwrap();
    hold.release();

    let outcomes = at_once([before, odd, after]).await;
    at_once(busy).await;
    assert!(outcomes[0].is_ok() && outcomes[2].is_ok(), "{outcomes:?}");
}

on_each_engine! {
    many_calls_at_once_are_answered_and_recorded,
    with_a_batch_of_one_each_write_has_a_transaction_of_its_own,
    a_text_that_cannot_be_stored_does_not_fail_other_writes,
    ;
    not on Citus:
    a_refused_write_does_not_keep_others_from_a_shared_transaction,
    a_write_that_the_database_refuses_fails_alone,
    writes_that_wait_together_are_committed_together,
}
