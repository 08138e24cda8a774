//! Runners, of one node and of several: each job is run, and by one of them.

use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use liveness_core::jobs::{Backoff, JobDone, JobError, JobKind, NewJob};
use liveness_core::store::{JobHandler, JobRunner, JobSettings, JobState, RunningJob, Store};

use crate::database::{Database, on_each_engine};
use crate::job_leases::{KIND, OTHER, TIME_PASSES, enqueue, jobs, states};

/// Longer than any step takes.
const PATIENCE: Duration = Duration::from_secs(30);

type Outcome = Result<JobDone, JobError>;

/// A handler that does what a test says.
struct Scripted<F>(JobKind, F);

impl<F: Fn(&RunningJob) -> Outcome + Send + Sync + 'static> JobHandler for Scripted<F> {
    fn kind(&self) -> JobKind {
        self.0
    }

    fn backoff(&self) -> Backoff {
        Backoff {
            first: Duration::ZERO,
            longest: Duration::ZERO,
            attempts: 3,
        }
    }

    fn run(&self, job: &RunningJob) -> Outcome {
        (self.1)(job)
    }
}

fn scripted(kind: JobKind, run: impl Fn(&RunningJob) -> Outcome + Send + Sync + 'static) -> Box<dyn JobHandler> {
    Box::new(Scripted(kind, run))
}

fn start(store: &Store, handlers: Vec<Box<dyn JobHandler>>) -> JobRunner {
    JobRunner::start(store, handlers, JobSettings::default()).unwrap()
}

/// A channel whose sender any thread may use.
fn heard<T>() -> (Mutex<Sender<T>>, Receiver<T>) {
    let (sender, receiver) = channel();
    (Mutex::new(sender), receiver)
}

/// Tells the test of a job, unless the test has ended.
fn tell<T>(sender: &Mutex<Sender<T>>, what: T) {
    let _ = sender.lock().unwrap().send(what);
}

async fn of_many_jobs_and_two_nodes_each_job_is_run_once(database: Database) {
    const MANY: usize = 120;
    const KINDS: [JobKind; 3] = [KIND, OTHER, JobKind::new("third.kind")];
    let runs = Arc::new(Mutex::new(BTreeMap::<i64, usize>::new()));
    let (sender, done) = heard();
    let sender = Arc::new(sender);
    let nodes: Vec<_> = (0..2).map(|_| database.open()).collect();
    let runners: Vec<_> = nodes
        .iter()
        .map(|node| {
            let handler = |kind| {
                let (runs, sender) = (Arc::clone(&runs), Arc::clone(&sender));
                scripted(kind, move |job| {
                    *runs.lock().unwrap().entry(job.id()).or_default() += 1;
                    tell(&sender, ());
                    Ok(JobDone::Done)
                })
            };
            start(node, KINDS.map(handler).into())
        })
        .collect();

    enqueue(&database.store, (0..MANY).map(|number| NewJob::of(KINDS[number % 3]))).await;
    for _ in 0..MANY {
        done.recv_timeout(PATIENCE).unwrap();
    }
    for runner in &runners {
        runner.stop(PATIENCE);
    }

    let runs = runs.lock().unwrap().clone();
    assert_eq!(runs.len(), MANY);
    assert!(runs.values().all(|count| *count == 1), "{runs:?}");
    assert_eq!(states(&database.store).await, []);
}

async fn the_job_of_a_node_that_died_goes_on_elsewhere(database: Database) {
    let (sender, begun) = heard();
    let (release, wait) = channel::<()>();
    let wait = Mutex::new(wait);
    let died = database.open();
    let first = start(
        &died,
        vec![scripted(KIND, move |job| {
            tell(&sender, job.id());
            let _ = wait.lock().unwrap().recv();
            Ok(JobDone::Done)
        })],
    );
    enqueue(&database.store, [NewJob::of(KIND)]).await;
    let id = begun.recv_timeout(PATIENCE).unwrap();
    drop(first);

    let (sender, done) = heard();
    let second = start(
        &database.store,
        vec![scripted(KIND, move |job| {
            tell(&sender, (job.id(), job.attempt()));
            Ok(JobDone::Done)
        })],
    );
    assert_eq!(states(&database.store).await, [(JobState::Running, 1)]);
    database.execute(TIME_PASSES);

    assert_eq!(done.recv_timeout(PATIENCE).unwrap(), (id, 2));
    second.stop(PATIENCE);
    assert_eq!(states(&database.store).await, []);
    drop(release);
}

async fn a_job_that_fails_is_begun_again_and_given_up_in_the_end(database: Database) {
    let (sender, attempts) = heard();
    let runner = start(
        &database.store,
        vec![scripted(KIND, move |job| {
            tell(&sender, job.attempt());
            Err(JobError::new(format!("no answer to {}", job.payload())))
        })],
    );
    enqueue(&database.store, [NewJob::of(KIND).with_payload(7.into())]).await;
    let begun = [(); 3].map(|()| attempts.recv_timeout(PATIENCE).unwrap());
    assert_eq!(begun, [1, 2, 3]);
    until_dead(&database).await;
    runner.stop(PATIENCE);

    let job = jobs(&database.store).await.swap_remove(0);
    assert_eq!((job.attempts, job.last_error.as_deref()), (3, Some("no answer to 7")));
}

async fn a_panic_is_a_failure_of_its_job_and_of_no_other(database: Database) {
    let (sender, ran) = heard();
    let runner = start(
        &database.store,
        vec![scripted(KIND, move |job| {
            assert!(job.attempt() > 1, "the first attempt panics");
            tell(&sender, (job.key().map(str::to_owned), job.attempt()));
            Ok(JobDone::Done)
        })],
    );
    enqueue(
        &database.store,
        [NewJob::of(KIND).with_key("a"), NewJob::of(KIND).with_key("b")],
    )
    .await;

    let mut done = [(); 2].map(|()| ran.recv_timeout(PATIENCE).unwrap());
    done.sort();
    assert_eq!(done, [(Some("a".to_owned()), 2), (Some("b".to_owned()), 2)]);
    runner.stop(PATIENCE);
    assert_eq!(states(&database.store).await, []);
}

async fn a_failure_that_is_final_is_not_tried_again(database: Database) {
    let (sender, ran) = heard();
    let runner = start(
        &database.store,
        vec![
            scripted(KIND, |_| Err(JobError::give_up("it will never do"))),
            scripted(OTHER, move |_| {
                tell(&sender, ());
                Ok(JobDone::Done)
            }),
        ],
    );
    enqueue(&database.store, [NewJob::of(KIND)]).await;
    until_dead(&database).await;
    // The runner goes on.
    enqueue(&database.store, [NewJob::of(OTHER)]).await;
    ran.recv_timeout(PATIENCE).unwrap();
    runner.stop(PATIENCE);
    let job = jobs(&database.store).await.swap_remove(0);
    assert_eq!((job.state, job.attempts), (JobState::Dead, 1));
    assert_eq!(job.last_error.as_deref(), Some("it will never do"));
}

async fn a_job_that_ends_the_process_each_time_is_given_up(database: Database) {
    enqueue(&database.store, [NewJob::of(KIND)]).await;
    database.execute("UPDATE liveness_jobs SET attempts = 3");
    let runner = start(&database.store, vec![scripted(KIND, |_| panic!("it is not begun"))]);
    until_dead(&database).await;
    runner.stop(PATIENCE);
    let why = jobs(&database.store).await.swap_remove(0).last_error.unwrap();
    assert_eq!(why, "it was begun 3 times, and each time the process ended first");
}

/// Until a job was given up.
async fn until_dead(database: &Database) {
    let deadline = std::time::Instant::now() + PATIENCE;
    while database.number("SELECT count(*) FROM liveness_jobs WHERE is_dead") == 0 {
        assert!(std::time::Instant::now() < deadline, "no job was given up");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn a_runner_that_stops_gives_its_jobs_back(database: Database) {
    for listens in [true, false] {
        let (sender, begun) = heard();
        let (release, wait) = channel::<()>();
        let wait = Mutex::new(wait);
        let runner = start(
            &database.store,
            vec![scripted(KIND, move |job| {
                tell(&sender, ());
                if listens {
                    assert!(!job.wait(PATIENCE) && job.should_stop());
                } else {
                    let _ = wait.lock().unwrap().recv();
                }
                Err(JobError::new("stopped"))
            })],
        );
        enqueue(&database.store, [NewJob::of(KIND).with_key("one")]).await;
        begun.recv_timeout(PATIENCE).unwrap();

        runner.stop(if listens { PATIENCE } else { Duration::ZERO });

        assert_eq!(states(&database.store).await, [(JobState::Waiting, 0)], "{listens}");
        drop(release);
    }
}

/// A periodic job that is due at the start, and tells when it runs.
struct AtStart(Mutex<Sender<i64>>);

impl JobHandler for AtStart {
    fn kind(&self) -> JobKind {
        KIND
    }

    fn every(&self) -> Option<Duration> {
        Some(Duration::from_secs(24 * 60 * 60))
    }

    fn is_due_at_start(&self) -> bool {
        true
    }

    fn run(&self, job: &RunningJob) -> Outcome {
        tell(&self.0, job.id());
        Ok(JobDone::Done)
    }
}

async fn a_periodic_job_that_is_due_at_the_start_runs_then_and_a_period_later(database: Database) {
    let mut ids = Vec::new();
    for _ in 0..2 {
        let (sender, ran) = heard();
        let runner = start(&database.store, vec![Box::new(AtStart(sender))]);
        ids.push(ran.recv_timeout(PATIENCE).unwrap());
        runner.stop(PATIENCE);
    }
    assert_eq!(ids[0], ids[1]);
    let job = jobs(&database.store).await.swap_remove(0);
    let period = job.run_at.unix_millis() - job.created_at.unix_millis();
    assert!(period >= 24 * 60 * 60 * 1000, "{job:?}");
    assert_eq!(job.state, JobState::Waiting);
}

async fn a_handler_reaches_the_store(database: Database) {
    let (sender, found) = heard();
    let runner = start(
        &database.store,
        vec![scripted(KIND, move |job| {
            let listed = job.block_on(job.store().jobs().list(0, 9)).map_err(JobError::new)?;
            tell(&sender, listed.map_err(JobError::new)?.len());
            Ok(JobDone::Done)
        })],
    );
    enqueue(&database.store, [NewJob::of(KIND)]).await;
    assert_eq!(found.recv_timeout(PATIENCE).unwrap(), 1);
    runner.stop(PATIENCE);
}

#[tokio::test]
async fn two_handlers_of_one_kind_are_refused() {
    let database = Database::sqlite();
    let handlers = vec![
        scripted(KIND, |_| Ok(JobDone::Done)),
        scripted(KIND, |_| Ok(JobDone::Done)),
    ];
    let refused = JobRunner::start(&database.store, handlers, JobSettings::default()).unwrap_err();
    assert_eq!(refused.to_string(), "two handlers are for jobs of the kind a.kind");
}

on_each_engine! {
    of_many_jobs_and_two_nodes_each_job_is_run_once,
    the_job_of_a_node_that_died_goes_on_elsewhere,
    a_job_that_fails_is_begun_again_and_given_up_in_the_end,
    a_panic_is_a_failure_of_its_job_and_of_no_other,
    a_failure_that_is_final_is_not_tried_again,
    a_job_that_ends_the_process_each_time_is_given_up,
    a_runner_that_stops_gives_its_jobs_back,
    a_periodic_job_that_is_due_at_the_start_runs_then_and_a_period_later,
    a_handler_reaches_the_store,
}
