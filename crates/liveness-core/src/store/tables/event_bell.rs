//! Wakes the deliverers of events in this process when a transaction with events was committed.

use std::sync::Arc;

use tokio::sync::watch;

/// It counts how often it was rung. All clones are one bell.
#[derive(Debug, Clone)]
pub(crate) struct EventBell(Arc<watch::Sender<u64>>);

impl Default for EventBell {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(0)))
    }
}

impl EventBell {
    pub(crate) fn ring(&self) {
        self.0.send_modify(|rung| *rung = rung.wrapping_add(1));
    }

    /// Hears every ring from now on.
    pub(crate) fn listen(&self) -> watch::Receiver<u64> {
        self.0.subscribe()
    }
}
