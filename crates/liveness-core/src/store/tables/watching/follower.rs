//! The thread that looks what others have written, for all who watch a user. While nobody watches, it does nothing.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::tail::{self, ENTRIES_OF_A_LOOK, Tail};
use crate::store::engine::connections::Connections;
use crate::store::engine::error::StoreError;
use crate::store::queue::wake_ups::WakeUps;

/// The time between two looks.
const LOOK_INTERVAL: Duration = Duration::from_millis(250);

/// The handle to the thread, which ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Follower(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    connections: Arc<Connections>,
    wake_ups: Arc<WakeUps>,
    state: Mutex<State>,
    stirred: Condvar,
}

#[derive(Debug, Default)]
struct State {
    has_thread: bool,
    is_closed: bool,
}

impl Follower {
    /// Starts no thread yet.
    pub(crate) fn new(connections: &Arc<Connections>, wake_ups: &Arc<WakeUps>) -> Self {
        Self(Arc::new(Shared {
            connections: Arc::clone(connections),
            wake_ups: Arc::clone(wake_ups),
            state: Mutex::default(),
            stirred: Condvar::new(),
        }))
    }

    pub(crate) fn wake_ups(&self) -> &Arc<WakeUps> {
        &self.0.wake_ups
    }

    /// Begins to look, if it does not look yet. There is somebody who waits.
    pub(crate) fn begin(&self) {
        let mut state = self.0.lock();
        if state.has_thread {
            drop(state);
            self.0.stirred.notify_one();
            return;
        }
        let shared = Arc::clone(&self.0);
        let started = thread::Builder::new()
            .name("liveness-tail".to_owned())
            .spawn(move || shared.follow());
        state.has_thread = started.is_ok();
        if let Err(error) = started {
            log::warn!("what other nodes write is not looked for: cannot start a thread: {error}");
        }
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.0.lock().is_closed = true;
        self.0.stirred.notify_one();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // No code panics while it holds the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn follow(&self) {
        let mut tail = None;
        while self.rests_while_nobody_waits(&mut tail) {
            if let Err(error) = self.look(&mut tail) {
                // The store itself tells of a database that goes away and comes back.
                log::debug!("what other nodes have written was not looked for: {}", error.cause());
                // What was missed meanwhile, nobody knows. So it begins anew, and wakes everybody.
                tail = None;
            }
            let state = self.lock();
            let waited = self
                .stirred
                .wait_timeout_while(state, LOOK_INTERVAL, |state| !state.is_closed);
            drop(waited);
        }
    }

    /// Waits for somebody who waits. Returns false once the store is closed. After a rest, the tail begins anew.
    fn rests_while_nobody_waits(&self, tail: &mut Option<Tail>) -> bool {
        let mut state = self.lock();
        while !state.is_closed && self.wake_ups.is_empty() {
            *tail = None;
            state = self.stirred.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        !state.is_closed
    }

    /// Looks for new entries, and wakes who waits for their users.
    fn look(&self, tail: &mut Option<Tail>) -> Result<(), StoreError> {
        if tail.is_none() {
            let newest = self.connections.read(tail::newest_id)?;
            *tail = Some(Tail::before(newest));
            // Who has read before this may have missed what came between.
            self.wake_ups.wake_all();
        }
        let Some(tail) = tail else { return Ok(()) };
        loop {
            let (last_id, missed) = (tail.last_id(), tail.missed());
            let found = self.connections.read(|conn| tail::look(conn, last_id, &missed))?;
            let is_partial = i64::try_from(found.len()).is_ok_and(|found| found >= ENTRIES_OF_A_LOOK);
            self.wake_ups.wake(tail.take(found, Instant::now()));
            if !is_partial {
                return Ok(());
            }
        }
    }
}
