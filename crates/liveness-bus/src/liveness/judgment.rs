//! What records are judged and decided to be, as a list can be asked for it. No rule judges yet, and nobody decides: so each
//! record is without a verdict, and undecided.

use liveness_core::Violation;
use schemars::JsonSchema;
use serde::de::value::{Error, StrDeserializer};
use serde::{Deserialize, Serialize};
use validator::ValidationError;

use crate::violation;

/// What a record was judged to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum VerdictOutcome {
    /// It counts.
    Accepted,
    /// A person has to look at it.
    Review,
    /// It does not count.
    Rejected,
}

/// What a person decided about a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DecisionOutcome {
    /// It counts.
    Approve,
    /// It does not count.
    Reject,
    /// The user should try again.
    AskAgain,
}

/// The filter of decisions.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum DecisionFilter {
    Approve,
    Reject,
    AskAgain,
    /// Undecided.
    None,
}

/// The word by which the filter of decisions means the undecided.
pub(super) const UNDECIDED: &str = "none";

/// The rule of the filter of verdicts. An empty text is none.
pub(super) fn verdict_or_empty(text: &str) -> Result<(), ValidationError> {
    one_of::<VerdictOutcome>(text, "must be `accepted`, `review` or `rejected`")
}

/// The rule of the filter of decisions. An empty text is none.
pub(super) fn decision_or_empty(text: &str) -> Result<(), ValidationError> {
    one_of::<DecisionFilter>(text, "must be `approve`, `reject`, `ask_again` or `none`")
}

fn one_of<'t, T: Deserialize<'t>>(text: &'t str, must_be: &'static str) -> Result<(), ValidationError> {
    if text.is_empty() || T::deserialize(StrDeserializer::<Error>::new(text)).is_ok() {
        Ok(())
    } else {
        Err(violation(Violation::new("format", must_be)))
    }
}
