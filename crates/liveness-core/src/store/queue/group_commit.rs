//! Group commit. While one transaction is made durable, the next writes are collected. Then they are committed
//! together.
//!
//! A write waits in a queue. A writer thread takes all writes that wait into one transaction. This file does not know
//! what a write does: see [`GroupWrite`].

mod queue;
mod target;

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;

use tokio::sync::oneshot;
use tokio::time::timeout;

use self::queue::Queue;
use self::target::Target;
use super::spans::{Origin, STORE_WRITE, Span};
use super::stats::Counters;
use crate::store::engine::connection::Connection;
use crate::store::engine::connections::Connections;
use crate::store::engine::error::{OpenError, StoreError};
use crate::store::engine::timeouts::WAIT;

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
        let queue = Arc::new(Queue::new(settings));
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
        self.0.waiting()
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
        self.0.close();
    }
}
