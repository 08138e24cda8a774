//! Jobs with a key, of which one waits at most, and periodic jobs, of which there is one of a kind.

use std::time::Duration;

use liveness_core::jobs::{JobDone, NewJob};
use liveness_core::store::JobState;

use crate::database::{Database, on_each_engine};
use crate::job_leases::{KIND, OTHER, enqueue, jobs, states, take};
use crate::samples::HOUR;

const MINUTE: Duration = Duration::from_secs(60);

async fn of_a_key_one_job_waits_and_one_that_runs_runs_once_more(database: Database) {
    let store = &database.store;
    let keyed = || NewJob::of(KIND).with_key("user-1");
    enqueue(store, [keyed(), keyed()]).await;
    enqueue(
        store,
        [
            keyed(),
            NewJob::of(KIND).with_key("user-2"),
            NewJob::of(OTHER).with_key("user-1"),
        ],
    )
    .await;
    assert_eq!(jobs(store).await.len(), 3);

    let taken = take(store).unwrap();
    assert_eq!(taken.key.as_deref(), Some("user-1"));
    enqueue(store, [keyed(), keyed()]).await;
    assert_eq!(jobs(store).await.len(), 3);
    store.jobs().complete(&taken, JobDone::Done).unwrap();

    let again = [take(store).unwrap(), take(store).unwrap()];
    assert!(again.iter().any(|job| job.id == taken.id && job.attempt == 1));
    for job in again {
        store.jobs().complete(&job, JobDone::Done).unwrap();
    }
    assert_eq!(jobs(store).await.len(), 1);
}

async fn a_job_that_was_given_up_keeps_no_other_of_its_key_away(database: Database) {
    let store = &database.store;
    let keyed = || NewJob::of(KIND).with_key("user-1");
    enqueue(store, [keyed()]).await;
    let taken = take(store).unwrap();
    enqueue(store, [keyed()]).await;
    store.jobs().fail(&taken, "no", None).unwrap();
    assert_eq!(states(store).await, [(JobState::Dead, 1), (JobState::Waiting, 0)]);
    enqueue(store, [keyed()]).await;
    assert_eq!(jobs(store).await.len(), 2);

    // The one that waits runs in the place of both.
    assert!(store.jobs().retry(taken.id).await.unwrap());
    assert_eq!(states(store).await, [(JobState::Waiting, 0)]);
    assert!(take(store).is_some());
}

async fn eight_stores_make_one_periodic_job_whose_time_moves_on(database: Database) {
    let hour = Duration::from_secs(60 * 60);
    let stores: Vec<_> = (0..8).map(|_| database.open()).collect();
    std::thread::scope(|scope| {
        for store in &stores {
            scope.spawn(|| store.jobs().ensure_periodic(KIND, hour).unwrap());
        }
    });

    let made = jobs(&database.store).await;
    let [job] = made.as_slice() else { panic!("{made:?}") };
    assert_eq!(job.run_at, job.created_at.plus_millis(HOUR));
    assert_eq!(take(&database.store), None);
    database.execute(&format!(
        "UPDATE liveness_jobs SET run_at = run_at - 3 * {HOUR}, takeable_at = 1"
    ));
    let taken = take(&database.store).unwrap();
    database.store.jobs().ensure_periodic(KIND, hour).unwrap();
    database.store.jobs().complete(&taken, JobDone::Done).unwrap();
    // The times that were missed are left out.
    let again = jobs(&database.store).await;
    assert_eq!((again.len(), again[0].id, again[0].attempts), (1, job.id, 0));
    assert_eq!(again[0].run_at, job.run_at);
}

async fn another_period_counts_from_now_on(database: Database) {
    let store = &database.store;
    let hours = |hours: u64| Duration::from_secs(hours * 60 * 60);
    store.jobs().ensure_periodic(KIND, hours(48)).unwrap();
    let before = jobs(store).await[0].run_at;
    store.jobs().ensure_periodic(KIND, hours(1)).unwrap();
    let sooner = jobs(store).await[0].run_at;
    assert!(sooner <= before.plus_millis(-46 * HOUR), "{sooner} {before}");
    // A longer one puts nothing off that is due sooner.
    store.jobs().ensure_periodic(KIND, hours(72)).unwrap();
    assert_eq!(jobs(store).await[0].run_at, sooner);
    assert_eq!(database.number("SELECT every FROM liveness_jobs"), 72 * HOUR);
}

async fn a_periodic_job_that_nobody_wants_any_more_is_deleted(database: Database) {
    let store = &database.store;
    store.jobs().ensure_periodic(KIND, MINUTE).unwrap();
    store.jobs().enqueue(vec![NewJob::of(KIND)]).await.unwrap();
    store.jobs().end_periodic(KIND).unwrap();
    store.jobs().end_periodic(KIND).unwrap();
    // The other one was asked for.
    assert_eq!((jobs(store).await.len(), jobs(store).await[0].key.clone()), (1, None));
}

async fn a_periodic_job_that_is_given_up_leaves_one_letter_and_goes_on(database: Database) {
    let store = &database.store;
    store.jobs().ensure_periodic(KIND, MINUTE).unwrap();
    for _ in 0..3 {
        database.execute("UPDATE liveness_jobs SET takeable_at = 1 WHERE NOT is_dead");
        store.jobs().fail(&take(store).unwrap(), "no", None).unwrap();
        store.jobs().ensure_periodic(KIND, MINUTE).unwrap();
        assert_eq!(states(store).await, [(JobState::Dead, 1), (JobState::Waiting, 0)]);
    }
    let dead = jobs(store).await[0].id;
    assert!(store.jobs().retry(dead).await.unwrap());
    let taken = take(store).unwrap();
    store.jobs().complete(&taken, JobDone::Done).unwrap();
    assert_eq!(states(store).await, [(JobState::Waiting, 0)]);
}

on_each_engine! {
    of_a_key_one_job_waits_and_one_that_runs_runs_once_more,
    a_job_that_was_given_up_keeps_no_other_of_its_key_away,
    eight_stores_make_one_periodic_job_whose_time_moves_on,
    another_period_counts_from_now_on,
    a_periodic_job_that_is_given_up_leaves_one_letter_and_goes_on,
    a_periodic_job_that_nobody_wants_any_more_is_deleted,
}
