//! The policy in force, with its version, and with what is remembered of those who wait under it.

use std::sync::Arc;

use super::elapsed::Elapsed;
use crate::policy::Policy;
use crate::trail::leaf::Sha256;
use crate::{Clock, CompletionRule};

/// The policy in force, with its version.
#[derive(Debug, Clone)]
pub(crate) struct PolicyInForce {
    pub(crate) policy: Policy,
    /// SHA-256.
    pub(crate) digest: Sha256,
    /// The same in hex.
    pub(crate) version: String,
    /// How long users have waited.
    pub(crate) elapsed: Elapsed,
    /// The rule by which events tell that a user has passed.
    pub(crate) passing_rule: CompletionRule,
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
            passing_rule: CompletionRule::default(),
            policy,
        }
    }

    /// Another policy. Waits are measured by the same clock, who waits goes on waiting, and events go by the same rule.
    pub(crate) fn with_policy(&self, policy: Policy) -> Self {
        Self {
            elapsed: self.elapsed.clone(),
            passing_rule: self.passing_rule,
            ..Self::of(policy)
        }
    }

    /// The same policy. Waits are measured by a clock that never jumps.
    pub(crate) fn with_steady_clock(&self, clock: Arc<dyn Clock>) -> Self {
        Self {
            elapsed: Elapsed::by(clock),
            ..self.clone()
        }
    }

    /// The same policy, with another rule for events. Who waits goes on waiting.
    pub(crate) fn with_passing_rule(&self, passing_rule: CompletionRule) -> Self {
        Self {
            passing_rule,
            ..self.clone()
        }
    }
}
