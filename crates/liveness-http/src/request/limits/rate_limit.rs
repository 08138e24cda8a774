//! The rate limit: how often one caller may send requests: `docs/api.md#limits`.

use std::fmt;
use std::hash::{BuildHasher as _, Hash, RandomState};
use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::str::FromStr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use governor::clock::{Clock as _, MonotonicClock};
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};
use liveness_bus::{BusError, Principal};

/// A number of requests in a period. All of them may come at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimit(Quota);

impl FromStr for RateLimit {
    type Err = String;

    /// Reads `20/s`, `100/m` or `1000/h`.
    fn from_str(text: &str) -> Result<Self, String> {
        let quota = text.split_once('/').and_then(|(count, unit)| {
            let count: NonZeroU32 = count.trim().parse().ok()?;
            match unit.trim() {
                "s" => Some(Quota::per_second(count)),
                "m" => Some(Quota::per_minute(count)),
                "h" => Some(Quota::per_hour(count)),
                _ => None,
            }
        });
        quota
            .map(Self)
            .ok_or_else(|| "must be a number of requests a second, minute or hour: 20/s, 100/m, 1000/h".to_owned())
    }
}

type Keyed<K> = RateLimiter<K, HashMapStateStore<K>, MonotonicClock>;

/// How many callers are remembered. An attacker with more addresses than this is not stopped by a limit for each address
/// anyway.
const MAX_CALLERS: usize = 100_000;
/// After this many requests, idle callers are forgotten.
const TIDY_EVERY: u32 = 4096;

/// Counts the requests of each principal, and of each address without a valid token.
#[derive(Debug, Clone)]
pub(crate) struct RateLimiters {
    principals: Arc<Limiter<u64>>,
    addresses: Arc<Limiter<Option<IpAddr>>>,
    /// Subjects may be long, so a hash stands for each. It is keyed, so nobody can make two subjects collide.
    hasher: RandomState,
}

impl RateLimiters {
    pub(crate) fn new(RateLimit(quota): RateLimit) -> Self {
        Self {
            principals: Arc::new(Limiter::new(quota)),
            addresses: Arc::new(Limiter::new(quota)),
            hasher: RandomState::new(),
        }
    }

    /// Counts a request with a valid token.
    pub(crate) fn check_principal(&self, principal: &Principal) -> Result<(), BusError> {
        let name = (principal.issuer(), principal.subject());
        self.principals.check(&self.hasher.hash_one(name))
    }

    /// Counts a request without a valid token.
    pub(crate) fn check_address(&self, address: Option<IpAddr>) -> Result<(), BusError> {
        self.addresses.check(&address.map(network))
    }
}

/// Limits each caller of one kind.
struct Limiter<K: Hash + Eq + Clone> {
    quota: Quota,
    callers: RwLock<Keyed<K>>,
    checks: AtomicU32,
}

impl<K: Hash + Eq + Clone> fmt::Debug for Limiter<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Limiter")
            .field("quota", &self.quota)
            .finish_non_exhaustive()
    }
}

impl<K: Hash + Eq + Clone> Limiter<K> {
    fn new(quota: Quota) -> Self {
        Self {
            quota,
            callers: RwLock::new(empty_limiter(quota)),
            checks: AtomicU32::new(0),
        }
    }

    fn check(&self, key: &K) -> Result<(), BusError> {
        self.tidy();
        // A poisoned lock is fine: nothing panics while it is held.
        let callers = self.callers.read().unwrap_or_else(PoisonError::into_inner);
        callers.check_key(key).map_err(|not_until| {
            let retry_after: Duration = not_until.wait_time_from(MonotonicClock.now());
            BusError::TooMany { retry_after }
        })
    }

    /// Bounds the memory: now and then it forgets the callers that have been idle, or all callers when they are too many.
    fn tidy(&self) {
        if self.checks.fetch_add(1, Ordering::Relaxed) % TIDY_EVERY != TIDY_EVERY - 1 {
            return;
        }
        let mut callers = self.callers.write().unwrap_or_else(PoisonError::into_inner);
        callers.retain_recent();
        if callers.len() > MAX_CALLERS {
            *callers = empty_limiter(self.quota);
        }
    }
}

fn empty_limiter<K: Hash + Eq + Clone>(quota: Quota) -> Keyed<K> {
    RateLimiter::new(quota, HashMapStateStore::default(), MonotonicClock)
}

/// The addresses that count as one caller. A caller with one IPv6 address usually has its whole /64 network.
fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_read_in_its_units() {
        for good in ["20/s", "100/m", " 1000 / h "] {
            assert!(good.parse::<RateLimit>().is_ok(), "{good}");
        }
        for bad in ["", "20", "0/s", "-1/s", "20/d", "x/s"] {
            assert!(bad.parse::<RateLimit>().is_err(), "{bad}");
        }
    }

    #[test]
    fn callers_are_counted_apart() {
        let limiters = RateLimiters::new("2/h".parse().unwrap());
        let ask = |subject| limiters.check_principal(&Principal::new(subject)).is_ok();

        assert_eq!([ask("a"), ask("a"), ask("a"), ask("b")], [true, true, false, true]);
        let of_another_issuer = Principal::new("a").with_issuer("https://issuer.example");
        assert!(limiters.check_principal(&of_another_issuer).is_ok());
        assert!(limiters.check_address(None).is_ok());
    }

    #[test]
    fn the_addresses_of_one_network_are_one_caller() {
        let limiters = RateLimiters::new("1/h".parse().unwrap());
        let ask = |address: &str| limiters.check_address(address.parse().ok()).is_ok();

        assert_eq!(
            [ask("2001:db8::1"), ask("2001:db8::2"), ask("2001:db8:0:1::1")],
            [true, false, true]
        );
        assert_eq!([ask("10.0.0.1"), ask("10.0.0.2")], [true, true]);
    }

    #[test]
    fn memory_does_not_grow_with_the_callers() {
        let limiter = Limiter::new("1/h".parse::<RateLimit>().unwrap().0);
        let remembered = |limiter: &Limiter<u32>| limiter.callers.read().unwrap().len();
        for caller in 0..250_000 {
            assert!(limiter.check(&caller).is_ok());
            assert!(caller % 1000 != 0 || remembered(&limiter) <= MAX_CALLERS + TIDY_EVERY as usize);
        }
        // The limiter does remember callers, so the bound above means something.
        assert!(remembered(&limiter) > 1000);
    }
}
