//! One ping of the database for everybody who asks at about the same time.
//!
//! `/health/ready` asks for no token. So the number of strangers who ask must not be the number of pings.

use std::sync::Arc;
use std::time::Duration;

use liveness_core::store::StoreError;
use tokio::sync::Mutex;
use tokio::time::Instant;

/// How long the result of a ping is given to others.
const LIFETIME: Duration = Duration::from_millis(250);

/// The last ping. Cloning it is cheap, and all clones share their pings.
#[derive(Debug, Clone, Default)]
pub(super) struct SharedPing(Arc<Mutex<Option<Pinged>>>);

#[derive(Debug)]
struct Pinged {
    ended: Instant,
    result: Result<(), StoreError>,
}

impl SharedPing {
    /// The result of a ping that ended a moment ago, or else of this one. Only one ping is under way at a time. Who asks
    /// meanwhile waits for its end.
    pub(super) async fn result(&self, ping: impl Future<Output = Result<(), StoreError>>) -> Result<(), StoreError> {
        let asked = Instant::now();
        let mut last = self.0.lock().await;
        // A failure is for those who waited for it. Whoever asks later is told that the database is back.
        let is_answer =
            |last: &&Pinged| last.ended >= asked || (last.result.is_ok() && last.ended.elapsed() < LIFETIME);
        if let Some(last) = last.as_ref().filter(is_answer) {
            return last.result.clone();
        }
        // If this client goes away, its ping is withdrawn, and the next one in line sends one of its own.
        let result = ping.await;
        *last = Some(Pinged {
            ended: Instant::now(),
            result: result.clone(),
        });
        result
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::future::{pending, poll_fn};
    use std::task::Poll;

    use super::*;

    #[actix_web::test]
    async fn all_who_ask_at_once_are_answered_by_one_ping() {
        let (shared, pings) = (SharedPing::default(), Cell::new(0));
        let ask = |_| {
            Box::pin(shared.result(async {
                pings.set(pings.get() + 1);
                tokio::task::yield_now().await;
                Ok(())
            }))
        };
        let mut asked: Vec<_> = (0..1000).map(ask).collect();
        // All ask before the first is answered.
        poll_fn(|cx| {
            let waiting = asked
                .iter_mut()
                .filter_map(|ask| ask.as_mut().poll(cx).is_pending().then_some(()));
            assert_eq!(waiting.count(), 1000);
            Poll::Ready(())
        })
        .await;
        for ask in asked {
            assert!(ask.await.is_ok());
        }
        assert_eq!(pings.get(), 1);
    }

    #[actix_web::test]
    async fn the_ping_of_a_client_that_goes_away_is_nobodys_answer() {
        let shared = SharedPing::default();
        let mut gone = Box::pin(shared.result(pending()));
        assert!(poll_fn(|cx| Poll::Ready(gone.as_mut().poll(cx).is_pending())).await);
        drop(gone);
        let refused = shared.result(async { Err(StoreError::SessionOfAnotherUser) }).await;
        assert!(matches!(refused, Err(StoreError::SessionOfAnotherUser)));
    }
}
