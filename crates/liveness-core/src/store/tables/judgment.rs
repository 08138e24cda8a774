//! How a verdict, a decision and an issued session are written in the columns of a record.

use crate::Decision;
use crate::store::engine::error::StoreError;
use crate::trail::leaf::hex;
use crate::verdict::{IssuedSession, Reason, Verdict, VerdictOutcome};

/// The columns of a verdict, and of the issued session that the record used up.
#[derive(Debug)]
pub(crate) struct JudgmentColumns {
    pub(crate) outcome: i32,
    pub(crate) policy: Vec<u8>,
    pub(crate) reasons: Option<String>,
    pub(crate) issued_session: Option<String>,
}

impl JudgmentColumns {
    pub(crate) fn of(verdict: &Verdict, policy: [u8; 32], session: Option<&IssuedSession>) -> Result<Self, StoreError> {
        let reasons = (!verdict.reasons.is_empty()).then(|| serde_json::to_string(&verdict.reasons));
        Ok(Self {
            outcome: outcome_number(verdict.outcome),
            policy: policy.to_vec(),
            reasons: reasons.transpose().map_err(StoreError::internal)?,
            issued_session: session
                .map(serde_json::to_string)
                .transpose()
                .map_err(StoreError::internal)?,
        })
    }
}

/// The number of an outcome in its column.
pub(crate) const fn outcome_number(outcome: VerdictOutcome) -> i32 {
    match outcome {
        VerdictOutcome::Accepted => 0,
        VerdictOutcome::Review => 1,
        VerdictOutcome::Rejected => 2,
    }
}

/// The number of a decision in its column.
pub(crate) const fn decision_number(decision: Decision) -> i32 {
    match decision {
        Decision::Approve => 0,
        Decision::Reject => 1,
        Decision::AskAgain => 2,
    }
}

/// The outcome that a column holds.
pub(crate) fn outcome(number: i32) -> Result<VerdictOutcome, StoreError> {
    let found = VerdictOutcome::ALL
        .into_iter()
        .find(|outcome| outcome_number(*outcome) == number);
    found.ok_or_else(|| StoreError::internal("a stored verdict has no meaning"))
}

/// The decision that a column holds.
pub(crate) fn decision(number: i32) -> Result<Decision, StoreError> {
    let found = Decision::ALL
        .into_iter()
        .find(|decision| decision_number(*decision) == number);
    found.ok_or_else(|| StoreError::internal("a stored decision has no meaning"))
}

/// The verdict that columns hold.
pub(crate) fn verdict(number: i32, policy: &[u8], reasons: Option<&str>) -> Result<Verdict, StoreError> {
    let reasons: Option<Vec<Reason>> = reasons
        .map(serde_json::from_str)
        .transpose()
        .map_err(StoreError::internal)?;
    Ok(Verdict {
        outcome: outcome(number)?,
        policy: hex(policy),
        reasons: reasons.unwrap_or_default(),
    })
}

/// The issued session that a column holds.
pub(crate) fn issued_session(json: &str) -> Result<IssuedSession, StoreError> {
    serde_json::from_str(json).map_err(StoreError::internal)
}
