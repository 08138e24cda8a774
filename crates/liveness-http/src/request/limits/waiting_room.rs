//! How many callers may wait for an answer to change, and how they are told to go: `docs/api.md#waiting`.
//!
//! A caller who waits does not count as a request in flight, but keeps a connection. So only a part of the connections may
//! wait, and one principal may have a few of them.

use std::sync::Arc;
use std::time::Duration;

use liveness_bus::{EndOfWaits, Principal, Wait};
use tokio::sync::Semaphore;

use super::fair_share::FairShare;
use super::permit::Permit;
use crate::metrics::Metrics;

/// How many calls of one principal may wait at once.
const PLACES_EACH: usize = 8;

/// Hands out places to wait.
#[derive(Debug)]
pub(crate) struct WaitingRoom {
    places: Arc<Semaphore>,
    shares: FairShare,
    end: EndOfWaits,
    metrics: Metrics,
}

/// A caller who may wait, until this is dropped.
#[derive(Debug)]
pub(crate) struct WaitingCaller {
    pub(crate) wait: Wait,
    _place: Permit,
}

impl WaitingRoom {
    pub(crate) fn new(places: usize, metrics: Metrics) -> Self {
        Self {
            places: Arc::new(Semaphore::new(places.min(Semaphore::MAX_PERMITS))),
            shares: FairShare::new(PLACES_EACH),
            end: EndOfWaits::default(),
            metrics,
        }
    }

    /// A place for a call of the principal. `None` if there is none: then nobody is refused, but answered at once.
    pub(crate) fn admit(&self, principal: &Principal, time: Duration) -> Option<WaitingCaller> {
        if self.end.has_come() {
            return None;
        }
        let share = self.shares.of(principal).try_acquire_owned().ok()?;
        let place = Arc::clone(&self.places).try_acquire_owned().ok()?;
        Some(WaitingCaller {
            wait: Wait::until_end(time, &self.end),
            _place: Permit::with_share(place, share, &self.metrics.callers_waiting, 1),
        })
    }

    /// Answers all who wait, and lets nobody wait from now on.
    pub(crate) fn close(&self) {
        self.end.end();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIME: Duration = Duration::from_secs(30);

    fn customer(number: usize) -> Principal {
        Principal::new(number.to_string())
    }

    #[test]
    fn a_principal_has_a_few_places_and_others_have_theirs() {
        let room = WaitingRoom::new(10, Metrics::default());
        let mut waiting: Vec<_> = (0..8).map(|_| room.admit(&customer(1), TIME).unwrap()).collect();
        assert!(room.admit(&customer(1), TIME).is_none());
        waiting.extend([2, 3].map(|number| room.admit(&customer(number), TIME).unwrap()));
        assert!(room.admit(&customer(4), TIME).is_none());
        assert_eq!(room.metrics.callers_waiting.get(), 10);

        drop(waiting);
        assert!(room.admit(&customer(1), TIME).is_some());
        assert_eq!(room.metrics.callers_waiting.get(), 0);
    }

    #[test]
    fn nobody_waits_once_it_is_closed() {
        let room = WaitingRoom::new(10, Metrics::default());
        room.close();
        assert!(room.admit(&customer(1), TIME).is_none());
    }
}
