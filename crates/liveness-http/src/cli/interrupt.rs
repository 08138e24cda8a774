//! SIGINT and SIGTERM end long work in order.

use std::future::Future;

use tokio::signal::unix::{SignalKind, signal};

use super::failure::Failure;

/// Does the work. A signal drops it at its next `await`, and the result is `None`.
pub(super) async fn unless_interrupted<T>(work: impl Future<Output = T>) -> Result<Option<T>, Failure> {
    let listen = |kind| signal(kind).map_err(|error| Failure::of(format!("cannot listen for signals: {error}")));
    let (mut interrupt, mut terminate) = (listen(SignalKind::interrupt())?, listen(SignalKind::terminate())?);
    tokio::select! {
        done = work => Ok(Some(done)),
        _ = interrupt.recv() => Ok(None),
        _ = terminate.recv() => Ok(None),
    }
}
