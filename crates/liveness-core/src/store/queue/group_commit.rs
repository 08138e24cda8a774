//! Group commit: while one transaction is made durable, the next writes are collected, and then committed together.
//!
//! A write waits in a queue. A writer thread takes it, with the others that wait, into one transaction. What a write
//! does is not known here: see [`GroupWrite`].

use std::collections::{HashSet, VecDeque};
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;
use tokio::time::timeout;

use super::stats::Counters;
use crate::store::engine::connection::{Connection, Purpose};
use crate::store::engine::connections::Connections;
use crate::store::engine::error::{OpenError, StoreError};
use crate::store::engine::timeouts::WAIT;

/// How many times a transaction is run that another node's transaction interrupts.
const ATTEMPTS: u32 = 5;
/// The most bytes in one transaction, beyond its first write.
const BATCH_BYTES: usize = 16 << 20;

/// A write that can share its transaction with others.
pub(crate) trait GroupWrite: Send + Sized + 'static {
    /// What the caller is answered.
    type Written: Send + 'static;

    /// Its weight in memory.
    fn bytes(&self) -> usize;

    /// What no other write of the same transaction may be about.
    fn subjects(&self) -> impl Iterator<Item = String>;

    /// Writes a batch and tells the outcome of each write. An error of one write leaves the others alone; an error of
    /// the whole rolls the transaction back. `slot` tells the threads that write apart.
    fn write_batch(
        conn: &mut Connection<'_>,
        slot: i32,
        batch: &[Self],
    ) -> Result<Vec<Result<Self::Written, StoreError>>, StoreError>;
}

/// How writes are collected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GroupCommit {
    /// The most writes in one transaction; with 1, each write has its own.
    pub batch: usize,
    /// The most writes that wait. A further write fails at once: the database is too busy.
    pub queue: usize,
    /// The most bytes of images that wait.
    pub queue_bytes: usize,
}

impl Default for GroupCommit {
    /// 256 writes a transaction; 1,024 writes or 256 MiB of images that wait.
    fn default() -> Self {
        Self {
            batch: 256,
            queue: 1024,
            queue_bytes: 256 << 20,
        }
    }
}

type Outcome<W> = Result<<W as GroupWrite>::Written, StoreError>;

/// A write in the queue, and the channel to its caller.
struct Waiting<W: GroupWrite> {
    ticket: u64,
    write: W,
    answer: oneshot::Sender<Outcome<W>>,
}

/// The handle to the threads that write. When it is dropped, they empty the queue and end.
pub(crate) struct GroupCommitter<W: GroupWrite>(Arc<Queue<W>>);

impl<W: GroupWrite> fmt::Debug for GroupCommitter<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GroupCommitter")
            .field("settings", &self.0.settings)
            .finish_non_exhaustive()
    }
}

impl<W: GroupWrite> GroupCommitter<W> {
    /// Starts the threads: as many as the database takes writers, each with a slot of its own.
    pub(crate) fn start(
        connections: &Arc<Connections>,
        counters: &Arc<Counters>,
        settings: GroupCommit,
        slots: impl Iterator<Item = i32>,
    ) -> Result<Self, OpenError> {
        let queue = Arc::new(Queue {
            settings,
            state: Mutex::new(State {
                waiting: VecDeque::new(),
                bytes: 0,
                last_ticket: 0,
                is_closed: false,
            }),
            arrived: Condvar::new(),
        });
        for slot in slots.take(connections.writers() as usize) {
            let queue = Arc::clone(&queue);
            let target = Target {
                connections: Arc::clone(connections),
                counters: Arc::clone(counters),
                slot,
            };
            thread::Builder::new()
                .name("liveness-writer".to_owned())
                .spawn(move || {
                    while let Some(batch) = queue.take() {
                        // After a panic the callers without an answer hear that the outcome is unknown.
                        let _ = catch_unwind(AssertUnwindSafe(|| target.commit(batch)));
                    }
                })
                .map_err(|error| OpenError::new(format!("cannot start a thread to write: {error}")))?;
        }
        Ok(Self(queue))
    }

    /// How many writes wait, and how many bytes they weigh.
    pub(crate) fn waiting(&self) -> (usize, usize) {
        let state = self.0.lock();
        (state.waiting.len(), state.bytes)
    }

    /// Writes, and answers once it is durable.
    pub(crate) async fn write(&self, write: W) -> Outcome<W> {
        let (answer, mut answered) = oneshot::channel();
        let ticket = self.0.add(write, answer)?;
        let answer = match timeout(WAIT, &mut answered).await {
            Ok(answer) => answer,
            Err(_) if self.0.withdraw(ticket) => {
                return Err(StoreError::unavailable("the write waited for more than 5 s"));
            }
            // It is being written.
            Err(_) => timeout(WAIT, answered).await.map_err(|_| {
                StoreError::outcome_unknown("the database did not say within 10 s whether it has committed")
            })?,
        };
        answer.map_err(StoreError::outcome_unknown)?
    }
}

impl<W: GroupWrite> Drop for GroupCommitter<W> {
    fn drop(&mut self) {
        self.0.lock().is_closed = true;
        self.0.arrived.notify_all();
    }
}

struct Queue<W: GroupWrite> {
    settings: GroupCommit,
    state: Mutex<State<W>>,
    arrived: Condvar,
}

struct State<W: GroupWrite> {
    waiting: VecDeque<Waiting<W>>,
    bytes: usize,
    last_ticket: u64,
    is_closed: bool,
}

impl<W: GroupWrite> Queue<W> {
    fn lock(&self) -> MutexGuard<'_, State<W>> {
        // No code panics while it holds the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, write: W, answer: oneshot::Sender<Outcome<W>>) -> Result<u64, StoreError> {
        let mut state = self.lock();
        let bytes = state.bytes + write.bytes();
        if state.waiting.len() >= self.settings.queue || bytes > self.settings.queue_bytes {
            return Err(StoreError::unavailable("too many writes wait for the database"));
        }
        state.bytes = bytes;
        state.last_ticket += 1;
        let ticket = state.last_ticket;
        state.waiting.push_back(Waiting { ticket, write, answer });
        drop(state);
        self.arrived.notify_one();
        Ok(ticket)
    }

    /// Takes a write out of the queue. False when a thread has taken it before.
    fn withdraw(&self, ticket: u64) -> bool {
        let mut state = self.lock();
        let found = state.waiting.iter().position(|waiting| waiting.ticket == ticket);
        if let Some(withdrawn) = found.and_then(|place| state.waiting.remove(place)) {
            state.bytes -= withdrawn.write.bytes();
        }
        found.is_some()
    }

    /// Waits for writes and takes as many as fit into one transaction. `None` once the queue is closed and empty.
    fn take(&self) -> Option<Vec<Waiting<W>>> {
        let mut state = self.lock();
        while state.waiting.is_empty() {
            if state.is_closed {
                return None;
            }
            state = self.arrived.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        let batch = self.collect(&mut state);
        state.bytes -= bytes(&batch);
        let is_left = !state.waiting.is_empty();
        drop(state);
        if is_left {
            self.arrived.notify_one();
        }
        Some(batch)
    }

    /// A batch holds each subject once. The next write about it goes into a later batch and finds what the first did.
    fn collect(&self, state: &mut State<W>) -> Vec<Waiting<W>> {
        let (mut batch, mut bytes, mut subjects) = (Vec::<Waiting<W>>::new(), 0, HashSet::new());
        let mut left = VecDeque::new();
        while let Some(waiting) = state.waiting.pop_front() {
            bytes += waiting.write.bytes();
            if batch.len() == self.settings.batch || (bytes > BATCH_BYTES && !batch.is_empty()) {
                left.push_back(waiting);
                break;
            }
            let own: Vec<_> = waiting.write.subjects().collect();
            if own.iter().any(|subject| subjects.contains(subject)) {
                left.push_back(waiting);
            } else {
                subjects.extend(own);
                batch.push(waiting);
            }
        }
        left.append(&mut state.waiting);
        state.waiting = left;
        batch
    }
}

fn bytes<W: GroupWrite>(batch: &[Waiting<W>]) -> usize {
    batch.iter().map(|waiting| waiting.write.bytes()).sum()
}

/// Why nothing of a transaction was committed.
struct Failed {
    error: StoreError,
    /// Whether the fault may be one write's, not the connection's or the commit's.
    is_of_a_write: bool,
}

/// Where one thread writes to.
struct Target {
    connections: Arc<Connections>,
    counters: Arc<Counters>,
    slot: i32,
}

impl Target {
    /// Commits a batch and answers each caller. When the fault may be one write's, each write gets its own transaction.
    fn commit<W: GroupWrite>(&self, batch: Vec<Waiting<W>>) {
        let (writes, answers): (Vec<_>, Vec<_>) =
            batch.into_iter().map(|waiting| (waiting.write, waiting.answer)).unzip();
        let deadline = Instant::now() + WAIT;
        let outcomes = match self.transaction(&writes, deadline) {
            Ok(outcomes) => outcomes,
            Err(failed) if failed.is_of_a_write && writes.len() > 1 => {
                writes.iter().map(|write| self.alone(write, deadline)).collect()
            }
            Err(failed) => writes.iter().map(|_| Err(failed.error.clone())).collect(),
        };
        for (answer, outcome) in answers.into_iter().zip(outcomes) {
            // A caller that has gone away does not listen.
            let _ = answer.send(outcome);
        }
    }

    fn alone<W: GroupWrite>(&self, write: &W, deadline: Instant) -> Outcome<W> {
        if Instant::now() > deadline {
            return Err(StoreError::unavailable(
                "the database refused the batch, and there was no time to try each",
            ));
        }
        let outcomes = self.transaction(std::slice::from_ref(write), deadline);
        let mut outcomes = outcomes.map_err(|failed| failed.error)?;
        outcomes
            .pop()
            .unwrap_or_else(|| Err(StoreError::internal("a write came back without an outcome")))
    }

    fn transaction<W: GroupWrite>(&self, writes: &[W], deadline: Instant) -> Result<Vec<Outcome<W>>, Failed> {
        let begun = Instant::now();
        let mut attempt = 1;
        loop {
            let mut has_failed_inside = false;
            let committed = self.connections.write(|conn| {
                conn.transaction(Purpose::Write, |conn| {
                    let written = W::write_batch(conn, self.slot, writes);
                    has_failed_inside = written.is_err();
                    written
                })
            });
            let error = match committed {
                Ok(outcomes) => {
                    self.counters.committed(writes.len(), begun.elapsed());
                    return Ok(outcomes);
                }
                Err(error) => error,
            };
            let is_repeated = self.connections.can_collide() && error.is_worth_repeating() && Instant::now() < deadline;
            if attempt == ATTEMPTS || !is_repeated {
                self.counters.failed();
                let is_of_a_write = has_failed_inside && !error.is_of_the_connection();
                return Err(Failed { error, is_of_a_write });
            }
            // Two nodes that collide must not come back at the same moment.
            thread::sleep(Duration::from_millis(u64::from(
                attempt * 2 + self.slot.unsigned_abs() % 8,
            )));
            attempt += 1;
        }
    }
}
