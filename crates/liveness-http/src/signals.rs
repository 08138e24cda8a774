//! SIGTERM and SIGINT, which end a server and the work of subcommands.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// The signals that end a process in order.
pub(crate) struct Signals {
    terminate: Signal,
    pub(crate) interrupt: Signal,
}

impl Signals {
    /// Listens from now on. Without a runtime with I/O this panics.
    ///
    /// # Errors
    ///
    /// When the kernel refuses it.
    pub(crate) fn listen() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    /// Waits for either.
    pub(crate) async fn any(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
