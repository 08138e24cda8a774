//! Ends long work in good order on SIGINT and SIGTERM. Linux ignores both for the first process of a container, unless
//! the process handles them.

use std::future::Future;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use tokio::runtime::Builder;

use super::failure::{Failure, report};
use crate::face_keys::close_tokens;
use crate::signals::Signals;

/// How much of the work under way ends in order by itself.
static IN_ORDER: AtomicUsize = AtomicUsize::new(0);

/// Does the work. A signal drops it at its next `await`, and the result is `None`.
pub(super) async fn unless_interrupted<T>(work: impl Future<Output = T>) -> Result<Option<T>, Failure> {
    let mut signals = Signals::listen().map_err(|error| Failure::of(format!("cannot listen for signals: {error}")))?;
    IN_ORDER.fetch_add(1, Ordering::AcqRel);
    let ended = tokio::select! {
        done = work => Some(done),
        () = signals.any() => None,
    };
    // What is interrupted goes on ending in order.
    if ended.is_some() {
        IN_ORDER.fetch_sub(1, Ordering::AcqRel);
    }
    Ok(ended)
}

/// Has the signals end this process, if it is the first one of a container: the kernel gives that one no default action. What
/// ends in order is left to do so.
///
/// # Errors
///
/// When the signals cannot be listened for.
pub(super) fn end_first_process() -> io::Result<()> {
    if std::process::id() != 1 {
        return Ok(());
    }
    let runtime = Builder::new_current_thread().enable_io().build()?;
    let mut signals = runtime.block_on(async { Signals::listen() })?;
    let wait = async move {
        loop {
            signals.any().await;
            if IN_ORDER.load(Ordering::Acquire) == 0 {
                let code = report(Err(Failure::Interrupted("interrupted".to_owned())));
                close_tokens();
                std::process::exit(code)
            }
        }
    };
    thread::Builder::new()
        .name("signals".to_owned())
        .spawn(move || runtime.block_on(wait))?;
    Ok(())
}
