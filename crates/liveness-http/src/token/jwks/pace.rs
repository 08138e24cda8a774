//! How often a provider is asked for its keys.

use std::time::Duration;

/// How often a provider is asked, and how long its last answer counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JwksPace {
    /// The keys are fetched again after this time. A withdrawn key may be accepted for as long.
    pub period: Duration,
    /// The least time between the beginnings of two fetches, whatever tokens come in.
    pub cooldown: Duration,
    /// How long known keys are accepted while the provider cannot be reached.
    pub lifetime: Duration,
    /// How long a request with an unknown key waits for a fetch.
    pub patience: Duration,
}

impl Default for JwksPace {
    fn default() -> Self {
        Self {
            period: Duration::from_secs(45),
            cooldown: Duration::from_secs(30),
            lifetime: Duration::from_secs(24 * 60 * 60),
            patience: Duration::from_secs(2),
        }
    }
}
