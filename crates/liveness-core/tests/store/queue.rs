//! Writes wait in a queue of bounded length. To fill the queue, a test holds up the writers.

use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use liveness_core::store::{GroupCommit, Recorded, Recording, Store, StoreError};

use crate::database::{Database, on_each_engine};
use crate::samples::{at_once, jpeg, recording, with_face};

type Outcome<T> = Result<T, StoreError>;

/// A write that waits.
pub(crate) type Call<T> = Pin<Box<dyn Future<Output = Outcome<T>> + Send>>;

/// Puts a write into the queue, or returns the error that the store answers at once.
pub(crate) fn begin<T>(call: impl Future<Output = Outcome<T>> + Send + 'static) -> Outcome<Call<T>> {
    let mut call: Call<T> = Box::pin(call);
    match call.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Pending => Ok(call),
        Poll::Ready(outcome) => outcome.map(|_| panic!("the write did not wait")),
    }
}

/// Puts a record into the queue.
pub(crate) fn begin_record(store: &Store, recording: Recording) -> Outcome<Call<Recorded>> {
    let store = store.clone();
    begin(async move { store.checks().record(recording).await })
}

/// Puts one record with a face into the queue for each of this many users. Each record is added as soon as there is
/// room.
async fn fill(store: &Store, users: i64) -> Vec<Call<Recorded>> {
    let mut waiting = Vec::new();
    let filled = async {
        while (waiting.len() as i64) < users {
            let user = 1000 + waiting.len() as i64;
            match begin_record(store, with_face(recording(user, &format!("busy-{user}")))) {
                Ok(call) => waiting.push(call),
                Err(StoreError::Unavailable(_)) => tokio::task::yield_now().await,
                Err(other) => panic!("{other:?}"),
            }
        }
    };
    let in_time = tokio::time::timeout(Duration::from_secs(30), filled).await;
    in_time.unwrap();
    waiting
}

/// Settings for a queue that has room for one face of the tests.
pub(crate) fn one_face() -> GroupCommit {
    GroupCommit {
        queue_bytes: jpeg().bytes().len(),
        ..GroupCommit::default()
    }
}

/// Keeps every writer of a store busy with one write each, and puts one more write into the queue. The store must have
/// the settings of `one_face`, and the database must be on hold.
///
/// The queue refuses a face while another face waits. So when the last face is in the queue, the writers have taken all
/// the other faces.
pub(crate) async fn occupy(database: &Database, store: &Store) -> Vec<Call<Recorded>> {
    fill(store, writers(database) + 1).await
}

/// How many transactions of a store may write at once.
pub(crate) fn writers(database: &Database) -> i64 {
    database.pick(1, 2)
}

/// Every attempt is refused at once while the writers are held up.
async fn assert_stays_full(attempt: impl Fn() -> Outcome<Call<Recorded>>) {
    for _ in 0..200 {
        let Err(StoreError::Unavailable(cause)) = attempt() else {
            panic!("the queue took the write")
        };
        assert_eq!(cause.to_string(), "too many writes wait for the database");
        tokio::task::yield_now().await;
    }
}

async fn a_write_is_refused_while_four_others_wait(database: Database) {
    let store = database.open_to_queue(GroupCommit { queue: 4, ..one_face() });
    let hold = database.hold();
    // The last of these writes waits in the queue, and so do three more.
    let mut waiting = occupy(&database, &store).await;
    for user in 1..=3 {
        waiting.push(begin_record(&store, recording(user, &format!("session-{user}"))).unwrap());
    }

    assert_stays_full(|| begin_record(&store, recording(4, "session-4"))).await;

    hold.release();
    for call in waiting {
        call.await.unwrap();
    }
    assert!(store.checks().record(recording(4, "session-4")).await.is_ok());
    let (sessions, faces) = (writers(&database) + 5, writers(&database) + 1);
    assert_eq!(database.rows(), [sessions, faces, sessions, 0, sessions]);
}

async fn an_image_is_refused_while_too_many_bytes_wait(database: Database) {
    let settings = GroupCommit {
        batch: 1,
        queue_bytes: 3 * jpeg().bytes().len() - 1,
        ..GroupCommit::default()
    };
    let store = database.open_to_queue(settings);
    let hold = database.hold();
    let waiting = fill(&store, writers(&database) + 2).await;

    assert_stays_full(|| begin_record(&store, with_face(recording(1, "session-1")))).await;
    let small = begin_record(&store, recording(2, "session-2")).unwrap();

    hold.release();
    for call in waiting {
        call.await.unwrap();
    }
    small.await.unwrap();
    for _ in 0..3 {
        assert!(
            store
                .checks()
                .record(with_face(recording(1, "session-1")))
                .await
                .is_ok()
        );
    }
}

async fn a_caller_that_goes_away_loses_nobody_elses_write(database: Database) {
    let store = database.open_to_queue(one_face());
    let hold = database.hold();
    let mut busy = occupy(&database, &store).await;
    let mut queued: Vec<_> = (1..=8)
        .map(|user| begin_record(&store, recording(user, &format!("session-{user}"))).unwrap())
        .collect();

    // The first caller's write is with a writer. The other two wait in the queue.
    drop(busy.remove(0));
    drop(queued.remove(6));
    drop(queued.remove(1));
    hold.release();

    for call in busy.into_iter().chain(queued) {
        call.await.unwrap();
    }
    assert!(store.checks().record(recording(9, "session-9")).await.is_ok());
    let others = "SELECT count(*) FROM liveness_checks WHERE self_service_user_id IN (1, 3, 4, 5, 6, 8, 9)";
    assert_eq!(database.number(others), 7);
}

async fn if_a_caller_is_told_that_nothing_was_recorded_it_is_true(database: Database) {
    let store = database.open_to_queue(one_face());
    let hold = database.hold();
    let busy = occupy(&database, &store).await;
    let queued = (1..=8).map(|user| begin_record(&store, recording(user, &format!("queued-{user}"))).unwrap());
    let all: Vec<_> = busy.into_iter().chain(queued).collect();

    let outcomes = at_once(all).await;
    hold.release();
    // This record comes after all writes that may still wait.
    while store.checks().record(recording(9, "last")).await.is_err() {}

    let is_unavailable = |outcome: &Outcome<_>| matches!(outcome, Err(StoreError::Unavailable(_)));
    let is_unknown = |outcome: &Outcome<_>| matches!(outcome, Err(StoreError::OutcomeUnknown(_)));
    let unknown = outcomes.iter().filter(|outcome| is_unknown(outcome)).count() as i64;
    assert!(
        outcomes
            .iter()
            .all(|outcome| is_unavailable(outcome) || is_unknown(outcome)),
        "{outcomes:?}"
    );
    assert!(outcomes.iter().any(is_unavailable), "{outcomes:?}");
    let recorded = database.number("SELECT count(*) FROM liveness_checks WHERE session_id <> 'last'");
    assert!(recorded <= unknown, "{recorded} of {outcomes:?}");
}

on_each_engine! {
    a_write_is_refused_while_four_others_wait,
    an_image_is_refused_while_too_many_bytes_wait,
    a_caller_that_goes_away_loses_nobody_elses_write,
    if_a_caller_is_told_that_nothing_was_recorded_it_is_true,
}
