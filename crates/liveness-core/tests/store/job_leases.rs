//! Jobs as they are kept: leases and their tokens, failures, and what an operator does.

use std::time::Duration;

use liveness_core::Timestamp;
use liveness_core::jobs::{JobDone, JobKind, NewJob};
use liveness_core::store::{Connection, Job, JobState, Store, TakenJob, enqueue_jobs};

use crate::database::{Database, Link, on_each_engine};
use crate::samples::{HOUR, at};

pub(crate) const KIND: JobKind = JobKind::new("a.kind");
pub(crate) const OTHER: JobKind = JobKind::new("another.kind");
const MINUTE: Duration = Duration::from_secs(60);
/// Has all leases end, and all jobs be due.
pub(crate) const TIME_PASSES: &str = "UPDATE liveness_jobs SET takeable_at = 1";

pub(crate) async fn enqueue(store: &Store, jobs: impl IntoIterator<Item = NewJob>) {
    store.jobs().enqueue(jobs.into_iter().collect()).await.unwrap();
}

pub(crate) async fn jobs(store: &Store) -> Vec<Job> {
    store.jobs().list(0, 1000).await.unwrap()
}

pub(crate) fn take(store: &Store) -> Option<TakenJob> {
    store.jobs().take(KIND, MINUTE).unwrap()
}

/// The states of all jobs, with their attempts.
pub(crate) async fn states(store: &Store) -> Vec<(JobState, u32)> {
    let jobs = jobs(store).await;
    jobs.iter().map(|job| (job.state, job.attempts)).collect()
}

async fn a_job_is_taken_by_one_and_deleted_when_it_is_done(database: Database) {
    let (store, other) = (&database.store, database.open());
    enqueue(store, [NewJob::of(KIND).with_payload(serde_json::json!({ "n": 1 }))]).await;
    assert_eq!(states(store).await, [(JobState::Waiting, 0)]);

    let taken = take(store).unwrap();

    assert_eq!((taken.payload["n"].as_i64(), taken.attempt), (Some(1), 1));
    assert_eq!(states(store).await, [(JobState::Running, 1)]);
    assert_eq!(take(&other), None);
    assert!(store.jobs().complete(&taken, JobDone::Done).unwrap());
    assert_eq!(states(store).await, []);
}

async fn a_job_waits_for_its_time_and_the_oldest_goes_first(database: Database) {
    let store = &database.store;
    let late = NewJob::of(KIND).with_key("late").due_at(at(2 * HOUR));
    let later = NewJob::of(KIND).with_key("later").due_at(at(3 * HOUR));
    let in_the_future = NewJob::of(KIND).due_at(Timestamp::from_unix_millis(9_999 * 365 * 24 * HOUR / 10).unwrap());
    enqueue(store, [in_the_future, later, late, NewJob::of(OTHER)]).await;

    let keys = [take(store), take(store)].map(|taken| taken.unwrap().key.unwrap());
    assert_eq!(keys, ["late", "later"]);
    assert_eq!(take(store), None);
}

async fn who_comes_late_cannot_end_the_job_of_another(database: Database) {
    let (store, other) = (&database.store, database.open());
    enqueue(store, [NewJob::of(KIND)]).await;
    let first = take(store).unwrap();
    database.execute(TIME_PASSES);
    let second = take(&other).unwrap();

    let late = store.jobs();
    assert!(!late.extend(&first, MINUTE).unwrap());
    assert!(!late.complete(&first, JobDone::Done).unwrap());
    assert!(!late.fail(&first, "late", None).unwrap());
    assert!(!late.release(&first).unwrap());

    assert_eq!(states(store).await, [(JobState::Running, 2)]);
    assert!(other.jobs().extend(&second, MINUTE).unwrap());
    assert!(other.jobs().complete(&second, JobDone::Done).unwrap());
    assert!(!other.jobs().complete(&second, JobDone::Done).unwrap());
}

async fn a_lease_that_ended_is_still_held_until_another_takes_the_job(database: Database) {
    let store = &database.store;
    enqueue(store, [NewJob::of(KIND)]).await;
    let taken = take(store).unwrap();
    database.execute(TIME_PASSES);

    assert!(store.jobs().extend(&taken, MINUTE).unwrap());
    assert_eq!(take(&database.open()), None);
    assert!(store.jobs().complete(&taken, JobDone::Done).unwrap());
}

async fn a_job_that_was_given_back_is_due_and_the_attempt_does_not_count(database: Database) {
    let store = &database.store;
    enqueue(store, [NewJob::of(KIND)]).await;
    let taken = take(store).unwrap();

    assert!(store.jobs().release(&taken).unwrap());

    assert_eq!(states(store).await, [(JobState::Waiting, 0)]);
    assert_eq!(take(store).unwrap().attempt, 1);
}

async fn a_job_that_failed_waits_and_is_given_up_in_the_end_and_tried_again(database: Database) {
    let store = &database.store;
    enqueue(store, [NewJob::of(KIND), NewJob::of(KIND)]).await;
    let taken = take(store).unwrap();
    let due = jobs(store).await[0].run_at;
    assert!(store.jobs().fail(&taken, "no answer", Some(MINUTE)).unwrap());

    let job = jobs(store).await.swap_remove(0);
    assert_eq!((job.state, job.attempts), (JobState::Waiting, 1));
    assert_eq!(job.last_error.as_deref(), Some("no answer"));
    assert!(job.run_at >= due.plus_millis(60_000), "{job:?}");
    assert_eq!(take(store).unwrap().id, 2);
    assert_eq!(take(store), None);

    database.execute("UPDATE liveness_jobs SET takeable_at = 1 WHERE id = 1");
    let again = take(store).unwrap();
    assert_eq!((again.id, again.attempt), (1, 2));
    assert!(store.jobs().fail(&again, "no more", None).unwrap());
    assert_eq!(states(store).await[0], (JobState::Dead, 2));
    database.execute("UPDATE liveness_jobs SET takeable_at = 1 WHERE id = 1");
    assert_eq!(take(store), None);
    let counts = store.jobs().count(&[KIND, OTHER]).unwrap();
    let numbers: Vec<_> = counts.iter().map(|of| (of.kind, of.waiting, of.dead)).collect();
    assert_eq!(numbers, [("a.kind", 1, 1), ("another.kind", 0, 0)]);

    // Only what was given up is tried again.
    assert!(!store.jobs().retry(2).await.unwrap());
    assert!(!store.jobs().retry(99).await.unwrap());
    assert!(store.jobs().retry(1).await.unwrap());
    assert_eq!(states(store).await[0], (JobState::Waiting, 0));
    assert_eq!(take(store).map(|taken| (taken.id, taken.attempt)), Some((1, 1)));
}

async fn all_that_were_given_up_are_tried_again_some_at_a_time(database: Database) {
    let store = &database.store;
    enqueue(store, (0..5).map(|_| NewJob::of(KIND))).await;
    for _ in 0..5 {
        store.jobs().fail(&take(store).unwrap(), "no", None).unwrap();
    }
    let mut many = Vec::new();
    for _ in 0..3 {
        many.push(store.jobs().retry_some(3).await.unwrap());
    }
    assert_eq!(many, [3, 2, 0]);
    assert_eq!(states(store).await, [(JobState::Waiting, 0); 5]);
}

async fn a_job_may_ask_for_its_next_time(database: Database) {
    let store = &database.store;
    enqueue(store, [NewJob::of(KIND)]).await;
    let taken = take(store).unwrap();
    let tomorrow = jobs(store).await[0].created_at.plus_millis(24 * HOUR);
    store.jobs().complete(&taken, JobDone::RunAgainAt(tomorrow)).unwrap();
    let job = jobs(store).await.swap_remove(0);
    assert_eq!(
        (job.id, job.state, job.attempts, job.run_at),
        (taken.id, JobState::Waiting, 0, tomorrow)
    );
}

async fn a_job_of_a_transaction_is_there_only_when_that_is_committed(database: Database) {
    for (end, expected) in [("ROLLBACK", 0), ("COMMIT", 1)] {
        let mut link = database.connect();
        link.execute("BEGIN").unwrap();
        let mut conn = match &mut link {
            Link::Sqlite(conn) => Connection::from(conn),
            Link::Postgres(conn) => Connection::from(conn),
        };
        enqueue_jobs(&mut conn, &[NewJob::of(KIND)]).unwrap();
        link.execute(end).unwrap();
        assert_eq!(jobs(&database.store).await.len(), expected, "{end}");
    }
}

async fn pages_of_jobs_follow_each_other(database: Database) {
    enqueue(&database.store, (0..5).map(|_| NewJob::of(KIND))).await;
    let list = |after| database.store.jobs().list(after, 2);
    let mut after = 0;
    for expected in [vec![1, 2], vec![3, 4], vec![5], vec![]] {
        let ids: Vec<_> = list(after).await.unwrap().iter().map(|job| job.id).collect();
        assert_eq!(ids, expected);
        after = ids.last().copied().unwrap_or_default();
    }
}

on_each_engine! {
    a_job_is_taken_by_one_and_deleted_when_it_is_done,
    a_job_waits_for_its_time_and_the_oldest_goes_first,
    who_comes_late_cannot_end_the_job_of_another,
    a_lease_that_ended_is_still_held_until_another_takes_the_job,
    a_job_that_was_given_back_is_due_and_the_attempt_does_not_count,
    a_job_that_failed_waits_and_is_given_up_in_the_end_and_tried_again,
    all_that_were_given_up_are_tried_again_some_at_a_time,
    a_job_may_ask_for_its_next_time,
    a_job_of_a_transaction_is_there_only_when_that_is_committed,
    pages_of_jobs_follow_each_other,
}
