//! What a verdict says: the outcome, and what each rule that spoke has seen.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::policy::Effect;

/// What the rules make of a report. The worst effect decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum VerdictOutcome {
    /// Nothing speaks against it.
    Accepted,
    /// A person has to look.
    Review,
    /// It does not count.
    Rejected,
}

impl VerdictOutcome {
    /// All outcomes, from the best to the worst.
    pub const ALL: [Self; 3] = [Self::Accepted, Self::Review, Self::Rejected];

    /// The word, as in an answer.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Review => "review",
            Self::Rejected => "rejected",
        }
    }

    /// The outcome that an effect leads to.
    pub const fn of(effect: Effect) -> Self {
        match effect {
            Effect::Off | Effect::Note => Self::Accepted,
            Effect::Review => Self::Review,
            Effect::Reject => Self::Rejected,
        }
    }
}

/// A rule that spoke.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Reason {
    /// The code of the rule, such as `time.too_fast`.
    pub code: Cow<'static, str>,
    /// What the rule does by the policy.
    pub effect: Effect,
    /// What it saw: a number, a text or a list. Durations are milliseconds.
    pub saw: Value,
    /// The bound that this is beyond, of the same kind and unit. `null` if the rule has none.
    pub bound: Value,
}

/// The verdict on one report.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// What the worst effect makes of it.
    pub outcome: VerdictOutcome,
    /// The [version](crate::policy::Policy::version) of the policy, SHA-256 in lower-case hex.
    pub policy: String,
    /// The rules that spoke, in the order of the policy.
    pub reasons: Vec<Reason>,
}

impl Verdict {
    /// The verdict that follows from reasons.
    pub fn of(policy: String, reasons: Vec<Reason>) -> Self {
        let worst = reasons.iter().map(|reason| VerdictOutcome::of(reason.effect)).max();
        Self {
            outcome: worst.unwrap_or(VerdictOutcome::Accepted),
            policy,
            reasons,
        }
    }
}
