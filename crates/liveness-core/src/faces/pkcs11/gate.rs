//! Counts the calls into the libraries of tokens, so that the process ends only when no call is running.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::faces::KeeperError;

static GATE: Gate = Gate {
    state: Mutex::new(State {
        inside: 0,
        is_closed: false,
    }),
    left: Condvar::new(),
};

struct Gate {
    state: Mutex<State>,
    left: Condvar,
}

struct State {
    inside: usize,
    is_closed: bool,
}

impl Gate {
    fn state(&self) -> MutexGuard<'_, State> {
        // No code panics while it holds the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whoever has it may call the library.
pub(super) struct Inside(());

/// Lets the caller into the library, unless the process ends.
pub(super) fn enter() -> Result<Inside, KeeperError> {
    let mut state = GATE.state();
    if state.is_closed {
        return Err(KeeperError::Unusable {
            problem: "the process ends, and asks its token no more".to_owned(),
            mend: "ask again".to_owned(),
        });
    }
    state.inside += 1;
    Ok(Inside(()))
}

impl Drop for Inside {
    fn drop(&mut self) {
        GATE.state().inside -= 1;
        GATE.left.notify_all();
    }
}

/// Ends the use of all tokens, for good: waits at most `patience` for the threads that are in the library of one, and lets
/// nobody in any more. Returns whether all have left. Call it last, right before the process ends.
///
/// When a process ends, it destroys what the libraries have in memory (`atexit`), while its other threads go on. A thread that
/// is in the library of a token at this moment uses what was freed: the process then ends by a signal, instead of with its exit
/// code. SoftHSM does so about every second time.
pub fn close(patience: Duration) -> bool {
    let mut state = GATE.state();
    state.is_closed = true;
    let waited = GATE.left.wait_timeout_while(state, patience, |state| state.inside > 0);
    waited.unwrap_or_else(PoisonError::into_inner).0.inside == 0
}
