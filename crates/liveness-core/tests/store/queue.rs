//! Writes wait in a queue of bounded length. To fill it, a test holds the writers up.

use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use liveness_core::store::{GroupCommit, Recorded, Recording, Store, StoreError};

use crate::database::{Database, on_each_engine};
use crate::samples::{at_once, jpeg, recording, with_face};

type Outcome<T> = Result<T, StoreError>;

/// A write that waits.
pub(crate) type Call<T> = Pin<Box<dyn Future<Output = Outcome<T>> + Send>>;

/// Puts a write into the queue, or gives back what it is told at once.
pub(crate) fn begin<T>(call: impl Future<Output = Outcome<T>> + Send + 'static) -> Outcome<Call<T>> {
    let mut call: Call<T> = Box::pin(call);
    match call.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Pending => Ok(call),
        Poll::Ready(outcome) => outcome.map(|_| panic!("it has not waited")),
    }
}

/// Puts a record into the queue.
pub(crate) fn begin_record(store: &Store, recording: Recording) -> Outcome<Call<Recorded>> {
    let store = store.clone();
    begin(async move { store.checks().record(recording).await })
}

/// Puts the records of this many users into the queue, each with a face and as soon as there is room.
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

/// Holds no more than one of the faces of the tests.
pub(crate) fn one_face() -> GroupCommit {
    GroupCommit {
        queue_bytes: jpeg().bytes().len(),
        ..GroupCommit::default()
    }
}

/// Gives each writer of a store that holds `one_face` a write, at which it is held up; one more waits in the queue.
///
/// As long as a face waits the next is refused: when the last is in the queue, the writers have taken the others.
pub(crate) async fn occupy(database: &Database, store: &Store) -> Vec<Call<Recorded>> {
    fill(store, writers(database) + 1).await
}

/// How many transactions of a store may write at once.
pub(crate) fn writers(database: &Database) -> i64 {
    database.pick(1, 2)
}

/// Whoever tries is told at once, however often, as long as nobody lets the writers go on.
async fn assert_stays_full(attempt: impl Fn() -> Outcome<Call<Recorded>>) {
    for _ in 0..200 {
        let Err(StoreError::Unavailable(cause)) = attempt() else {
            panic!("it was let in")
        };
        assert_eq!(cause.to_string(), "too many writes wait for the database");
        tokio::task::yield_now().await;
    }
}

async fn what_finds_four_others_waiting_is_refused_while_they_wait(database: Database) {
    let store = database.open_with(GroupCommit { queue: 4, ..one_face() });
    let hold = database.hold();
    // The last of these waits, and three more.
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

async fn an_image_that_finds_too_many_bytes_waiting_is_refused_while_they_wait(database: Database) {
    let settings = GroupCommit {
        batch: 1,
        queue_bytes: 3 * jpeg().bytes().len() - 1,
        ..GroupCommit::default()
    };
    let store = database.open_with(settings);
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
    let store = database.open_with(one_face());
    let hold = database.hold();
    let mut busy = occupy(&database, &store).await;
    let mut queued: Vec<_> = (1..=8)
        .map(|user| begin_record(&store, recording(user, &format!("session-{user}"))).unwrap())
        .collect();

    // One at whose write a writer is, and two that wait.
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

async fn who_is_told_in_the_end_that_nothing_was_recorded_is_told_the_truth(database: Database) {
    let store = database.open_with(one_face());
    let hold = database.hold();
    let busy = occupy(&database, &store).await;
    let queued = (1..=8).map(|user| begin_record(&store, recording(user, &format!("queued-{user}"))).unwrap());
    let all: Vec<_> = busy.into_iter().chain(queued).collect();

    let outcomes = at_once(all).await;
    hold.release();
    // Behind all that may wait.
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
    what_finds_four_others_waiting_is_refused_while_they_wait,
    an_image_that_finds_too_many_bytes_waiting_is_refused_while_they_wait,
    a_caller_that_goes_away_loses_nobody_elses_write,
    who_is_told_in_the_end_that_nothing_was_recorded_is_told_the_truth,
}
