//! What does the work of a kind of jobs, and what it sees of the job that it does.

use std::fmt;
use std::future::Future;
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value;

use crate::jobs::{Backoff, JobDone, JobError, JobKind};
use crate::store::Store;
use crate::store::tables::jobs::job::TakenJob;

/// What does the work of a kind of jobs. It runs on a thread of its own, one job of the kind at a time in each process.
///
/// A job is run at least once: it runs again if the process ends before the job is noted as done. So the work must bear being
/// done twice.
///
/// ```
/// use std::time::Duration;
///
/// use liveness_core::jobs::{JobDone, JobError, JobKind, NewJob};
/// use liveness_core::store::{JobHandler, JobRunner, JobSettings, RunningJob, Store};
/// use serde_json::json;
///
/// const GREET: JobKind = JobKind::new("greet");
///
/// struct Greet(std::sync::mpsc::Sender<String>);
///
/// impl JobHandler for Greet {
///     fn kind(&self) -> JobKind {
///         GREET
///     }
///
///     fn run(&self, job: &RunningJob) -> Result<JobDone, JobError> {
///         let name = job.payload()["name"].as_str();
///         let name = name.ok_or_else(|| JobError::give_up("the payload has no name"))?;
///         self.0.send(format!("Hello, {name}")).map_err(JobError::new)?;
///         Ok(JobDone::Done)
///     }
/// }
///
/// let store = Store::in_memory()?;
/// store.migrate()?;
/// let (sender, greetings) = std::sync::mpsc::channel();
/// let runner = JobRunner::start(&store, vec![Box::new(Greet(sender))], JobSettings::default())?;
/// let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
/// runtime.block_on(store.jobs().enqueue(vec![NewJob::of(GREET).with_payload(json!({ "name": "Jane" }))]))?;
/// assert_eq!(greetings.recv()?, "Hello, Jane");
/// runner.stop(Duration::from_secs(5));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait JobHandler: Send + Sync + 'static {
    /// Which jobs it runs. No other handler of the runner has the same kind.
    fn kind(&self) -> JobKind;

    /// The period, if there is a periodic job of this kind. The runner makes that job: one for all nodes, first due after a
    /// period. Its payload is `null`. Without a period, the runner deletes the periodic job that an earlier one has made.
    fn every(&self) -> Option<Duration> {
        None
    }

    /// Whether the periodic job is due when a runner starts, and not only after a period.
    fn is_due_at_start(&self) -> bool {
        false
    }

    /// When a job that failed runs again, and how many times it is begun.
    fn backoff(&self) -> Backoff {
        Backoff::default()
    }

    /// Does the work of a job. It may block. A panic counts as a failure.
    ///
    /// # Errors
    ///
    /// [`JobError`], whose text is kept with the job.
    fn run(&self, job: &RunningJob) -> Result<JobDone, JobError>;
}

/// A job that runs, as its handler sees it. Its lease is extended while it runs.
#[derive(Debug)]
pub struct RunningJob {
    store: Store,
    kind: JobKind,
    taken: TakenJob,
    wish: Arc<Wish>,
}

impl RunningJob {
    pub(super) fn new(store: Store, kind: JobKind, taken: TakenJob, wish: Arc<Wish>) -> Self {
        Self {
            store,
            kind,
            taken,
            wish,
        }
    }

    /// The store that keeps the job.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The id of the job.
    pub fn id(&self) -> i64 {
        self.taken.id
    }

    /// The kind of the job.
    pub fn kind(&self) -> JobKind {
        self.kind
    }

    /// The key of the job, if it has one. That of a periodic job is empty.
    pub fn key(&self) -> Option<&str> {
        self.taken.key.as_deref()
    }

    /// What the job was added with.
    pub fn payload(&self) -> &Value {
        &self.taken.payload
    }

    /// The number of this attempt, from 1.
    pub fn attempt(&self) -> u32 {
        self.taken.attempt
    }

    /// Whether the work should end soon: the runner stops, or another node has taken the job. A handler that works for long asks
    /// between its steps, and ends with an error. If the runner stops, the job goes on elsewhere, and the attempt does not count.
    pub fn should_stop(&self) -> bool {
        self.wish.is_to_stop()
    }

    /// Waits for so long, but no longer than until the work should end. Returns false if it should.
    pub fn wait(&self, patience: Duration) -> bool {
        self.wish.wait(patience)
    }

    /// Waits for a future, such as those of the [`store`](Self::store).
    ///
    /// # Errors
    ///
    /// When the operating system gives no means to wait.
    pub fn block_on<T>(&self, future: impl Future<Output = T>) -> Result<T, io::Error> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
        Ok(runtime.block_on(future))
    }
}

/// Whether a job should end soon. The runner and the handler share it.
#[derive(Default)]
pub(super) struct Wish {
    is_to_stop: Mutex<bool>,
    said: Condvar,
}

impl fmt::Debug for Wish {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Wish(to stop: {})", self.is_to_stop())
    }
}

impl Wish {
    pub(super) fn stop(&self) {
        *self.lock() = true;
        self.said.notify_all();
    }

    pub(super) fn is_to_stop(&self) -> bool {
        *self.lock()
    }

    fn wait(&self, patience: Duration) -> bool {
        let waited = self
            .said
            .wait_timeout_while(self.lock(), patience, |is_to_stop| !*is_to_stop);
        !*waited.unwrap_or_else(PoisonError::into_inner).0
    }

    fn lock(&self) -> MutexGuard<'_, bool> {
        // No code panics while it holds the lock.
        self.is_to_stop.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
