//! Admission control: how many requests, and how many bytes of their bodies, the host takes at once: `docs/api.md#limits`.
//!
//! A request beyond the first limit is refused at once. A body beyond the second waits for a short time, because most
//! uploads end soon. While it waits, TCP holds the client back, and only the beginning of the body is kept in memory.
//!
//! A client that sends slowly uses both for a long time. So one principal may use only a share of each, and the rest is
//! left to others.

use std::sync::Arc;
use std::time::Duration;

use liveness_bus::{BusError, Principal};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};

use super::fair_share::FairShare;
use super::permit::{BYTES_PER_PERMIT, Permit, permits_for};
use crate::metrics::{GaugeGuard, Metrics};

/// Bodies up to this size reserve no memory and never wait for it: the limit on requests bounds them too. Every query is
/// this small.
pub(crate) const SMALL_BODY: usize = 64 * 1024;
/// How long a body waits for memory.
const MEMORY_TIMEOUT: Duration = Duration::from_secs(10);
/// One principal may use one part in this many.
const SHARES: usize = 8;

/// How much is taken at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AdmissionLimits {
    /// Requests that have begun and are not answered.
    pub(crate) requests: usize,
    /// Bytes of the bodies of these requests.
    pub(crate) body_bytes: usize,
}

impl Default for AdmissionLimits {
    /// 1,024 requests, 256 MiB.
    fn default() -> Self {
        Self {
            requests: 1024,
            body_bytes: 256 << 20,
        }
    }
}

/// Hands out permits for requests and for the memory of bodies.
#[derive(Debug, Clone)]
pub(crate) struct AdmissionControl {
    requests: Arc<Semaphore>,
    body_memory: Arc<Semaphore>,
    /// Each principal's share of the requests whose bodies are still to come.
    sender_shares: Arc<FairShare>,
    /// Each principal's share of the memory.
    memory_shares: Arc<FairShare>,
    metrics: Metrics,
}

impl AdmissionControl {
    /// Admits at least one request, and at least one body of `largest_body` bytes.
    pub(crate) fn new(limits: AdmissionLimits, largest_body: usize, metrics: Metrics) -> Self {
        let requests = limits.requests.clamp(1, Semaphore::MAX_PERMITS);
        let bytes = limits.body_bytes.max(largest_body);
        let bytes_each = (bytes / SHARES).max(largest_body);
        Self {
            requests: Arc::new(Semaphore::new(requests)),
            body_memory: Arc::new(Semaphore::new(permits_for(bytes) as usize)),
            sender_shares: Arc::new(FairShare::new(requests.div_ceil(SHARES))),
            memory_shares: Arc::new(FairShare::new(permits_for(bytes_each) as usize)),
            metrics,
        }
    }

    /// Admits a request, until the permit is dropped.
    ///
    /// # Errors
    ///
    /// [`BusError::Unavailable`] when there are too many.
    pub(crate) fn admit_request(&self) -> Result<Permit, BusError> {
        match Arc::clone(&self.requests).try_acquire_owned() {
            Ok(permit) => Ok(Permit::new(permit, &self.metrics.requests_in_flight, 1)),
            Err(_) => Err(BusError::Unavailable("too many requests are in flight".into())),
        }
    }

    /// Lets a request of the principal's wait for its body, until the permit is dropped.
    ///
    /// # Errors
    ///
    /// [`BusError::TooMany`] when the principal has too many such requests.
    pub(crate) fn admit_sender(&self, principal: &Principal) -> Result<OwnedSemaphorePermit, BusError> {
        let share = self.sender_shares.of(principal);
        share.try_acquire_owned().map_err(|_| TOO_MANY)
    }

    /// Waits for memory for a body of the principal's. It is reserved until the permit is dropped.
    ///
    /// # Errors
    ///
    /// - [`BusError::TooMany`], when the principal's other bodies leave no memory within 10 s.
    /// - [`BusError::Unavailable`], when the bodies of others leave none.
    pub(crate) async fn reserve_body(&self, bytes: usize, principal: &Principal) -> Result<Permit, BusError> {
        let permits = permits_for(bytes);
        let deadline = Instant::now() + MEMORY_TIMEOUT;
        let share = self
            .acquire(self.memory_shares.of(principal), permits, deadline)
            .await
            .ok_or(TOO_MANY)?;
        let memory = self
            .acquire(Arc::clone(&self.body_memory), permits, deadline)
            .await
            .ok_or_else(|| BusError::Unavailable("no room for the body within 10 s".into()))?;
        Ok(Permit::with_share(
            memory,
            share,
            &self.metrics.body_bytes,
            BYTES_PER_PERMIT,
        ))
    }

    async fn acquire(
        &self,
        semaphore: Arc<Semaphore>,
        permits: u32,
        deadline: Instant,
    ) -> Option<OwnedSemaphorePermit> {
        if let Ok(permit) = Arc::clone(&semaphore).try_acquire_many_owned(permits) {
            return Some(permit);
        }
        let _waiting = GaugeGuard::raise(&self.metrics.bodies_waiting, 1);
        let acquired = timeout_at(deadline, semaphore.acquire_many_owned(permits));
        acquired.await.ok()?.ok()
    }
}

const TOO_MANY: BusError = BusError::TooMany {
    retry_after: Duration::from_secs(1),
};

#[cfg(test)]
mod tests {
    use super::*;

    fn control(requests: usize, body_bytes: usize) -> AdmissionControl {
        AdmissionControl::new(AdmissionLimits { requests, body_bytes }, 1, Metrics::default())
    }

    fn customer(number: usize) -> Principal {
        Principal::new(number.to_string())
    }

    #[test]
    fn one_request_too_many_is_refused_until_another_has_ended() {
        let control = control(2, 1);
        let first = control.admit_request().unwrap();
        let _second = control.admit_request().unwrap();
        assert!(matches!(control.admit_request(), Err(BusError::Unavailable(_))));
        assert_eq!(control.metrics.requests_in_flight.get(), 2);

        drop(first);
        assert!(control.admit_request().is_ok());
        assert_eq!(control.metrics.requests_in_flight.get(), 1);
    }

    #[actix_web::test]
    async fn memory_that_a_body_does_not_need_is_left_to_the_next() {
        let control = AdmissionControl::new(
            AdmissionLimits {
                requests: 1,
                body_bytes: 10 * BYTES_PER_PERMIT,
            },
            9 * BYTES_PER_PERMIT,
            Metrics::default(),
        );
        let mut first = control.reserve_body(9 * BYTES_PER_PERMIT, &customer(1)).await.unwrap();
        first.shrink_to(4 * BYTES_PER_PERMIT - 5);
        assert_eq!(control.metrics.body_bytes.get(), 4 * BYTES_PER_PERMIT as i64);
        let second = control.reserve_body(6 * BYTES_PER_PERMIT, &customer(2)).await.unwrap();
        assert_eq!(control.metrics.body_bytes.get(), 10 * BYTES_PER_PERMIT as i64);
        // The first principal's share has grown again too.
        assert!(
            timeout_at(Instant::now(), control.reserve_body(BYTES_PER_PERMIT, &customer(1)))
                .await
                .is_err()
        );
        drop(second);
        assert!(control.reserve_body(5 * BYTES_PER_PERMIT, &customer(1)).await.is_ok());

        drop(first);
        assert_eq!(control.metrics.body_bytes.get(), 0);
    }

    #[actix_web::test]
    async fn one_body_is_always_admitted() {
        let control = AdmissionControl::new(
            AdmissionLimits {
                requests: 0,
                body_bytes: 0,
            },
            5000,
            Metrics::default(),
        );
        assert!(control.admit_request().is_ok());
        assert!(control.reserve_body(5000, &customer(1)).await.is_ok());
        assert!(control.admit_sender(&customer(1)).is_ok());
    }

    #[actix_web::test]
    async fn a_principal_has_an_eighth_and_others_have_theirs() {
        let control = control(16, 16 * BYTES_PER_PERMIT);
        let waiting: Vec<_> = (0..2).map(|_| control.admit_sender(&customer(1)).unwrap()).collect();
        let refused = control.admit_sender(&customer(1));
        assert!(matches!(refused, Err(BusError::TooMany { .. })), "{refused:?}");
        let room = control.reserve_body(2 * BYTES_PER_PERMIT, &customer(1)).await.unwrap();
        let refused = timeout_at(Instant::now(), control.reserve_body(1, &customer(1))).await;
        assert!(refused.is_err());

        assert!(control.admit_sender(&customer(2)).is_ok());
        assert!(control.reserve_body(2 * BYTES_PER_PERMIT, &customer(2)).await.is_ok());
        drop((waiting, room));
        assert!(control.admit_sender(&customer(1)).is_ok());
        assert!(control.reserve_body(2 * BYTES_PER_PERMIT, &customer(1)).await.is_ok());
    }
}
