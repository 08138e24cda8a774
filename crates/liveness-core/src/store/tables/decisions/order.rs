//! What is decided, what comes of it, and why it is refused.

use crate::store::engine::error::StoreError;
use crate::{AuditEntry, Decision, Reason, Timestamp};

/// A decision to add.
#[derive(Debug, Clone)]
pub struct DecisionOrder {
    /// The record.
    pub liveness_check_id: i64,
    /// What is decided.
    pub decision: Decision,
    /// Why.
    pub reason: Reason,
    /// How many decisions about the record the person was shown.
    pub seen: i64,
    /// The self-service user whom the person is, if they are one. Nobody decides on a record of their own.
    pub own_user: Option<i64>,
    /// The audit entry of the person. Its time is that of the decision. The store adds the user, the record, the decision and the
    /// reason.
    pub entry: AuditEntry,
    /// The W3C `traceparent` of the request, for the events of it.
    pub traceparent: Option<String>,
}

/// A decision that was added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decided {
    /// Whether it counts, or waits for the same decision by another person.
    pub counts: bool,
    /// When.
    pub decided_at: Timestamp,
}

/// Why a decision was not added.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum DecisionError {
    /// There is no such record.
    #[error("there is no such liveness check")]
    NoSuchRecord,
    /// The user of the record was erased.
    #[error("the user of the liveness check was erased")]
    Erased,
    /// The record is that of the person who decides.
    #[error("the liveness check is one's own")]
    OwnRecord,
    /// The person was shown fewer decisions than there are, or more.
    #[error("somebody has decided since")]
    Stale,
    /// The person has decided, and waits for a second one.
    #[error("the same person has decided, and another one has to")]
    Twice,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}
