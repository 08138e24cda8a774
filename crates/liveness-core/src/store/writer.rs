//! Group commit: writes that arrive while a transaction is being made durable are collected, and committed together.
//!
//! A write waits in the queue until a thread of the writer takes it, with the others that wait, into one transaction.
//! What a batch writes is in `recording.rs`.

use std::collections::{HashSet, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;
use tokio::time::timeout;

use super::connection::Purpose;
use super::error::{OpenError, StoreError};
use super::pool::{Connections, WAIT};
use super::recording::{self, Write, Written};

/// How many times a transaction that met another node's is run.
const ATTEMPTS: u32 = 5;
/// Most bytes of images in one transaction, beyond its first image.
const BATCH_BYTES: usize = 16 << 20;

/// How writes are collected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GroupCommit {
    /// Most writes in one transaction; with 1, each has its own.
    pub batch: usize,
    /// Most writes that wait. The next is told at once that the database is too busy.
    pub queue: usize,
    /// Most bytes of images that wait.
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

/// A write that waits, and who waits for it.
struct Waiting {
    ticket: u64,
    write: Write,
    answer: oneshot::Sender<Result<Written, StoreError>>,
}

/// The way in. When the last handle goes, the threads end once the queue is empty.
#[derive(Debug)]
pub(super) struct Writer(Arc<Queue>);

impl Writer {
    /// Begins to write, on threads of its own.
    pub(super) fn start(connections: &Arc<Connections>, settings: GroupCommit) -> Result<Self, OpenError> {
        let queue = Arc::new(Queue {
            settings,
            state: Mutex::default(),
            arrived: Condvar::new(),
        });
        let slots = recording::slots();
        for slot in slots.take(connections.writers() as usize) {
            let (queue, connections) = (Arc::clone(&queue), Arc::clone(connections));
            thread::Builder::new()
                .name("liveness-writer".to_owned())
                .spawn(move || {
                    while let Some(batch) = queue.take() {
                        // What a panic leaves unanswered is told that nobody knows what became of it.
                        let _ = catch_unwind(AssertUnwindSafe(|| commit(&connections, slot, batch)));
                    }
                })
                .map_err(|error| OpenError::new(format!("cannot start a thread to write: {error}")))?;
        }
        Ok(Self(queue))
    }

    /// How many writes wait, and how many bytes of images with them.
    pub(super) fn waiting(&self) -> (usize, usize) {
        let state = self.0.lock();
        (state.waiting.len(), state.bytes)
    }

    /// Writes, and answers once it is durable.
    pub(super) async fn write(&self, write: Write) -> Result<Written, StoreError> {
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

impl Drop for Writer {
    fn drop(&mut self) {
        self.0.lock().is_closed = true;
        self.0.arrived.notify_all();
    }
}

struct Queue {
    settings: GroupCommit,
    state: Mutex<State>,
    arrived: Condvar,
}

impl std::fmt::Debug for Queue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Queue")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Waiting>,
    bytes: usize,
    last_ticket: u64,
    is_closed: bool,
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it is held.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, write: Write, answer: oneshot::Sender<Result<Written, StoreError>>) -> Result<u64, StoreError> {
        let mut state = self.lock();
        let bytes = state.bytes + write.image_bytes();
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

    /// Takes a write back, unless it was taken already.
    fn withdraw(&self, ticket: u64) -> bool {
        let mut state = self.lock();
        let found = state.waiting.iter().position(|waiting| waiting.ticket == ticket);
        if let Some(withdrawn) = found.and_then(|place| state.waiting.remove(place)) {
            state.bytes -= withdrawn.write.image_bytes();
        }
        found.is_some()
    }

    /// What waits, as far as it fits into one transaction; waits for it. `None` once nobody can add any more.
    fn take(&self) -> Option<Vec<Waiting>> {
        let mut state = self.lock();
        while state.waiting.is_empty() {
            if state.is_closed {
                return None;
            }
            state = self.arrived.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        let batch = self.collect(&mut state);
        state.bytes -= image_bytes(&batch);
        let is_left = !state.waiting.is_empty();
        drop(state);
        if is_left {
            self.arrived.notify_one();
        }
        Some(batch)
    }

    /// A session, and an idempotency key, stands once in a batch: the next write of it finds what the first has done.
    fn collect(&self, state: &mut State) -> Vec<Waiting> {
        let (mut batch, mut bytes, mut subjects) = (Vec::<Waiting>::new(), 0, HashSet::new());
        let mut left = VecDeque::new();
        while let Some(waiting) = state.waiting.pop_front() {
            bytes += waiting.write.image_bytes();
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

fn image_bytes(batch: &[Waiting]) -> usize {
    batch.iter().map(|waiting| waiting.write.image_bytes()).sum()
}

/// Commits a batch and tells each of it how it went. When the fault may be one write's, each is committed alone.
fn commit(connections: &Connections, slot: i32, batch: Vec<Waiting>) {
    let (writes, answers): (Vec<_>, Vec<_>) = batch.into_iter().map(|waiting| (waiting.write, waiting.answer)).unzip();
    let deadline = Instant::now() + WAIT;
    let outcomes = match transaction(connections, slot, &writes, deadline) {
        Ok(outcomes) => outcomes,
        Err(Failed {
            is_of_a_write: true, ..
        }) if writes.len() > 1 => writes
            .iter()
            .map(|write| alone(connections, slot, write, deadline))
            .collect(),
        Err(Failed { error, .. }) => vec![Err(error); writes.len()],
    };
    for (answer, outcome) in answers.into_iter().zip(outcomes) {
        // Who has gone away does not want to know.
        let _ = answer.send(outcome);
    }
}

fn alone(connections: &Connections, slot: i32, write: &Write, deadline: Instant) -> Result<Written, StoreError> {
    if Instant::now() > deadline {
        return Err(StoreError::unavailable(
            "the database refused the batch, and there was no time to try each",
        ));
    }
    let outcomes = transaction(connections, slot, std::slice::from_ref(write), deadline);
    let mut outcomes = outcomes.map_err(|failed| failed.error)?;
    outcomes.pop().unwrap_or(Ok(Written::Done))
}

/// Why nothing of a transaction was committed.
struct Failed {
    error: StoreError,
    /// Whether it came of what was written, not of the connection or the commit.
    is_of_a_write: bool,
}

fn transaction(
    connections: &Connections,
    slot: i32,
    writes: &[Write],
    deadline: Instant,
) -> Result<Vec<Result<Written, StoreError>>, Failed> {
    let (begun, counters) = (Instant::now(), connections.counters());
    let mut attempt = 1;
    loop {
        let mut has_failed_inside = false;
        let committed = connections.write(|conn| {
            conn.transaction(Purpose::Write, |conn| {
                let written = recording::write(conn, slot, writes);
                has_failed_inside = written.is_err();
                written
            })
        });
        let error = match committed {
            Ok(outcomes) => {
                counters.committed(writes.len(), begun.elapsed());
                return Ok(outcomes);
            }
            Err(error) => error,
        };
        let is_repeated = connections.can_collide() && error.is_worth_repeating() && Instant::now() < deadline;
        if attempt == ATTEMPTS || !is_repeated {
            counters.failed();
            let is_of_a_write = has_failed_inside && !error.is_of_the_connection();
            return Err(Failed { error, is_of_a_write });
        }
        // Not all at the same time again.
        thread::sleep(Duration::from_millis(u64::from(attempt * 2 + slot.unsigned_abs() % 8)));
        attempt += 1;
    }
}
