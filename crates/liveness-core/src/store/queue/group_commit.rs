//! Group commit. While one transaction is made durable, the next writes are collected. Then they are committed
//! together.
//!
//! A write waits in a queue. A writer thread takes all writes that wait into one transaction. This file does not know
//! what a write does: see [`GroupWrite`].

use std::collections::{HashSet, VecDeque};
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;
use tokio::time::timeout;

use super::spans::{BatchSpans, COMMIT, Origin, STORE_WRITE, Span};
use super::stats::Counters;
use crate::store::engine::connection::{Connection, Purpose};
use crate::store::engine::connections::Connections;
use crate::store::engine::error::{OpenError, StoreError};
use crate::store::engine::timeouts::WAIT;

/// How many times a transaction is tried when transactions of other nodes interrupt it.
const ATTEMPTS: u32 = 5;
/// The most bytes in one transaction, unless its first write alone has more.
const BATCH_BYTES: usize = 16 << 20;

/// A write that can share its transaction with others.
pub(crate) trait GroupWrite: Send + Sized + 'static {
    /// The answer to the caller.
    type Written: Send + 'static;
    /// What a writer thread keeps from one transaction to the next.
    type Session: WriterSession;

    /// What the writes need besides a connection.
    type Tools: Send + Sync + 'static;

    /// The size of the write in memory.
    fn bytes(&self) -> usize;

    /// The things that the write is about. Two writes of one transaction never share a subject.
    fn subjects(&self) -> impl Iterator<Item = String>;

    /// Writes a batch and returns the outcome of each write. An error of one write does not change the other outcomes.
    /// An error of the whole batch rolls the transaction back. Each writer thread has its own session.
    fn write_batch(
        conn: &mut Connection<'_>,
        tools: &Self::Tools,
        session: &mut Self::Session,
        batch: &[Self],
    ) -> Result<Vec<Result<Self::Written, StoreError>>, StoreError>;
}

/// What a writer thread keeps from one transaction to the next. It hears how each transaction ended.
pub(crate) trait WriterSession: Send + 'static {
    /// The transaction is durable.
    fn committed(&mut self);
    /// Nothing of the transaction is in the database.
    fn rolled_back(&mut self);
    /// The transaction may be in the database, or not.
    fn is_unknown(&mut self);
}

/// How writes are collected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GroupCommit {
    /// The most writes in one transaction. With 1, each write has a transaction of its own.
    pub batch: usize,
    /// The most writes that wait. Another write fails at once with
    /// [`StoreError::Unavailable`]: the database is too busy.
    pub queue: usize,
    /// The most bytes of images that wait. A write that would exceed it fails in the same way.
    pub queue_bytes: usize,
}

impl Default for GroupCommit {
    /// 256 writes in a transaction. 1,024 writes that wait, or 256 MiB of their images.
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
    origin: Origin,
}

/// The handle to the writer threads. When the handle is dropped, the threads empty the queue and end.
pub(crate) struct GroupCommitter<W: GroupWrite>(Arc<Queue<W>>);

impl<W: GroupWrite> fmt::Debug for GroupCommitter<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GroupCommitter")
            .field("settings", &self.0.settings)
            .finish_non_exhaustive()
    }
}

impl<W: GroupWrite> GroupCommitter<W> {
    /// Starts one thread for each transaction that the database can write at once. Each thread has a session of its own.
    pub(crate) fn start(
        connections: &Arc<Connections>,
        counters: &Arc<Counters>,
        tools: &Arc<W::Tools>,
        settings: GroupCommit,
        sessions: impl Iterator<Item = W::Session>,
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
        for (number, session) in (0..).zip(sessions).take(connections.writers() as usize) {
            let queue = Arc::clone(&queue);
            let mut target = Target::<W> {
                tools: Arc::clone(tools),
                connections: Arc::clone(connections),
                counters: Arc::clone(counters),
                number,
                session,
            };
            thread::Builder::new()
                .name("liveness-writer".to_owned())
                .spawn(move || {
                    while let Some(batch) = queue.take() {
                        // After a panic, each caller without an answer gets `OutcomeUnknown`.
                        let _ = catch_unwind(AssertUnwindSafe(|| target.commit(batch)));
                    }
                })
                .map_err(|error| OpenError::new(format!("cannot start a thread to write: {error}")))?;
        }
        Ok(Self(queue))
    }

    /// How writes are collected.
    pub(crate) fn settings(&self) -> GroupCommit {
        self.0.settings
    }

    /// How many writes wait, and how many bytes they have.
    pub(crate) fn waiting(&self) -> (usize, usize) {
        let state = self.0.lock();
        (state.waiting.len(), state.bytes)
    }

    /// Queues a write, and returns once the write is durable.
    pub(crate) async fn write(&self, write: W) -> Outcome<W> {
        let span = Span::begin(STORE_WRITE);
        let outcome = self.queue(write, span.origin()).await;
        span.end(&outcome);
        outcome
    }

    async fn queue(&self, write: W, origin: Origin) -> Outcome<W> {
        let (answer, mut answered) = oneshot::channel();
        let ticket = self.0.add(write, answer, origin)?;
        let answer = match timeout(WAIT, &mut answered).await {
            Ok(answer) => answer,
            Err(_) if self.0.withdraw(ticket) => {
                return Err(StoreError::unavailable("the write waited for more than 5 s"));
            }
            // A thread is writing it.
            Err(_) => timeout(WAIT, answered)
                .await
                .map_err(|_| StoreError::outcome_unknown("the database did not confirm the commit within 10 s"))?,
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

    fn add(&self, write: W, answer: oneshot::Sender<Outcome<W>>, origin: Origin) -> Result<u64, StoreError> {
        let mut state = self.lock();
        let bytes = state.bytes + write.bytes();
        if state.waiting.len() >= self.settings.queue || bytes > self.settings.queue_bytes {
            return Err(StoreError::unavailable("too many writes wait for the database"));
        }
        state.bytes = bytes;
        state.last_ticket += 1;
        let ticket = state.last_ticket;
        state.waiting.push_back(Waiting {
            ticket,
            write,
            answer,
            origin,
        });
        drop(state);
        self.arrived.notify_one();
        Ok(ticket)
    }

    /// Takes a write out of the queue. Returns false when a thread has already taken it.
    fn withdraw(&self, ticket: u64) -> bool {
        let mut state = self.lock();
        let found = state.waiting.iter().position(|waiting| waiting.ticket == ticket);
        if let Some(withdrawn) = found.and_then(|place| state.waiting.remove(place)) {
            state.bytes -= withdrawn.write.bytes();
        }
        found.is_some()
    }

    /// Waits for writes, and takes as many as fit into one transaction. Returns `None` once the queue is closed and
    /// empty.
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

    /// Takes a batch from the queue. Two writes about the same subject go into different batches, so that the second
    /// write sees the result of the first.
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

/// The reason why nothing of a transaction was committed.
struct Failed {
    error: StoreError,
    /// Whether one write may have caused the error. It is false when the connection or the commit failed.
    is_of_a_write: bool,
}

/// The database that one writer thread commits to, and the session of the thread.
struct Target<W: GroupWrite> {
    tools: Arc<W::Tools>,
    connections: Arc<Connections>,
    counters: Arc<Counters>,
    /// The number of the thread, from 0.
    number: u32,
    session: W::Session,
}

impl<W: GroupWrite> Target<W> {
    /// Commits a batch and answers each caller. If one write may have caused an error, each write is tried again in a
    /// transaction of its own.
    fn commit(&mut self, batch: Vec<Waiting<W>>) {
        let origins = batch.iter().map(|waiting| &waiting.origin);
        let spans = BatchSpans::begin(COMMIT, self.connections.system(), origins);
        let (writes, answers): (Vec<_>, Vec<_>) =
            batch.into_iter().map(|waiting| (waiting.write, waiting.answer)).unzip();
        let deadline = Instant::now() + WAIT;
        let outcomes: Vec<Outcome<W>> = match self.transaction(&writes, deadline) {
            Ok(outcomes) => outcomes,
            Err(failed) if failed.is_of_a_write && writes.len() > 1 => {
                writes.iter().map(|write| self.alone(write, deadline)).collect()
            }
            Err(failed) => writes.iter().map(|_| Err(failed.error.clone())).collect(),
        };
        spans.end(outcomes.iter().map(|outcome| outcome.as_ref().err()));
        for (answer, outcome) in answers.into_iter().zip(outcomes) {
            // The caller may have gone away.
            let _ = answer.send(outcome);
        }
    }

    fn alone(&mut self, write: &W, deadline: Instant) -> Outcome<W> {
        if Instant::now() > deadline {
            return Err(StoreError::unavailable(
                "the database refused the batch, and no time was left to try each write alone",
            ));
        }
        let outcomes = self.transaction(std::slice::from_ref(write), deadline);
        let mut outcomes = outcomes.map_err(|failed| failed.error)?;
        outcomes
            .pop()
            .unwrap_or_else(|| Err(StoreError::internal("a write came back without an outcome")))
    }

    fn transaction(&mut self, writes: &[W], deadline: Instant) -> Result<Vec<Outcome<W>>, Failed> {
        let begun = Instant::now();
        let mut attempt = 1;
        loop {
            let mut has_failed_inside = false;
            let (tools, session) = (&*self.tools, &mut self.session);
            let committed = self.connections.write(|conn| {
                // If a connection broke, this is done again on the next one.
                session.rolled_back();
                conn.transaction(Purpose::Write, |conn| {
                    let written = W::write_batch(conn, tools, session, writes);
                    has_failed_inside = written.is_err();
                    written
                })
            });
            let error = match committed {
                Ok(outcomes) => {
                    self.session.committed();
                    self.counters.committed(writes.len(), begun.elapsed());
                    return Ok(outcomes);
                }
                Err(error) => error,
            };
            match error {
                StoreError::OutcomeUnknown(_) => self.session.is_unknown(),
                _ => self.session.rolled_back(),
            }
            let is_repeated = self.connections.can_collide() && error.is_worth_repeating() && Instant::now() < deadline;
            if attempt == ATTEMPTS || !is_repeated {
                self.counters.failed();
                let is_of_a_write = has_failed_inside && !error.is_of_the_connection();
                return Err(Failed { error, is_of_a_write });
            }
            // Two nodes that have collided must not try again at the same moment.
            thread::sleep(Duration::from_millis(u64::from(attempt * 2 + self.number % 8)));
            attempt += 1;
        }
    }
}
