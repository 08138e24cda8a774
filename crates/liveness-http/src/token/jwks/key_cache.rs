//! The known keys of a provider, and when it may be asked again. Time comes in as a value.

use std::time::{Duration, Instant};

use jsonwebtoken::Algorithm;

use super::super::jwk::NamedKey;
use super::super::key::VerificationKey;

/// The keys of the last fetch that succeeded.
#[derive(Debug, Default)]
pub(super) struct KeyCache {
    keys: Vec<NamedKey>,
    /// When the provider last published them.
    confirmed: Option<Instant>,
}

impl KeyCache {
    pub(super) fn new(keys: Vec<NamedKey>, now: Instant) -> Self {
        Self {
            keys,
            confirmed: Some(now),
        }
    }

    /// The key of this id and algorithm. Without an id, the only key of the algorithm.
    pub(super) fn find(
        &self,
        kid: Option<&str>,
        algorithm: Algorithm,
        now: Instant,
        lifetime: Duration,
    ) -> Option<&VerificationKey> {
        let age = now.saturating_duration_since(self.confirmed?);
        let fits = |key: &&NamedKey| key.key.algorithm == algorithm && (kid.is_none() || key.kid.as_deref() == kid);
        let mut fitting = self.keys.iter().filter(fits);
        match (fitting.next(), fitting.next()) {
            (Some(key), None) if age < lifetime => Some(&key.key),
            _ => None,
        }
    }
}

/// Allows one fetch at a time, and none too soon after the last.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct FetchThrottle {
    begun: Option<Instant>,
    is_under_way: bool,
}

impl FetchThrottle {
    /// Begins a fetch, if one may begin now. Returns whether it did.
    pub(super) fn begin(&mut self, now: Instant, cooldown: Duration) -> bool {
        let is_early = |begun: Instant| now.saturating_duration_since(begun) < cooldown;
        if self.is_under_way || self.begun.is_some_and(is_early) {
            return false;
        }
        *self = Self {
            begun: Some(now),
            is_under_way: true,
        };
        true
    }

    pub(super) fn end(&mut self) {
        self.is_under_way = false;
    }

    pub(super) fn is_under_way(&self) -> bool {
        self.is_under_way
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COOLDOWN: Duration = Duration::from_secs(30);
    const DAY: Duration = Duration::from_secs(24 * 60 * 60);
    const SECOND: Duration = Duration::from_secs(1);

    fn key(kid: impl Into<Option<&'static str>>, algorithm: Algorithm) -> NamedKey {
        let key = jsonwebtoken::DecodingKey::from_ed_der(&[1; 32]);
        NamedKey {
            kid: kid.into().map(str::to_owned),
            key: VerificationKey { key, algorithm },
        }
    }

    fn is_found(known: &KeyCache, kid: Option<&str>, algorithm: Algorithm, now: Instant) -> bool {
        known.find(kid, algorithm, now, DAY).is_some()
    }

    #[test]
    fn a_key_is_good_for_a_day_without_its_provider_and_no_longer() {
        let now = Instant::now();
        let known = KeyCache::new(vec![key("a", Algorithm::ES256)], now);

        assert!(is_found(&known, Some("a"), Algorithm::ES256, now));
        assert!(is_found(&known, Some("a"), Algorithm::ES256, now + DAY - SECOND));
        assert!(!is_found(&known, Some("a"), Algorithm::ES256, now + DAY));
    }

    #[test]
    fn a_key_is_found_by_its_name_and_its_algorithm() {
        let now = Instant::now();
        let known = KeyCache::new(vec![key("a", Algorithm::RS256), key("b", Algorithm::ES256)], now);

        assert!(is_found(&known, Some("a"), Algorithm::RS256, now));
        for (kid, algorithm) in [
            ("a", Algorithm::ES256),
            ("b", Algorithm::RS256),
            ("", Algorithm::RS256),
            ("a", Algorithm::HS256),
            ("a", Algorithm::RS512),
        ] {
            assert!(!is_found(&known, Some(kid), algorithm, now), "{kid} {algorithm:?}");
        }
    }

    #[test]
    fn a_token_without_a_key_id_means_the_only_key_of_its_algorithm() {
        let now = Instant::now();
        let keys = [
            key("a", Algorithm::RS256),
            key(None, Algorithm::ES256),
            key("c", Algorithm::ES256),
        ];
        let known = KeyCache::new(keys.to_vec(), now);

        assert!(is_found(&known, None, Algorithm::RS256, now));
        assert!(!is_found(&known, None, Algorithm::ES256, now));
        assert!(!is_found(&known, None, Algorithm::EdDSA, now));
    }

    #[test]
    fn a_thousand_unknown_keys_begin_one_fetch_in_thirty_seconds() {
        let start = Instant::now();
        let mut throttle = FetchThrottle::default();
        let mut begun = Vec::new();
        for millis in (0..90_000).step_by(30) {
            let now = start + Duration::from_millis(millis);
            if throttle.begin(now, COOLDOWN) {
                begun.push(now - start);
            }
            throttle.end();
        }
        assert_eq!(begun, [0, 30, 60].map(Duration::from_secs));
    }

    #[test]
    fn there_is_one_fetch_at_a_time() {
        let start = Instant::now();
        let mut throttle = FetchThrottle::default();

        assert!(throttle.begin(start, COOLDOWN));
        assert!(!throttle.begin(start + 2 * COOLDOWN, COOLDOWN));
        throttle.end();
        assert!(throttle.begin(start + 2 * COOLDOWN, COOLDOWN));
    }
}
