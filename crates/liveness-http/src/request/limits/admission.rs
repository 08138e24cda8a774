//! Admission control: how many requests, and how many bytes of their bodies, the host takes at once: `docs/api.md#limits`.
//!
//! A request beyond the first limit is refused at once. A body beyond the second waits for a short time, because most
//! uploads end soon. While it waits, TCP holds the client back, and only the beginning of the body is kept in memory.
//!
//! A client that sends slowly uses both for a long time. So one principal may use only a share of each, and the rest is
//! left to others. The same holds for the memory of large answers, which a client may read slowly.

use std::sync::Arc;
use std::time::Duration;

use liveness_bus::{BusError, Principal};
use prometheus_client::metrics::gauge::Gauge;
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
/// The same of the memory for answers. Only few people look at faces.
const ANSWER_SHARES: usize = 2;

/// How much is taken at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AdmissionLimits {
    /// Requests that have begun and are not answered.
    pub(crate) requests: usize,
    /// Bytes of the bodies of these requests.
    pub(crate) body_bytes: usize,
    /// Bytes of large answers that are not written.
    pub(crate) answer_bytes: usize,
}

impl Default for AdmissionLimits {
    /// 1,024 requests, 256 MiB, 128 MiB.
    fn default() -> Self {
        Self {
            requests: 1024,
            body_bytes: 256 << 20,
            answer_bytes: 128 << 20,
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
    answers: AnswerMemory,
    metrics: Metrics,
}

impl AdmissionControl {
    /// Admits at least one request, one body of `largest_body` bytes, and one answer of `largest_answer` bytes.
    pub(crate) fn new(limits: AdmissionLimits, largest_body: usize, largest_answer: usize, metrics: Metrics) -> Self {
        let requests = limits.requests.clamp(1, Semaphore::MAX_PERMITS);
        let bytes = limits.body_bytes.max(largest_body);
        let bytes_each = (bytes / SHARES).max(largest_body);
        Self {
            requests: Arc::new(Semaphore::new(requests)),
            body_memory: Arc::new(Semaphore::new(permits_for(bytes) as usize)),
            sender_shares: Arc::new(FairShare::new(requests.div_ceil(SHARES))),
            memory_shares: Arc::new(FairShare::new(permits_for(bytes_each) as usize)),
            answers: AnswerMemory::new(limits.answer_bytes, largest_answer),
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
        let waiting = &self.metrics.bodies_waiting;
        let share = acquire(self.memory_shares.of(principal), permits, deadline, waiting)
            .await
            .ok_or(TOO_MANY)?;
        let memory = acquire(Arc::clone(&self.body_memory), permits, deadline, waiting)
            .await
            .ok_or_else(|| BusError::Unavailable("no room for the body within 10 s".into()))?;
        Ok(Permit::with_share(
            memory,
            share,
            &self.metrics.body_bytes,
            BYTES_PER_PERMIT,
        ))
    }

    /// Waits for memory for the largest answer to the principal. It is reserved until the permit is dropped.
    ///
    /// It is reserved before the answer is made, because a face is in memory from then on.
    ///
    /// # Errors
    ///
    /// - [`BusError::TooMany`], when the principal's other answers leave no memory within 10 s, or too many of its requests wait.
    /// - [`BusError::Unavailable`], when the answers to others leave none.
    pub(crate) async fn reserve_answer(&self, principal: &Principal) -> Result<Permit, BusError> {
        let AnswerMemory { largest, all, shares } = &self.answers;
        let deadline = Instant::now() + MEMORY_TIMEOUT;
        let waiting = &self.metrics.answers_waiting;
        let share = shares.of(principal);
        // Those who wait take places in flight from others.
        let _place = (share.available_permits() < *largest as usize)
            .then(|| self.admit_sender(principal))
            .transpose()?;
        let share = acquire(share, *largest, deadline, waiting).await.ok_or(TOO_MANY)?;
        let memory = acquire(Arc::clone(all), *largest, deadline, waiting)
            .await
            .ok_or_else(|| BusError::Unavailable("no room for the answer within 10 s".into()))?;
        Ok(Permit::with_share(
            memory,
            share,
            &self.metrics.answer_bytes,
            BYTES_PER_PERMIT,
        ))
    }
}

/// The memory of large answers, from before they are made until they are written.
#[derive(Debug, Clone)]
struct AnswerMemory {
    /// What the largest answer takes.
    largest: u32,
    all: Arc<Semaphore>,
    shares: Arc<FairShare>,
}

impl AnswerMemory {
    fn new(bytes: usize, largest: usize) -> Self {
        let bytes_each = (bytes / ANSWER_SHARES).max(largest);
        Self {
            largest: permits_for(largest),
            all: Arc::new(Semaphore::new(permits_for(bytes.max(largest)) as usize)),
            shares: Arc::new(FairShare::new(permits_for(bytes_each) as usize)),
        }
    }
}

async fn acquire(
    semaphore: Arc<Semaphore>,
    permits: u32,
    deadline: Instant,
    waiting: &Gauge,
) -> Option<OwnedSemaphorePermit> {
    if let Ok(permit) = Arc::clone(&semaphore).try_acquire_many_owned(permits) {
        return Some(permit);
    }
    let _waiting = GaugeGuard::raise(waiting, 1);
    let acquired = timeout_at(deadline, semaphore.acquire_many_owned(permits));
    acquired.await.ok()?.ok()
}

const TOO_MANY: BusError = BusError::TooMany {
    retry_after: Duration::from_secs(1),
};

#[cfg(test)]
mod tests {
    use super::*;

    fn control(requests: usize, body_bytes: usize) -> AdmissionControl {
        let limits = AdmissionLimits {
            requests,
            body_bytes,
            answer_bytes: 4 * BYTES_PER_PERMIT,
        };
        AdmissionControl::new(limits, 1, BYTES_PER_PERMIT, Metrics::default())
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
                answer_bytes: 0,
            },
            9 * BYTES_PER_PERMIT,
            1,
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
                answer_bytes: 0,
            },
            5000,
            5000,
            Metrics::default(),
        );
        assert!(control.admit_request().is_ok());
        assert!(control.reserve_body(5000, &customer(1)).await.is_ok());
        assert!(control.reserve_answer(&customer(1)).await.is_ok());
        assert!(control.admit_sender(&customer(1)).is_ok());
    }

    #[actix_web::test]
    async fn one_reader_has_half_of_the_memory_for_answers_and_others_have_the_rest() {
        let control = control(16, 1);
        let first = control.reserve_answer(&customer(1)).await.unwrap();
        let _second = control.reserve_answer(&customer(1)).await.unwrap();
        assert_eq!(control.metrics.answer_bytes.get(), 2 * BYTES_PER_PERMIT as i64);
        let now = Instant::now();
        assert!(timeout_at(now, control.reserve_answer(&customer(1))).await.is_err());
        let _others = (
            control.reserve_answer(&customer(2)).await.unwrap(),
            control.reserve_answer(&customer(3)).await.unwrap(),
        );
        assert!(timeout_at(now, control.reserve_answer(&customer(4))).await.is_err());

        drop(first);
        assert!(control.reserve_answer(&customer(4)).await.is_ok());
        assert_eq!(control.metrics.answer_bytes.get(), 3 * BYTES_PER_PERMIT as i64);
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
