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

    /// The keys that may have signed a token whose header says this.
    pub(super) fn candidates(
        &self,
        kid: Option<&str>,
        algorithm: Algorithm,
        now: Instant,
        lifetime: Duration,
    ) -> Candidates {
        let is_fresh = |confirmed: Instant| now.saturating_duration_since(confirmed) < lifetime;
        let known: &[NamedKey] = if self.confirmed.is_some_and(is_fresh) {
            &self.keys
        } else {
            &[]
        };
        let fitting: Vec<_> = known.iter().filter(|key| key.key.algorithm == algorithm).collect();
        let is_named = |key: &NamedKey| key.kid.as_deref() == kid;
        let named = fitting.iter().find(|key| kid.is_some() && is_named(key));
        if let Some(key) = named {
            return Candidates::Named(key.key.clone());
        }
        let missing = match kid {
            Some(_) if known.iter().any(is_named) => Missing::Nothing,
            Some(_) => Missing::Key,
            None if fitting.is_empty() => Missing::Key,
            None if fitting.len() > 1 && !fitting.iter().any(|key| key.kid.is_none()) => Missing::Name,
            None => Missing::Nothing,
        };
        // If there is only one key of the algorithm, a token without an id means that key, whatever its id is.
        let is_only_key = kid.is_none() && fitting.len() == 1;
        let unnamed = fitting.iter().filter(|key| is_only_key || key.kid.is_none());
        let keys = unnamed.map(|key| key.key.clone()).collect();
        Candidates::Unnamed { keys, missing }
    }

    /// Which fetch the keys come from.
    pub(super) fn confirmed(&self) -> Option<Instant> {
        self.confirmed
    }
}

/// The keys of a provider that may have signed a token.
#[derive(Debug)]
pub(in super::super) enum Candidates {
    /// The key that the token names. No other key counts.
    Named(VerificationKey),
    /// The token names no key that is known, so each of these is tried.
    Unnamed {
        /// The keys without an id, or the only key.
        keys: Vec<VerificationKey>,
        /// What would be needed besides.
        missing: Missing,
    },
}

/// What a cache would need to find the key of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Missing {
    /// Nothing: if the candidates do not verify the token, no key of the provider does.
    Nothing,
    /// The id of the key. Several keys have one, and the token has none.
    Name,
    /// The key. The provider may have published it meanwhile.
    Key,
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

    /// How many keys a token of this header is tried with, and what is missing.
    fn found(known: &KeyCache, kid: Option<&str>, algorithm: Algorithm, now: Instant) -> (usize, Missing) {
        match known.candidates(kid, algorithm, now, DAY) {
            Candidates::Named(_) => (1, Missing::Nothing),
            Candidates::Unnamed { keys, missing } => (keys.len(), missing),
        }
    }

    #[test]
    fn a_key_is_good_for_a_day_without_its_provider_and_no_longer() {
        let now = Instant::now();
        let known = KeyCache::new(vec![key("a", Algorithm::ES256), key(None, Algorithm::RS256)], now);

        for (kid, algorithm) in [(Some("a"), Algorithm::ES256), (None, Algorithm::RS256)] {
            assert_eq!(found(&known, kid, algorithm, now), (1, Missing::Nothing));
            assert_eq!(found(&known, kid, algorithm, now + DAY - SECOND), (1, Missing::Nothing));
            assert_eq!(found(&known, kid, algorithm, now + DAY), (0, Missing::Key));
        }
    }

    #[test]
    fn a_key_is_found_by_its_name_and_its_algorithm() {
        let now = Instant::now();
        let known = KeyCache::new(vec![key("a", Algorithm::RS256), key("b", Algorithm::ES256)], now);

        assert!(matches!(
            known.candidates(Some("a"), Algorithm::RS256, now, DAY),
            Candidates::Named(_)
        ));
        for (kid, algorithm, missing) in [
            ("a", Algorithm::ES256, Missing::Nothing),
            ("b", Algorithm::RS256, Missing::Nothing),
            ("a", Algorithm::RS512, Missing::Nothing),
            ("", Algorithm::RS256, Missing::Key),
            ("c", Algorithm::RS256, Missing::Key),
        ] {
            assert_eq!(
                found(&known, Some(kid), algorithm, now),
                (0, missing),
                "{kid} {algorithm:?}"
            );
        }
    }

    #[test]
    fn a_token_whose_name_no_key_has_is_tried_with_the_keys_that_have_none() {
        let now = Instant::now();
        let keys = [
            key("a", Algorithm::RS256),
            key(None, Algorithm::RS256),
            key(None, Algorithm::RS256),
            key(None, Algorithm::ES256),
        ];
        let known = KeyCache::new(keys.to_vec(), now);

        assert_eq!(found(&known, Some("b"), Algorithm::RS256, now), (2, Missing::Key));
        assert_eq!(found(&known, Some("b"), Algorithm::ES256, now), (1, Missing::Key));
        assert_eq!(found(&known, Some("b"), Algorithm::PS256, now), (0, Missing::Key));
        // A key of its name is not looked for at the provider again.
        assert_eq!(found(&known, Some("a"), Algorithm::ES256, now), (1, Missing::Nothing));
        assert_eq!(found(&known, Some("a"), Algorithm::RS256, now), (1, Missing::Nothing));
    }

    #[test]
    fn a_token_without_a_name_is_tried_with_the_keys_that_have_none_and_with_the_only_key() {
        let now = Instant::now();
        let keys = [
            key("a", Algorithm::RS256),
            key(None, Algorithm::ES256),
            key("c", Algorithm::ES256),
            key(None, Algorithm::PS256),
            key(None, Algorithm::PS256),
            key("d", Algorithm::ES384),
            key("e", Algorithm::ES384),
        ];
        let known = KeyCache::new(keys.to_vec(), now);

        for (algorithm, expected) in [
            (Algorithm::RS256, (1, Missing::Nothing)),
            (Algorithm::ES256, (1, Missing::Nothing)),
            (Algorithm::PS256, (2, Missing::Nothing)),
            (Algorithm::ES384, (0, Missing::Name)),
            (Algorithm::EdDSA, (0, Missing::Key)),
        ] {
            assert_eq!(found(&known, None, algorithm, now), expected, "{algorithm:?}");
        }
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
