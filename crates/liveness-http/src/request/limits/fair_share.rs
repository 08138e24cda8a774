//! Semaphores of equal size, one for each principal.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Arc, Mutex, PoisonError};

use liveness_bus::Principal;
use tokio::sync::Semaphore;

/// Gives every principal an equal share of something. A share exists for as long as a part of it is in use.
#[derive(Debug)]
pub(super) struct FairShare {
    permits_each: usize,
    /// By a hash of the subject, because subjects may be long. The hash is keyed, so nobody can make two subjects collide.
    semaphores: Mutex<HashMap<u64, Arc<Semaphore>>>,
    hasher: RandomState,
}

impl FairShare {
    pub(super) fn new(permits_each: usize) -> Self {
        Self {
            permits_each,
            semaphores: Mutex::default(),
            hasher: RandomState::new(),
        }
    }

    /// The principal's semaphore.
    pub(super) fn of(&self, principal: &Principal) -> Arc<Semaphore> {
        let subject = self.hasher.hash_one((principal.issuer(), principal.subject()));
        let mut semaphores = self.semaphores.lock().unwrap_or_else(PoisonError::into_inner);
        if semaphores.len() == semaphores.capacity() {
            // Before the map grows, it forgets the semaphores that nobody else holds.
            semaphores.retain(|_, semaphore| Arc::strong_count(semaphore) > 1);
        }
        let semaphore = semaphores
            .entry(subject)
            .or_insert_with(|| Arc::new(Semaphore::new(self.permits_each)));
        Arc::clone(semaphore)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn customer(number: usize) -> Principal {
        Principal::new(number.to_string())
    }

    #[test]
    fn an_unused_share_is_forgotten_and_a_used_one_is_not() {
        let shares = FairShare::new(1);
        let held = shares.of(&customer(0)).try_acquire_owned().unwrap();
        for number in 1..10_000 {
            shares.of(&customer(number));
        }
        assert!(shares.semaphores.lock().unwrap().len() < 10);
        assert!(shares.of(&customer(0)).try_acquire_owned().is_err());
        drop(held);
        assert!(shares.of(&customer(0)).try_acquire_owned().is_ok());
    }
}
