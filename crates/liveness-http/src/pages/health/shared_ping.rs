//! One ping of the database for everybody who asks at about the same time.
//!
//! `/health/ready` asks for no token. So the number of strangers who ask, and who go away again, must not be the number of
//! pings.

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
    pub(super) async fn result(
        &self,
        ping: impl Future<Output = Result<(), StoreError>> + 'static,
    ) -> Result<(), StoreError> {
        let asked = Instant::now();
        let mut last = Arc::clone(&self.0).lock_owned().await;
        // A failure is for those who waited for it. Whoever asks later is told that the database is back.
        let is_answer =
            |last: &&Pinged| last.ended >= asked || (last.result.is_ok() && last.ended.elapsed() < LIFETIME);
        if let Some(last) = last.as_ref().filter(is_answer) {
            return last.result.clone();
        }
        // If this client goes away, the ping goes on, for those who wait. A ping that waits for a lock in the database cannot
        // be taken back: it keeps its connection. If everybody who goes away left one, there would soon be none to read from.
        let pinging = actix_web::rt::spawn(async move {
            let result = ping.await;
            *last = Some(Pinged {
                ended: Instant::now(),
                result: result.clone(),
            });
            result
        });
        pinging
            .await
            .unwrap_or_else(|error| Err(StoreError::Internal(Arc::new(error))))
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::future::poll_fn;
    use std::pin::Pin;
    use std::rc::Rc;
    use std::task::Poll;

    use tokio::sync::oneshot;

    use super::*;

    #[actix_web::test]
    async fn all_who_ask_at_once_are_answered_by_one_ping() {
        let (shared, pings) = (SharedPing::default(), Rc::new(Cell::new(0)));
        let ask = |_| {
            let pings = Rc::clone(&pings);
            Box::pin(shared.result(async move {
                pings.set(pings.get() + 1);
                Ok(())
            }))
        };
        let mut asked: Vec<_> = (0..1000).map(ask).collect();
        // All ask before the first is answered.
        for ask in &mut asked {
            assert!(is_pending(ask).await);
        }
        for ask in asked {
            assert!(ask.await.is_ok());
        }
        assert_eq!(pings.get(), 1);
    }

    #[actix_web::test]
    async fn the_ping_of_clients_that_go_away_is_the_answer_of_those_who_stay() {
        let (shared, (end, ended)) = (SharedPing::default(), oneshot::channel::<()>());
        let first = async move {
            ended.await.unwrap();
            Err(StoreError::SessionOfAnotherUser)
        };
        let mut gone = Box::pin(shared.result(first));
        assert!(is_pending(&mut gone).await);
        drop(gone);
        for _ in 0..1000 {
            let mut gone = Box::pin(shared.result(async { panic!("a second ping") }));
            assert!(is_pending(&mut gone).await);
        }
        let mut stays = Box::pin(shared.result(async { panic!("a second ping") }));
        assert!(is_pending(&mut stays).await);

        end.send(()).unwrap();

        assert!(matches!(stays.await, Err(StoreError::SessionOfAnotherUser)));
        // Whoever asks later is not told of that failure.
        assert!(shared.result(async { Ok(()) }).await.is_ok());
    }

    async fn is_pending(asking: &mut Pin<Box<impl Future>>) -> bool {
        poll_fn(|cx| Poll::Ready(asking.as_mut().poll(cx).is_pending())).await
    }
}
