//! The policy that the host serves under. A policy that asks for what this version does not do is refused.

use liveness_core::policy::Policy;

use super::start_error::StartError;
use crate::policy_source::PolicyConfig;

/// Keys that do nothing yet: records are kept for ever.
const NOT_ACTED_ON: [&str; 1] = ["retention.records"];

/// Loads the policy, if a host can do what it says.
///
/// # Errors
///
/// [`StartError::Policy`] and [`StartError::PolicyNotActedOn`].
pub(crate) fn policy_to_serve(config: &PolicyConfig) -> Result<Policy, StartError> {
    let policy = config.load()?;
    let asked = not_acted_on(&policy);
    if asked.is_empty() {
        Ok(policy)
    } else {
        Err(StartError::PolicyNotActedOn(asked.join(", ")))
    }
}

/// What a policy asks for that this version does not do. To leave it unsaid would be to promise it.
fn not_acted_on(policy: &Policy) -> Vec<String> {
    let asked = policy.differences(&Policy::record()).into_iter();
    asked
        .filter(|key| NOT_ACTED_ON.iter().any(|part| key.starts_with(part)))
        .collect()
}
