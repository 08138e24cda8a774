//! How much the host takes on at once: requests, and the bytes of their bodies: `docs/api.md#limits`.
//!
//! A request beyond the first bound is refused at once. A body beyond the second waits a little for its turn, because
//! most uploads are over soon; while it waits, the client is held back by TCP, and no more than the beginning of its body is kept here.

use std::sync::Arc;
use std::time::Duration;

use liveness_bus::BusError;
use prometheus_client::metrics::gauge::Gauge;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::metrics::Metrics;

/// Bodies up to this size take no room and never wait for it: the bound on requests is theirs too. All queries are so.
pub(crate) const SMALL_BODY: usize = 64 * 1024;
/// How long a body waits for room.
const PATIENCE: Duration = Duration::from_secs(10);
/// What room is counted in.
const UNIT: usize = 1024;

/// What is allowed at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bounds {
    /// Requests that have begun and are not answered.
    pub(crate) requests: usize,
    /// Bytes of the bodies of such requests.
    pub(crate) body_bytes: usize,
}

impl Default for Bounds {
    /// 1,024 requests, 256 MiB.
    fn default() -> Self {
        Self {
            requests: 1024,
            body_bytes: 256 << 20,
        }
    }
}

/// What is left of it.
#[derive(Debug, Clone)]
pub(crate) struct Capacity {
    requests: Arc<Semaphore>,
    bodies: Arc<Semaphore>,
    metrics: Metrics,
}

impl Capacity {
    /// Room for at least one request, and for at least one body of `largest` bytes.
    pub(crate) fn new(bounds: Bounds, largest: usize, metrics: Metrics) -> Self {
        let units = units(bounds.body_bytes.max(largest)) as usize;
        Self {
            requests: Arc::new(Semaphore::new(bounds.requests.clamp(1, Semaphore::MAX_PERMITS))),
            bodies: Arc::new(Semaphore::new(units)),
            metrics,
        }
    }

    /// Begins a request, which lasts until what this gives back is dropped.
    ///
    /// # Errors
    ///
    /// [`BusError::Unavailable`] when there are too many.
    pub(crate) fn begin(&self) -> Result<Held, BusError> {
        match Arc::clone(&self.requests).try_acquire_owned() {
            Ok(permit) => Ok(Held::new(permit, &self.metrics.requests_in_flight, 1)),
            Err(_) => Err(BusError::Unavailable("too many requests are in flight".into())),
        }
    }

    /// Waits for room for a body, which is taken until what this gives back is dropped.
    ///
    /// # Errors
    ///
    /// [`BusError::Unavailable`] when there is none within 10 s.
    pub(crate) async fn room_for(&self, bytes: usize) -> Result<Held, BusError> {
        let units = units(bytes);
        let held = |permit| Held::new(permit, &self.metrics.body_bytes, UNIT);
        if let Ok(permit) = Arc::clone(&self.bodies).try_acquire_many_owned(units) {
            return Ok(held(permit));
        }
        let _waiting = Raised::by(1, &self.metrics.bodies_waiting);
        match timeout(PATIENCE, Arc::clone(&self.bodies).acquire_many_owned(units)).await {
            Ok(Ok(permit)) => Ok(held(permit)),
            _ => Err(BusError::Unavailable("no room for the body within 10 s".into())),
        }
    }
}

fn units(bytes: usize) -> u32 {
    u32::try_from(bytes.div_ceil(UNIT)).unwrap_or(u32::MAX)
}

/// A part of the capacity, given back when dropped.
#[derive(Debug)]
pub(crate) struct Held {
    permit: OwnedSemaphorePermit,
    shown: Raised,
    /// What one permit counts for in the gauge.
    unit: usize,
}

impl Held {
    fn new(permit: OwnedSemaphorePermit, gauge: &Gauge, unit: usize) -> Self {
        let shown = Raised::by(permit.num_permits() * unit, gauge);
        Self { permit, shown, unit }
    }

    /// Gives back what is more than so many bytes.
    pub(crate) fn shrink_to(&mut self, bytes: usize) {
        let surplus = self.permit.num_permits().saturating_sub(units(bytes) as usize);
        drop(self.permit.split(surplus));
        self.shown.lower_to(self.permit.num_permits() * self.unit);
    }
}

/// A gauge that is higher by an amount, until this is dropped.
#[derive(Debug)]
pub(crate) struct Raised {
    gauge: Gauge,
    amount: i64,
}

impl Raised {
    pub(crate) fn by(amount: usize, gauge: &Gauge) -> Self {
        let amount = i64::try_from(amount).unwrap_or(i64::MAX);
        gauge.inc_by(amount);
        Self {
            gauge: gauge.clone(),
            amount,
        }
    }

    fn lower_to(&mut self, amount: usize) {
        let amount = i64::try_from(amount).unwrap_or(i64::MAX);
        self.gauge.dec_by(self.amount - amount);
        self.amount = amount;
    }
}

impl Drop for Raised {
    fn drop(&mut self) {
        self.gauge.dec_by(self.amount);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn capacity(requests: usize, body_bytes: usize) -> Capacity {
        Capacity::new(Bounds { requests, body_bytes }, 1, Metrics::default())
    }

    #[test]
    fn one_request_too_many_is_refused_until_another_has_ended() {
        let capacity = capacity(2, 1);
        let first = capacity.begin().unwrap();
        let _second = capacity.begin().unwrap();
        assert!(matches!(capacity.begin(), Err(BusError::Unavailable(_))));
        assert_eq!(capacity.metrics.requests_in_flight.get(), 2);

        drop(first);
        assert!(capacity.begin().is_ok());
        assert_eq!(capacity.metrics.requests_in_flight.get(), 1);
    }

    #[actix_web::test]
    async fn what_a_body_does_not_need_after_all_is_room_for_the_next() {
        let capacity = capacity(1, 10 * UNIT);
        let mut first = capacity.room_for(9 * UNIT).await.unwrap();
        first.shrink_to(4 * UNIT - 5);
        assert_eq!(capacity.metrics.body_bytes.get(), 4 * UNIT as i64);
        let second = capacity.room_for(6 * UNIT).await.unwrap();
        assert_eq!(capacity.metrics.body_bytes.get(), 10 * UNIT as i64);

        drop((first, second));
        assert_eq!(capacity.metrics.body_bytes.get(), 0);
    }

    #[actix_web::test]
    async fn there_is_always_room_for_one_body() {
        let capacity = Capacity::new(
            Bounds {
                requests: 0,
                body_bytes: 0,
            },
            5000,
            Metrics::default(),
        );
        assert!(capacity.begin().is_ok());
        assert!(capacity.room_for(5000).await.is_ok());
    }
}
