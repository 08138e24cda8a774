//! The policy in force, with its version, and with what is remembered of those who wait under it.

use std::sync::Arc;

use super::elapsed::Elapsed;
use crate::Clock;
use crate::policy::Policy;
use crate::trail::leaf::Sha256;

/// The policy in force, with its version.
#[derive(Debug)]
pub(crate) struct PolicyInForce {
    pub(crate) policy: Policy,
    /// SHA-256.
    pub(crate) digest: Sha256,
    /// The same in hex.
    pub(crate) version: String,
    /// How long users have waited.
    pub(crate) elapsed: Elapsed,
}

impl Default for PolicyInForce {
    /// The policy `record`.
    fn default() -> Self {
        Self::of(Policy::record())
    }
}

impl PolicyInForce {
    pub(crate) fn of(policy: Policy) -> Self {
        Self {
            digest: policy.digest(),
            version: policy.version(),
            elapsed: Elapsed::default(),
            policy,
        }
    }

    /// Another policy. Waits are measured by the same clock, and who waits goes on waiting.
    pub(crate) fn with_policy(&self, policy: Policy) -> Self {
        Self {
            elapsed: self.elapsed.clone(),
            ..Self::of(policy)
        }
    }

    /// The same policy. Waits are measured by a clock that never jumps.
    pub(crate) fn with_steady_clock(&self, clock: Arc<dyn Clock>) -> Self {
        Self {
            elapsed: Elapsed::by(clock),
            ..Self::of(self.policy.clone())
        }
    }
}
