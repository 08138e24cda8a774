//! The verdict: what the evidence of a report says, judged by the rules of a policy when the report is recorded.
//!
//! The verdict is kept beside the claim of the phone, never in its place. No rule sees whether the person is alive: they find
//! contradictions, repetitions and what the SDK itself was alarmed by. `docs/api.md#verdict` has the rules.

mod facts;
mod outcome;

pub use self::facts::{Facts, IssuedSession, Picture, Reuse, SessionBinding, Unbound};
pub use self::outcome::{Reason, Verdict, VerdictOutcome};

use crate::policy::Policy;

/// Judges a report by the rules of a policy.
pub fn judge(_facts: &Facts<'_>, _policy: &Policy, version: &str) -> Verdict {
    Verdict::of(version.to_owned(), Vec::new())
}
