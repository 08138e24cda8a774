//! One kind of jobs in the runner: its handler, and the job of the kind that runs.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::handler::{JobHandler, RunningJob, Wish};
use crate::jobs::{Backoff, JobDone, JobError, JobKind, jitter};
use crate::store::Store;
use crate::store::engine::error::StoreError;
use crate::store::tables::jobs::job::TakenJob;

/// A handler, and the job that it runs, if it runs one.
pub(super) struct Slot {
    handler: Arc<dyn JobHandler>,
    pub(super) is_ensured: bool,
    current: Option<Current>,
}

type Outcome = Result<JobDone, JobError>;

/// A job that was taken.
struct Current {
    taken: TakenJob,
    wish: Arc<Wish>,
    outcome: Arc<Mutex<Option<Outcome>>>,
    extended_at: Instant,
    /// Whether another node has taken it since. Then nothing that it does counts.
    is_lost: bool,
}

impl Slot {
    pub(super) fn new(handler: Box<dyn JobHandler>) -> Self {
        Self {
            handler: handler.into(),
            is_ensured: false,
            current: None,
        }
    }

    pub(super) fn kind(&self) -> JobKind {
        self.handler.kind()
    }

    pub(super) fn is_free(&self) -> bool {
        self.current.is_none()
    }

    /// Makes the periodic job of the kind, if there is to be one. Otherwise deletes the one that there was.
    pub(super) fn ensure(&mut self, store: &Store) -> Result<(), StoreError> {
        if !self.is_ensured {
            match self.handler.every() {
                Some(every) => {
                    store.jobs().ensure_periodic(self.kind(), every)?;
                    if self.handler.is_due_at_start() {
                        store.jobs().hasten(self.kind())?;
                    }
                }
                None => store.jobs().end_periodic(self.kind())?,
            }
        }
        self.is_ensured = true;
        Ok(())
    }

    /// Takes a job that is due, and begins it on a thread of its own. Returns whether there was one.
    pub(super) fn begin(&mut self, store: &Store, lease: Duration) -> Result<bool, StoreError> {
        let extended_at = Instant::now();
        let Some(taken) = store.jobs().take(self.kind(), lease)? else {
            return Ok(false);
        };
        let (wish, outcome) = (Arc::<Wish>::default(), Arc::default());
        self.current = Some(Current {
            taken: taken.clone(),
            wish: Arc::clone(&wish),
            outcome: Arc::clone(&outcome),
            extended_at,
            is_lost: false,
        });
        let ended = Ended {
            outcome,
            store: store.clone(),
        };
        if !self.handler.backoff().allows(taken.attempt) {
            let begun = taken.attempt - 1;
            ended.with(Err(JobError::give_up(format!(
                "it was begun {begun} times, and each time the process ended first"
            ))));
            return Ok(true);
        }
        let handler = Arc::clone(&self.handler);
        let job = RunningJob::new(store.clone(), self.kind(), taken, wish);
        let thread = thread::Builder::new().name("liveness-job".to_owned());
        let started = thread.spawn(move || {
            // What the handler has half done is its own: it is run again.
            let ran = catch_unwind(AssertUnwindSafe(|| handler.run(&job)));
            // The message of a panic may name a person, and is in the log of the host.
            ended.with(ran.unwrap_or_else(|_| Err(JobError::new("it panicked: the log of that time says where"))));
        });
        if let Err(error) = started {
            self.set_outcome(Err(JobError::new(format!("cannot start a thread: {error}"))));
        }
        Ok(true)
    }

    fn set_outcome(&self, outcome: Outcome) {
        if let Some(current) = &self.current {
            *current.outcome.lock().unwrap_or_else(PoisonError::into_inner) = Some(outcome);
        }
    }

    /// Extends the lease of the job that runs, when a third of it is over.
    pub(super) fn extend(&mut self, store: &Store, lease: Duration) -> Result<(), StoreError> {
        let Some(current) = &mut self.current else {
            return Ok(());
        };
        if current.is_lost || current.extended_at.elapsed() < lease / 3 {
            return Ok(());
        }
        let extended_at = Instant::now();
        if store.jobs().extend(&current.taken, lease)? {
            current.extended_at = extended_at;
        } else {
            log::warn!(
                "the job {} ({}) took longer than its lease, and another node has taken it",
                current.taken.id,
                self.handler.kind()
            );
            current.is_lost = true;
            current.wish.stop();
        }
        Ok(())
    }

    /// Says that the job should end.
    pub(super) fn stop(&self) {
        if let Some(current) = &self.current {
            current.wish.stop();
        }
    }

    /// Gives the job back that has not ended.
    pub(super) fn give_back(&mut self, store: &Store) {
        let Some(current) = self.current.take() else { return };
        if let Err(error) = store.jobs().release(&current.taken) {
            let cause = error.cause();
            log::debug!(
                "the job {} was not given back, and runs when its lease ends: {cause}",
                current.taken.id
            );
        }
    }

    /// Notes the outcome of the job that ran, once it has ended. On an error the job stays here, and the outcome is noted later.
    pub(super) fn settle(&mut self, store: &Store, is_stopping: bool) -> Result<(), StoreError> {
        let Some(current) = &self.current else { return Ok(()) };
        let outcome = current.outcome.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let Some(outcome) = outcome else { return Ok(()) };
        let (jobs, taken) = (store.jobs(), &current.taken);
        let is_noted = match &outcome {
            Ok(done) => jobs.complete(taken, *done)?,
            Err(_) if is_stopping => jobs.release(taken)?,
            Err(error) => {
                let retry_after = retry_after(&self.handler.backoff(), taken.attempt, error);
                tell(self.handler.kind(), taken, error, retry_after);
                jobs.fail(taken, &error.to_string(), retry_after)?
            }
        };
        if !is_noted && !current.is_lost {
            log::debug!("the outcome of job {} does not count: its lease had ended", taken.id);
        }
        self.current = None;
        Ok(())
    }
}

fn retry_after(backoff: &Backoff, attempt: u32, error: &JobError) -> Option<Duration> {
    backoff.after(attempt, jitter()).filter(|_| !error.is_final())
}

fn tell(kind: JobKind, taken: &TakenJob, error: &JobError, retry_after: Option<Duration>) {
    let (id, attempt) = (taken.id, taken.attempt);
    match retry_after {
        Some(wait) => log::warn!(
            "the job {id} ({kind}) failed, and runs again in {} s (attempt {attempt}): {error}",
            wait.as_secs()
        ),
        None => log::error!("the job {id} ({kind}) was given up after attempt {attempt}: {error}"),
    }
}

/// Where a job leaves its outcome.
struct Ended {
    outcome: Arc<Mutex<Option<Outcome>>>,
    store: Store,
}

impl Ended {
    fn with(self, outcome: Outcome) {
        *self.outcome.lock().unwrap_or_else(PoisonError::into_inner) = Some(outcome);
        self.store.jobs().bell().ring();
    }
}
