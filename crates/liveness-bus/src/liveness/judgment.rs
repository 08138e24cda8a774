//! What records are judged to be, and what is decided about them, on the wire.

use liveness_core::policy::Effect;
use liveness_core::store::DecisionFilter as CoreFilter;
use liveness_core::verdict::{self, IssuedSession, Verdict};
use liveness_core::{Decision, RecordedDecision, Timestamp, Violation};
use schemars::JsonSchema;
use serde::de::value::{Error, StrDeserializer};
use serde::{Deserialize, Serialize};
use serde_json::Value;
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

impl From<verdict::VerdictOutcome> for VerdictOutcome {
    fn from(outcome: verdict::VerdictOutcome) -> Self {
        match outcome {
            verdict::VerdictOutcome::Accepted => Self::Accepted,
            verdict::VerdictOutcome::Review => Self::Review,
            verdict::VerdictOutcome::Rejected => Self::Rejected,
        }
    }
}

impl From<VerdictOutcome> for verdict::VerdictOutcome {
    fn from(outcome: VerdictOutcome) -> Self {
        match outcome {
            VerdictOutcome::Accepted => Self::Accepted,
            VerdictOutcome::Review => Self::Review,
            VerdictOutcome::Rejected => Self::Rejected,
        }
    }
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

impl From<Decision> for DecisionOutcome {
    fn from(decision: Decision) -> Self {
        match decision {
            Decision::Approve => Self::Approve,
            Decision::Reject => Self::Reject,
            Decision::AskAgain => Self::AskAgain,
        }
    }
}

impl From<DecisionOutcome> for Decision {
    fn from(decision: DecisionOutcome) -> Self {
        match decision {
            DecisionOutcome::Approve => Self::Approve,
            DecisionOutcome::Reject => Self::Reject,
            DecisionOutcome::AskAgain => Self::AskAgain,
        }
    }
}

/// The filter of decisions.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum DecisionFilter {
    Approve,
    Reject,
    AskAgain,
    /// Undecided.
    None,
}

impl From<DecisionFilter> for CoreFilter {
    fn from(filter: DecisionFilter) -> Self {
        match filter {
            DecisionFilter::Approve => Self::Is(Decision::Approve),
            DecisionFilter::Reject => Self::Is(Decision::Reject),
            DecisionFilter::AskAgain => Self::Is(Decision::AskAgain),
            DecisionFilter::None => Self::Undecided,
        }
    }
}

/// The verdict on a record, and why.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct VerdictView {
    /// What the worst effect makes of it.
    pub outcome: VerdictOutcome,
    /// The version of the policy: SHA-256, in hexadecimal.
    pub policy: String,
    /// The rules that spoke.
    pub reasons: Vec<ReasonView>,
}

/// A rule that spoke.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct ReasonView {
    /// The code of the rule, such as `time.too_fast`.
    pub code: String,
    /// What the rule does by the policy.
    pub effect: EffectView,
    /// What it saw: a number, a text or a list. Durations are milliseconds.
    pub saw: Value,
    /// The bound that this is beyond; null where the rule has none.
    pub bound: Value,
}

/// What a rule that speaks does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EffectView {
    /// Nothing. Such a rule does not speak.
    Off,
    /// It is told, and changes nothing.
    Note,
    /// A person has to look.
    Review,
    /// The record does not count.
    Reject,
}

impl From<Effect> for EffectView {
    fn from(effect: Effect) -> Self {
        match effect {
            Effect::Off => Self::Off,
            Effect::Note => Self::Note,
            Effect::Review => Self::Review,
            Effect::Reject => Self::Reject,
        }
    }
}

impl From<Verdict> for VerdictView {
    fn from(verdict: Verdict) -> Self {
        let reasons = verdict.reasons.into_iter().map(|reason| ReasonView {
            code: reason.code.into_owned(),
            effect: reason.effect.into(),
            saw: reason.saw,
            bound: reason.bound,
        });
        Self {
            outcome: verdict.outcome.into(),
            policy: verdict.policy,
            reasons: reasons.collect(),
        }
    }
}

/// A decision about a record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct DecisionView {
    /// What was decided.
    pub decision: DecisionOutcome,
    /// Why; null once the user was erased.
    pub reason: Option<String>,
    /// Who decided: the subject of the token.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// Whether it counts, or waits for the same decision by another person.
    pub counts: bool,
}

impl From<RecordedDecision> for DecisionView {
    fn from(made: RecordedDecision) -> Self {
        Self {
            decision: made.decision.into(),
            reason: made.reason,
            by: made.by.principal,
            at: made.decided_at,
            counts: made.counts,
        }
    }
}

/// A session that the server issued.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct IssuedSessionView {
    /// Its id.
    pub session_id: String,
    /// The challenges, in the order asked.
    pub challenges: Vec<String>,
    /// When it was issued.
    pub issued_at: Timestamp,
    /// From when on no report could use it.
    pub expires_at: Timestamp,
}

impl From<IssuedSession> for IssuedSessionView {
    fn from(session: IssuedSession) -> Self {
        Self {
            session_id: session.session_id,
            challenges: session.challenges,
            issued_at: session.issued_at,
            expires_at: session.expires_at,
        }
    }
}

/// The rule of the filter of verdicts. An empty text is none.
pub(super) fn verdict_or_empty(text: &str) -> Result<(), ValidationError> {
    or_empty::<VerdictOutcome>(text, "must be `accepted`, `review` or `rejected`")
}

/// The rule of the filter of decisions. An empty text is none.
pub(super) fn decision_or_empty(text: &str) -> Result<(), ValidationError> {
    or_empty::<DecisionFilter>(text, "must be `approve`, `reject`, `ask_again` or `none`")
}

const MUST_BE_A_DECISION: Violation = Violation::new("format", "must be `approve`, `reject` or `ask_again`");

/// The rule of a decision.
pub(super) fn decision(text: &str) -> Result<(), ValidationError> {
    read_decision(text).map(drop).map_err(violation)
}

/// Reads a decision.
pub(super) fn read_decision(text: &str) -> Result<DecisionOutcome, Violation> {
    word(text).ok_or(MUST_BE_A_DECISION)
}

/// Reads a word that a rule has found good.
pub(super) fn word<'t, T: Deserialize<'t>>(text: &'t str) -> Option<T> {
    T::deserialize(StrDeserializer::<Error>::new(text)).ok()
}

pub(super) fn or_empty<'t, T: Deserialize<'t>>(text: &'t str, must_be: &'static str) -> Result<(), ValidationError> {
    if text.is_empty() || word::<T>(text).is_some() {
        Ok(())
    } else {
        Err(violation(Violation::new("format", must_be)))
    }
}
