//! How long the sender of a query likes to wait for its answer to change.

use std::any::Any;
use std::fmt;
use std::future::{pending, poll_fn};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use std::time::{Duration, Instant};

use tokio::sync::Notify;
use tokio::time::timeout_at;

/// How long the sender of a query likes to wait for its answer to change: `docs/api.md#waiting`.
///
/// Only messages wait that [say so](crate::Message::WAITS), and they answer at once where there is nothing to wait for. The time
/// runs from when this is made. Cloning it is cheap, and all clones are the same wait.
///
/// ```
/// use std::time::Duration;
/// use liveness_bus::{Context, Principal, Wait};
///
/// let wait = Wait::at_most(Duration::from_secs(30));
/// let context = Context::builder(Principal::new("1234")).wait(Some(wait)).build();
/// assert_eq!(context.wait().map(Wait::time), Some(Duration::from_secs(30)));
/// ```
#[derive(Clone)]
pub struct Wait(Arc<State>);

struct State {
    time: Duration,
    until: Option<Instant>,
    end: Flag,
    ends_with: Option<EndOfWaits>,
    /// What is dropped when the waiting begins.
    held: Mutex<Option<Box<dyn Any + Send>>>,
}

impl fmt::Debug for Wait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wait")
            .field("time", &self.0.time)
            .finish_non_exhaustive()
    }
}

impl Wait {
    /// Waits for so long, from now on.
    pub fn at_most(time: Duration) -> Self {
        Self::new(time, None)
    }

    /// The same, but no longer than until `end`.
    pub fn until_end(time: Duration, end: &EndOfWaits) -> Self {
        Self::new(time, Some(end.clone()))
    }

    fn new(time: Duration, ends_with: Option<EndOfWaits>) -> Self {
        Self(Arc::new(State {
            time,
            until: Instant::now().checked_add(time),
            end: Flag::default(),
            ends_with,
            held: Mutex::default(),
        }))
    }

    /// Keeps a value until the waiting begins, such as a permit that is for work only. If nothing is waited for, the value is
    /// dropped with the last clone of this.
    pub fn hold_until_waiting(&self, held: impl Any + Send) {
        *self.held() = Some(Box::new(held));
    }

    /// How long.
    pub fn time(&self) -> Duration {
        self.0.time
    }

    /// Ends the wait. The query is answered at once, with what the answer is then.
    pub fn end(&self) {
        self.0.end.raise();
    }

    /// Waits for a change. Returns false if the wait is over instead.
    pub(crate) async fn change(&self, change: impl Future<Output = ()>) -> bool {
        drop(self.held().take());
        let mut change = pin!(change);
        let mut end = pin!(self.0.end.raised());
        let mut end_of_all = pin!(async {
            match &self.0.ends_with {
                Some(EndOfWaits(flag)) => flag.raised().await,
                None => pending().await,
            }
        });
        let first = poll_fn(|cx| {
            if change.as_mut().poll(cx).is_ready() {
                Poll::Ready(true)
            } else if end.as_mut().poll(cx).is_ready() || end_of_all.as_mut().poll(cx).is_ready() {
                Poll::Ready(false)
            } else {
                Poll::Pending
            }
        });
        match self.0.until {
            Some(until) => timeout_at(until.into(), first).await.unwrap_or(false),
            None => first.await,
        }
    }

    fn held(&self) -> std::sync::MutexGuard<'_, Option<Box<dyn Any + Send>>> {
        // No code panics while it holds the lock.
        self.0.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ends many waits at once, such as when the process ends. Cloning it is cheap.
#[derive(Debug, Clone, Default)]
pub struct EndOfWaits(Arc<Flag>);

impl EndOfWaits {
    /// Ends all waits, also those that begin later.
    pub fn end(&self) {
        self.0.raise();
    }

    /// Whether it has come.
    pub fn has_come(&self) -> bool {
        self.0.is_raised()
    }
}

/// Something that happens once, and that many may wait for.
#[derive(Debug, Default)]
struct Flag {
    is_raised: AtomicBool,
    raised: Notify,
}

impl Flag {
    fn raise(&self) {
        self.is_raised.store(true, Ordering::SeqCst);
        self.raised.notify_waiters();
    }

    fn is_raised(&self) -> bool {
        self.is_raised.load(Ordering::SeqCst)
    }

    async fn raised(&self) {
        // It hears of what is raised from when it is made, so the flag is looked at after that.
        let raised = self.raised.notified();
        if !self.is_raised() {
            raised.await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::ready;

    use super::*;

    const LONG: Duration = Duration::from_secs(3600);

    #[tokio::test(start_paused = true)]
    async fn a_change_ends_the_wait_and_so_does_time() {
        let wait = Wait::at_most(LONG);

        assert!(wait.change(ready(())).await);
        assert!(!wait.change(pending()).await);
        assert!(!wait.change(pending()).await);
    }

    #[tokio::test]
    async fn who_is_told_to_end_waits_no_longer_and_not_again() {
        let (one, end) = (Wait::at_most(LONG), EndOfWaits::default());
        let others = [Wait::until_end(LONG, &end), Wait::until_end(LONG, &end)];
        let ended = one.clone();
        let waiting = tokio::spawn(async move { (one.change(pending()).await, one.change(pending()).await) });
        tokio::task::yield_now().await;

        ended.end();
        end.end();

        assert_eq!(waiting.await.unwrap(), (false, false));
        for other in others {
            assert!(!other.change(pending()).await);
        }
        assert!(!Wait::until_end(LONG, &end).change(pending()).await);
        assert!(end.has_come());
    }

    #[tokio::test]
    async fn what_is_held_is_given_back_when_the_waiting_begins() {
        let (wait, held) = (Wait::at_most(LONG), Arc::new(()));
        wait.hold_until_waiting(Arc::clone(&held));
        assert_eq!(Arc::strong_count(&held), 2);

        assert!(wait.change(ready(())).await);

        assert_eq!(Arc::strong_count(&held), 1);
    }
}
