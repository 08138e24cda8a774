//! How much the host takes on at once: requests, and the bytes of their bodies: `docs/api.md#limits`.
//!
//! A request beyond the first bound is refused at once. A body beyond the second waits a little for its turn, because
//! most uploads are over soon; while it waits, the client is held back by TCP, and no more than the beginning of its body is kept here.
//!
//! Who sends slowly holds both for long. So one principal has a share of each, and the rest is left to others.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use liveness_bus::{BusError, Principal};
use prometheus_client::metrics::gauge::Gauge;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};

use crate::metrics::Metrics;

/// Bodies up to this size take no room and never wait for it: the bound on requests is theirs too. All queries are so.
pub(crate) const SMALL_BODY: usize = 64 * 1024;
/// How long a body waits for room.
const PATIENCE: Duration = Duration::from_secs(10);
/// What room is counted in.
const UNIT: usize = 1024;
/// One principal's share is one of so many.
const SHARES: usize = 8;

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
    /// Of the requests, those whose bodies are still to come.
    senders: Arc<Shares>,
    /// Of the bodies.
    uploads: Arc<Shares>,
    metrics: Metrics,
}

impl Capacity {
    /// Room for at least one request, and for at least one body of `largest` bytes.
    pub(crate) fn new(bounds: Bounds, largest: usize, metrics: Metrics) -> Self {
        let requests = bounds.requests.clamp(1, Semaphore::MAX_PERMITS);
        let bytes = bounds.body_bytes.max(largest);
        Self {
            requests: Arc::new(Semaphore::new(requests)),
            bodies: Arc::new(Semaphore::new(units(bytes) as usize)),
            senders: Arc::new(Shares::of(requests.div_ceil(SHARES))),
            uploads: Arc::new(Shares::of(units((bytes / SHARES).max(largest)) as usize)),
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

    /// Begins to wait for the body of a request, which lasts until what this gives back is dropped.
    ///
    /// # Errors
    ///
    /// [`BusError::TooMany`] when the principal has too many such requests.
    pub(crate) fn wait_for_body(&self, principal: &Principal) -> Result<OwnedSemaphorePermit, BusError> {
        let share = self.senders.share(principal);
        share.try_acquire_owned().map_err(|_| TOO_MANY)
    }

    /// Waits for room for a body of the principal's, which is taken until what this gives back is dropped.
    ///
    /// # Errors
    ///
    /// [`BusError::TooMany`] when others of the principal's bodies leave none within 10 s, and
    /// [`BusError::Unavailable`] when those of others do.
    pub(crate) async fn room_for(&self, bytes: usize, principal: &Principal) -> Result<Held, BusError> {
        let units = units(bytes);
        let until = Instant::now() + PATIENCE;
        let share = self.acquire(self.uploads.share(principal), units, until).await;
        let share = share.ok_or(TOO_MANY)?;
        let permit = self.acquire(Arc::clone(&self.bodies), units, until).await;
        let permit = permit.ok_or_else(|| BusError::Unavailable("no room for the body within 10 s".into()))?;
        Ok(Held {
            share: Some(share),
            ..Held::new(permit, &self.metrics.body_bytes, UNIT)
        })
    }

    async fn acquire(&self, room: Arc<Semaphore>, units: u32, until: Instant) -> Option<OwnedSemaphorePermit> {
        if let Ok(permit) = Arc::clone(&room).try_acquire_many_owned(units) {
            return Some(permit);
        }
        let _waiting = Raised::by(1, &self.metrics.bodies_waiting);
        timeout_at(until, room.acquire_many_owned(units)).await.ok()?.ok()
    }
}

const TOO_MANY: BusError = BusError::TooMany {
    retry_after: Duration::from_secs(1),
};

/// The same for each principal, as far as they hold any of it.
#[derive(Debug)]
struct Shares {
    each: usize,
    /// By a hash of the subject, which may be long; nobody can tell whose are equal.
    held: Mutex<HashMap<u64, Arc<Semaphore>>>,
    subjects: RandomState,
}

impl Shares {
    fn of(each: usize) -> Self {
        Self {
            each,
            held: Mutex::default(),
            subjects: RandomState::new(),
        }
    }

    fn share(&self, principal: &Principal) -> Arc<Semaphore> {
        let subject = self.subjects.hash_one(principal.subject());
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if held.len() == held.capacity() {
            // Before it grows, those are forgotten of whom nothing is held.
            held.retain(|_, share| Arc::strong_count(share) > 1);
        }
        let share = held
            .entry(subject)
            .or_insert_with(|| Arc::new(Semaphore::new(self.each)));
        Arc::clone(share)
    }
}

fn units(bytes: usize) -> u32 {
    u32::try_from(bytes.div_ceil(UNIT)).unwrap_or(u32::MAX)
}

/// A part of the capacity, given back when dropped.
#[derive(Debug)]
pub(crate) struct Held {
    permit: OwnedSemaphorePermit,
    /// The same of the principal's own share.
    share: Option<OwnedSemaphorePermit>,
    shown: Raised,
    /// What one permit counts for in the gauge.
    unit: usize,
}

impl Held {
    fn new(permit: OwnedSemaphorePermit, gauge: &Gauge, unit: usize) -> Self {
        let shown = Raised::by(permit.num_permits() * unit, gauge);
        Self {
            permit,
            share: None,
            shown,
            unit,
        }
    }

    /// Gives back what is more than so many bytes.
    pub(crate) fn shrink_to(&mut self, bytes: usize) {
        let surplus = self.permit.num_permits().saturating_sub(units(bytes) as usize);
        drop(self.permit.split(surplus));
        drop(self.share.as_mut().and_then(|share| share.split(surplus)));
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

    fn customer(number: usize) -> Principal {
        Principal::new(number.to_string())
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
        let capacity = Capacity::new(
            Bounds {
                requests: 1,
                body_bytes: 10 * UNIT,
            },
            9 * UNIT,
            Metrics::default(),
        );
        let mut first = capacity.room_for(9 * UNIT, &customer(1)).await.unwrap();
        first.shrink_to(4 * UNIT - 5);
        assert_eq!(capacity.metrics.body_bytes.get(), 4 * UNIT as i64);
        let second = capacity.room_for(6 * UNIT, &customer(2)).await.unwrap();
        assert_eq!(capacity.metrics.body_bytes.get(), 10 * UNIT as i64);
        // The first principal's share has room again too.
        assert!(
            timeout_at(Instant::now(), capacity.room_for(UNIT, &customer(1)))
                .await
                .is_err()
        );
        drop(second);
        assert!(capacity.room_for(5 * UNIT, &customer(1)).await.is_ok());

        drop(first);
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
        assert!(capacity.room_for(5000, &customer(1)).await.is_ok());
        assert!(capacity.wait_for_body(&customer(1)).is_ok());
    }

    #[actix_web::test]
    async fn a_principal_has_an_eighth_and_others_have_theirs() {
        let capacity = capacity(16, 16 * UNIT);
        let waiting: Vec<_> = (0..2).map(|_| capacity.wait_for_body(&customer(1)).unwrap()).collect();
        let refused = capacity.wait_for_body(&customer(1));
        assert!(matches!(refused, Err(BusError::TooMany { .. })), "{refused:?}");
        let room = capacity.room_for(2 * UNIT, &customer(1)).await.unwrap();
        let refused = timeout_at(Instant::now(), capacity.room_for(1, &customer(1))).await;
        assert!(refused.is_err());

        assert!(capacity.wait_for_body(&customer(2)).is_ok());
        assert!(capacity.room_for(2 * UNIT, &customer(2)).await.is_ok());
        drop((waiting, room));
        assert!(capacity.wait_for_body(&customer(1)).is_ok());
        assert!(capacity.room_for(2 * UNIT, &customer(1)).await.is_ok());
    }

    #[test]
    fn who_holds_nothing_is_forgotten_and_who_holds_something_is_not() {
        let shares = Shares::of(1);
        let held = shares.share(&customer(0)).try_acquire_owned().unwrap();
        for number in 1..10_000 {
            shares.share(&customer(number));
        }
        assert!(shares.held.lock().unwrap().len() < 10);
        assert!(shares.share(&customer(0)).try_acquire_owned().is_err());
        drop(held);
        assert!(shares.share(&customer(0)).try_acquire_owned().is_ok());
    }
}
