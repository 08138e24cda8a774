//! Runs durable jobs: takes what is due, has its handler run it, and notes the outcome.

pub(crate) mod handler;
mod slot;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use self::handler::JobHandler;
use self::slot::Slot;
use super::Store;
use super::engine::error::{OpenError, StoreError};
use super::tables::jobs::bell::Bell;
use super::tables::jobs::job::JobCounts;
use crate::jobs::JobKind;

/// The longest time between two looks for jobs of other processes.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);
/// The shortest wait. A job that is due, and that another node has locked, is not asked for all the time.
const SHORTEST_WAIT: Duration = Duration::from_millis(20);
/// The time between two counts.
const COUNT_INTERVAL: Duration = Duration::from_secs(10);

/// The settings of a runner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JobSettings {
    /// How long a job belongs to this process, unless its lease is extended, which is done three times as often. If the process
    /// dies, the job goes on elsewhere after so long.
    pub lease: Duration,
}

impl Default for JobSettings {
    /// A lease of a minute.
    fn default() -> Self {
        Self {
            lease: Duration::from_secs(60),
        }
    }
}

/// Runs the jobs of some kinds. Any number of processes may do so on one database: each job is run by one of them at a time.
/// [`JobHandler`] has an example.
///
/// Call [`stop`](Self::stop) at the end. If this is dropped without it, the jobs that run are left as those of a process that
/// died: they go on elsewhere when their leases end.
pub struct JobRunner {
    shared: Arc<Shared>,
    bell: Arc<Bell>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl fmt::Debug for JobRunner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JobRunner")
            .field("counts", &self.counts())
            .finish_non_exhaustive()
    }
}

/// What the runner is to do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Order {
    #[default]
    Run,
    /// Take nothing more, and end when nothing runs any more, or at this time.
    EndBy(Instant),
    /// Leave everything as it is.
    Abandon,
}

#[derive(Default)]
struct Shared {
    order: Mutex<Order>,
    counts: Mutex<Vec<JobCounts>>,
}

impl Shared {
    fn order(&self) -> MutexGuard<'_, Order> {
        // No code panics while it holds the lock.
        self.order.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn counts(&self) -> MutexGuard<'_, Vec<JobCounts>> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl JobRunner {
    /// Starts to run the jobs of these handlers. It does not wait for the database: while that is out of reach or not migrated, it
    /// tries again every second.
    ///
    /// # Errors
    ///
    /// [`OpenError`] if two handlers are for one kind, or the thread cannot be started.
    pub fn start(store: &Store, handlers: Vec<Box<dyn JobHandler>>, settings: JobSettings) -> Result<Self, OpenError> {
        let slots: Vec<_> = handlers.into_iter().map(Slot::new).collect();
        let mut kinds: Vec<_> = slots.iter().map(Slot::kind).collect();
        kinds.sort_unstable();
        if let Some(pair) = kinds.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(OpenError::new(format!(
                "two handlers are for jobs of the kind {}",
                pair[0]
            )));
        }
        let (shared, bell) = (Arc::<Shared>::default(), Arc::clone(store.jobs().bell()));
        let work = Work {
            store: store.clone(),
            slots,
            settings,
            shared: Arc::clone(&shared),
            counted_at: None,
            told: String::new(),
        };
        let thread = thread::Builder::new()
            .name("liveness-jobs".to_owned())
            .spawn(move || work.run())
            .map_err(|error| OpenError::new(format!("cannot start the thread that runs jobs: {error}")))?;
        Ok(Self {
            shared,
            bell,
            thread: Mutex::new(Some(thread)),
        })
    }

    /// What there is of each kind that has a handler here, on all nodes, as of ten seconds ago at most. Empty before the first
    /// count.
    pub fn counts(&self) -> Vec<JobCounts> {
        self.shared.counts().clone()
    }

    /// Ends the runner. It takes nothing more, asks the jobs that run to end, and waits for them for so long. The others are given
    /// back, so that another node begins them at once. A handler that does not end goes on until the process ends: end it soon.
    /// Blocks.
    pub fn stop(&self, patience: Duration) {
        let end = Instant::now() + patience;
        self.end(Order::EndBy(end));
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            // The thread has told of a panic itself.
            let _ = thread.join();
        }
    }

    fn end(&self, how: Order) {
        *self.shared.order() = how;
        self.bell.ring();
    }
}

impl Drop for JobRunner {
    fn drop(&mut self) {
        if self.thread.lock().unwrap_or_else(PoisonError::into_inner).is_some() {
            self.end(Order::Abandon);
        }
    }
}

/// What the thread of the runner has.
struct Work {
    store: Store,
    slots: Vec<Slot>,
    settings: JobSettings,
    shared: Arc<Shared>,
    counted_at: Option<Instant>,
    /// The error that was told last, so that it is told once.
    told: String,
}

impl Work {
    fn run(mut self) {
        let bell = Arc::clone(self.store.jobs().bell());
        loop {
            let heard = bell.rung();
            let order = *self.shared.order();
            if order == Order::Abandon {
                self.slots.iter().for_each(Slot::stop);
                return;
            }
            let wait = self.step(order);
            if let Order::EndBy(end) = order {
                let is_over = Instant::now() >= end;
                if is_over || self.slots.iter().all(Slot::is_free) {
                    self.slots.iter_mut().for_each(|slot| slot.give_back(&self.store));
                    return;
                }
                bell.wait(heard, wait.min(end.saturating_duration_since(Instant::now())));
            } else {
                bell.wait(heard, wait);
            }
        }
    }

    /// Does what is to be done now. Returns how long there may be nothing to do.
    fn step(&mut self, order: Order) -> Duration {
        let is_stopping = order != Order::Run;
        let stepped = self.settle(is_stopping).and_then(|()| {
            if is_stopping {
                self.slots.iter().for_each(Slot::stop);
                return Ok(LOOK_INTERVAL);
            }
            let next = self.begin_all()?;
            self.count()?;
            Ok(next)
        });
        match stepped {
            Ok(wait) => {
                self.told.clear();
                wait.clamp(SHORTEST_WAIT, LOOK_INTERVAL).min(self.settings.lease / 4)
            }
            Err(error) => {
                self.tell(&error);
                LOOK_INTERVAL
            }
        }
    }

    /// Notes what has ended, and extends the leases of what runs.
    fn settle(&mut self, is_stopping: bool) -> Result<(), StoreError> {
        let mut settled = Ok(());
        for slot in &mut self.slots {
            // The trouble of one job takes no lease from another.
            settled = settled
                .and(slot.settle(&self.store, is_stopping))
                .and(slot.extend(&self.store, self.settings.lease));
        }
        settled
    }

    /// Begins what is due. Returns for how long nothing more is.
    fn begin_all(&mut self) -> Result<Duration, StoreError> {
        for slot in &mut self.slots {
            slot.ensure(&self.store)?;
        }
        let free = |slots: &[Slot]| -> Vec<JobKind> {
            let free = slots.iter().filter(|slot| slot.is_free());
            free.map(Slot::kind).collect()
        };
        let wait = |store: &Store, kinds: &[JobKind]| -> Result<Duration, StoreError> {
            if kinds.is_empty() {
                return Ok(LOOK_INTERVAL);
            }
            Ok(store.jobs().next_in(kinds)?.unwrap_or(LOOK_INTERVAL))
        };
        // To look costs a read, and to take costs a write.
        let next = wait(&self.store, &free(&self.slots))?;
        if !next.is_zero() {
            return Ok(next);
        }
        for slot in self.slots.iter_mut().filter(|slot| slot.is_free()) {
            slot.begin(&self.store, self.settings.lease)?;
        }
        wait(&self.store, &free(&self.slots))
    }

    fn count(&mut self) -> Result<(), StoreError> {
        if self.counted_at.is_some_and(|at| at.elapsed() < COUNT_INTERVAL) {
            return Ok(());
        }
        let kinds: Vec<_> = self.slots.iter().map(Slot::kind).collect();
        *self.shared.counts() = self.store.jobs().count(&kinds)?;
        self.counted_at = Some(Instant::now());
        Ok(())
    }

    fn tell(&mut self, error: &StoreError) {
        let cause = error.cause();
        match error {
            // The database and the program do not fit each other: perhaps a right is missing.
            StoreError::Internal(_) if cause != self.told => log::error!("jobs cannot be run: {cause}"),
            // The store itself tells of a database that goes away and comes back.
            _ => log::debug!("jobs cannot be run: {cause}"),
        }
        self.told = cause;
    }
}
