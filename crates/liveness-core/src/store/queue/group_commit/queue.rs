//! The queue of group commit: writes wait in it until a thread takes them.

use std::collections::{HashSet, VecDeque};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use super::{GroupCommit, GroupWrite, Outcome};
use crate::store::engine::error::StoreError;
use crate::store::queue::spans::Origin;

/// The most bytes in one transaction, unless its first write alone has more.
const BATCH_BYTES: usize = 16 << 20;

/// A write in the queue, and the channel to its caller.
pub(super) struct Waiting<W: GroupWrite> {
    ticket: u64,
    pub(super) write: W,
    pub(super) answer: oneshot::Sender<Outcome<W>>,
    pub(super) origin: Origin,
}

/// The writes that wait, in the order of their calls.
pub(super) struct Queue<W: GroupWrite> {
    pub(super) settings: GroupCommit,
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
    pub(super) fn new(settings: GroupCommit) -> Self {
        Self {
            settings,
            state: Mutex::new(State {
                waiting: VecDeque::new(),
                bytes: 0,
                last_ticket: 0,
                is_closed: false,
            }),
            arrived: Condvar::new(),
        }
    }

    /// How many writes wait, and how many bytes they have.
    pub(super) fn waiting(&self) -> (usize, usize) {
        let state = self.lock();
        (state.waiting.len(), state.bytes)
    }

    /// Takes no more writes. The threads end once the queue is empty.
    pub(super) fn close(&self) {
        self.lock().is_closed = true;
        self.arrived.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State<W>> {
        // No code panics while it holds the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a write, unless too many wait. Returns its ticket.
    pub(super) fn add(&self, write: W, answer: oneshot::Sender<Outcome<W>>, origin: Origin) -> Result<u64, StoreError> {
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
    pub(super) fn withdraw(&self, ticket: u64) -> bool {
        let mut state = self.lock();
        let found = state.waiting.iter().position(|waiting| waiting.ticket == ticket);
        if let Some(withdrawn) = found.and_then(|place| state.waiting.remove(place)) {
            state.bytes -= withdrawn.write.bytes();
        }
        found.is_some()
    }

    /// Waits for writes, and takes as many as fit into one transaction. Returns `None` once the queue is closed and
    /// empty.
    pub(super) fn take(&self) -> Option<Vec<Waiting<W>>> {
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
