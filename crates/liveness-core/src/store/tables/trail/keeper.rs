//! The thread that keeps the log: it makes the integrator's steps, and tells what it finds.

use std::fmt;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::integrator::{DueCheckpoint, Integrator, Step};
use crate::store::engine::connection::Purpose;
use crate::store::engine::connections::Connections;
use crate::store::engine::error::{OpenError, StoreError};
use crate::store::tables::entry_writer::TrailLink;
use crate::trail::SignerError;
use crate::{Clock, Timestamp};

/// The time between two looks for entries that this store has written.
const STEP_INTERVAL: Duration = Duration::from_millis(250);
/// The time between two looks for entries of other processes.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);

/// The time until a signer that has failed is asked again.
const SIGN_AGAIN_AFTER: Duration = Duration::from_secs(5);

/// What the log is like, for readiness and metrics.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrailState {
    /// How many entries the newest checkpoint of this node has.
    pub size: u64,
    /// The time of that checkpoint.
    pub checkpoint_at: Option<Timestamp>,
    /// The newest checkpoint that this node has signed: a signed note.
    pub checkpoint: Option<String>,
    /// How many entries a witness has cosigned, if there is one.
    pub witnessed: Option<u64>,
    /// What was found that must not be, in words, the first of it first. At most 100 of them are kept.
    pub findings: Vec<String>,
    /// How many findings there were.
    pub found: u64,
    /// Why the last step failed, if it did.
    pub failure: Option<String>,
    /// Why the signer has not signed the newest checkpoint, if it failed. Entries are put into the log all the same.
    pub unsigned: Option<String>,
}

/// The most findings that are kept in memory.
const FINDINGS_KEPT: usize = 100;

impl TrailState {
    /// Notes what was found, and writes each new finding to the log.
    fn find(&mut self, findings: impl IntoIterator<Item = String>) {
        for finding in findings {
            if self.findings.contains(&finding) {
                continue;
            }
            log::error!("the audit trail was tampered with: {finding}");
            self.found += 1;
            if self.findings.len() < FINDINGS_KEPT {
                self.findings.push(finding);
            }
        }
    }
}

/// The thread that keeps the log. It ends with a last step when this is dropped or stopped.
pub struct TrailKeeper {
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl fmt::Debug for TrailKeeper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TrailKeeper")
            .field("state", &self.state())
            .finish_non_exhaustive()
    }
}

#[derive(Default)]
struct Shared {
    state: Mutex<TrailState>,
    is_stopped: Mutex<bool>,
    stopped: Condvar,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, TrailState> {
        // No code panics while it holds the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for the next step. Returns false once the keeper is stopped.
    fn wait(&self) -> bool {
        let is_stopped = self.is_stopped.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self
            .stopped
            .wait_timeout_while(is_stopped, STEP_INTERVAL, |is_stopped| !*is_stopped);
        !*waited.unwrap_or_else(PoisonError::into_inner).0
    }
}

impl TrailKeeper {
    pub(crate) fn start(
        connections: &Arc<Connections>,
        link: &Arc<TrailLink>,
        integrator: Integrator,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, OpenError> {
        let shared = Arc::<Shared>::default();
        let mut work = Work {
            connections: Arc::clone(connections),
            link: Arc::clone(link),
            integrator,
            clock,
            shared: Arc::clone(&shared),
            looked_at: None,
            sign_again_at: None,
        };
        let thread = thread::Builder::new()
            .name("liveness-trail".to_owned())
            .spawn(move || {
                while work.shared.wait() {
                    work.step_if_due();
                }
                while work.step(true) {}
            })
            .map_err(|error| OpenError::new(format!("cannot start the thread that keeps the trail: {error}")))?;
        Ok(Self {
            shared,
            thread: Mutex::new(Some(thread)),
        })
    }

    /// What the log is like.
    pub fn state(&self) -> TrailState {
        self.shared.state().clone()
    }

    /// How many findings there were.
    pub fn found(&self) -> u64 {
        self.shared.state().found
    }

    /// Notes how many entries a witness has cosigned.
    pub fn cosigned(&self, entries: u64) {
        self.shared.state().witnessed = Some(entries);
    }

    /// Notes what a verification has found.
    pub fn find(&self, findings: impl IntoIterator<Item = String>) {
        self.shared.state().find(findings);
    }

    /// Puts what is new into the log, signs a checkpoint of it, and ends the thread. Blocks.
    pub fn stop(&self) {
        *self.shared.is_stopped.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.shared.stopped.notify_all();
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            // The thread has told of a panic itself.
            let _ = thread.join();
        }
    }
}

impl Drop for TrailKeeper {
    fn drop(&mut self) {
        self.stop();
    }
}

struct Work {
    connections: Arc<Connections>,
    link: Arc<TrailLink>,
    integrator: Integrator,
    /// What says when a checkpoint is due.
    clock: Arc<dyn Clock>,
    shared: Arc<Shared>,
    looked_at: Option<Instant>,
    /// When a signer that has failed is asked again.
    sign_again_at: Option<Instant>,
}

impl Work {
    fn step_if_due(&mut self) {
        let has_new = self.link.has_new.swap(false, Ordering::Relaxed);
        let wants_checkpoint = self.link.wants_checkpoint.swap(false, Ordering::Relaxed);
        let has_looked = self.looked_at.is_some_and(|at| at.elapsed() < LOOK_INTERVAL);
        if !has_new && !wants_checkpoint && has_looked {
            return;
        }
        self.looked_at = Some(Instant::now());
        if wants_checkpoint {
            while self.step(true) {}
            return;
        }
        let now = self.clock.now();
        let is_due = self.connections.read(|conn| self.integrator.is_due(conn, now));
        match is_due {
            Ok(true) => while self.step(false) {},
            Ok(false) => self.shared.state().failure = None,
            Err(error) => self.fail(&error),
        }
    }

    /// Makes a step. Returns whether there is more to do.
    fn step(&mut self, is_last: bool) -> bool {
        let now = self.clock.now();
        let integrator = &self.integrator;
        let mut step = self
            .connections
            .write(|conn| conn.transaction(Purpose::Write, |conn| integrator.step(conn, now, is_last)));
        self.integrator.ended(step.as_mut().map_err(|error| &*error));
        match step {
            Ok(step) => {
                let due = step.due;
                let is_partial = self.succeed(step);
                if let Some(due) = due {
                    self.sign(due);
                }
                is_partial
            }
            Err(error) => {
                self.fail(&error);
                false
            }
        }
    }

    fn succeed(&self, step: Step) -> bool {
        let mut state = self.shared.state();
        state.failure = None;
        state.find(step.findings);
        step.is_partial
    }

    /// Has a checkpoint signed, and keeps it. No transaction is open while the signer is asked.
    fn sign(&mut self, due: DueCheckpoint) {
        if self.sign_again_at.is_some_and(|at| Instant::now() < at) {
            return;
        }
        let checkpoint = match self.integrator.sign(due) {
            Ok(checkpoint) => checkpoint,
            Err(error) => return self.not_signed(&error),
        };
        self.sign_again_at = None;
        if self.shared.state().unsigned.take().is_some() {
            log::info!("the checkpoints of the audit trail are signed again");
        }
        let integrator = &self.integrator;
        let kept = self
            .connections
            .write(|conn| conn.transaction(Purpose::Write, |conn| integrator.keep(conn, due, &checkpoint)));
        match kept {
            Ok(true) => {
                let mut state = self.shared.state();
                state.size = checkpoint.size.unsigned_abs();
                state.checkpoint_at = Timestamp::from_unix_millis(checkpoint.at);
                state.checkpoint = Some(checkpoint.note);
            }
            Ok(false) => {}
            Err(error) => self.fail(&error),
        }
    }

    fn not_signed(&mut self, error: &SignerError) {
        self.sign_again_at = Instant::now().checked_add(SIGN_AGAIN_AFTER);
        let mut state = self.shared.state();
        if state.unsigned.is_none() {
            log::error!("the checkpoints of the audit trail are not signed, and its signer is asked again: {error}");
        }
        state.unsigned = Some(error.to_string());
    }

    fn fail(&self, error: &StoreError) {
        let cause = error.cause();
        let mut state = self.shared.state();
        match error {
            // The database and the log do not fit each other.
            StoreError::Internal(_) => state.find([cause.clone()]),
            // The store itself tells of a database that goes away and comes back.
            _ => log::debug!("the trail was not kept: {cause}"),
        }
        state.failure = Some(cause);
    }
}
