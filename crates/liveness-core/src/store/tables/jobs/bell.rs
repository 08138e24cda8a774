//! Wakes the runner of this process when a job was added, has ended, or the runner is to stop.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// It counts how often it was rung, so that nobody misses it between a look and a wait.
#[derive(Debug, Default)]
pub(crate) struct Bell {
    rung: Mutex<u64>,
    ringing: Condvar,
}

impl Bell {
    pub(crate) fn ring(&self) {
        *self.lock() += 1;
        self.ringing.notify_all();
    }

    /// How often it was rung.
    pub(crate) fn rung(&self) -> u64 {
        *self.lock()
    }

    /// Waits until it is rung more often than that, but no longer than this.
    pub(crate) fn wait(&self, heard: u64, patience: Duration) {
        let waited = self
            .ringing
            .wait_timeout_while(self.lock(), patience, |rung| *rung == heard);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }

    fn lock(&self) -> MutexGuard<'_, u64> {
        // No code panics while it holds the lock.
        self.rung.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
