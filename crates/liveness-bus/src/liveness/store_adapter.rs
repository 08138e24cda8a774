//! Connects the store to the bus: it is the audit sink, and its errors become errors of the bus.

use async_trait::async_trait;
use liveness_core::store::{DecisionError, ErasureError, Store, StoreError};

use liveness_core::verdict::Unbound;
use liveness_core::{AuditEntry, Refusal};

use crate::{AuditSink, BusError, Cause};

pub(super) const SESSION_OF_ANOTHER_USER: BusError = BusError::Conflict("the session id was recorded by another user");
pub(super) const IDEMPOTENCY_KEY_REUSED: BusError =
    BusError::Conflict("the Idempotency-Key was used with another body");

pub(super) const SESSION_NOT_NAMED: BusError = BusError::Conflict(
    "the report names no issued session, and one is required: send StartLivenessSessionCommand first",
);
pub(super) const SESSION_NOT_ISSUED: BusError = BusError::Conflict("the session was not issued to this user");
pub(super) const SESSION_USED_UP: BusError = BusError::Conflict("the session was used up by another report");
pub(super) const SESSION_EXPIRED: BusError = BusError::Gone("the session has expired");

/// Audit entries are written to the store.
#[async_trait]
impl AuditSink for Store {
    async fn append(&self, entry: AuditEntry) -> Result<(), Cause> {
        Ok(self.trail().append(entry).await?)
    }
}

pub(super) const NO_SUCH_CHECK: BusError = BusError::NotFound("there is no such liveness check");
pub(super) const NO_SUCH_USER: BusError = BusError::NotFound("there is no such user");
pub(super) const NO_FACE: BusError = BusError::NotFound("the liveness check was recorded without a face");
pub(super) const NOT_HELD: BusError = BusError::NotFound("the user is under no legal hold");
pub(super) const ERASED: BusError = BusError::Gone("it was erased before");
pub(super) const HELD: BusError = BusError::Conflict("the user is under a legal hold");

impl From<ErasureError> for BusError {
    fn from(error: ErasureError) -> Self {
        match error {
            ErasureError::NoSuchRecord => NO_SUCH_CHECK,
            ErasureError::NoSuchUser => NO_SUCH_USER,
            ErasureError::NoFace => NO_FACE,
            ErasureError::Erased => ERASED,
            ErasureError::Held => HELD,
            ErasureError::NotHeld => NOT_HELD,
            ErasureError::Store(error) => error.into(),
            other => Self::Internal(other.into()),
        }
    }
}

pub(super) const OWN_CHECK: BusError = BusError::Forbidden("nobody decides about a liveness check of their own");
pub(super) const OWN_USER: BusError = BusError::Forbidden("nobody unlocks themselves");
pub(super) const DECIDED_SINCE: BusError =
    BusError::Conflict("somebody has decided since: look at the liveness check again");
pub(super) const DECIDED_TWICE: BusError =
    BusError::Conflict("you have decided already: it counts when another person decides the same");

impl From<DecisionError> for BusError {
    fn from(error: DecisionError) -> Self {
        match error {
            DecisionError::NoSuchRecord => NO_SUCH_CHECK,
            DecisionError::Erased => ERASED,
            DecisionError::OwnRecord => OWN_CHECK,
            DecisionError::Stale => DECIDED_SINCE,
            DecisionError::Twice => DECIDED_TWICE,
            DecisionError::Store(error) => error.into(),
            other => Self::Internal(other.into()),
        }
    }
}

impl From<Refusal> for BusError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Session(unbound) => of_session(unbound),
            Refusal::TooManyFailures { retry_after } => Self::Exhausted {
                what: "too many attempts have failed; try again later",
                retry_after,
            },
            Refusal::Quota { retry_after } => Self::Exhausted {
                what: "too much was recorded for this user today",
                retry_after,
            },
            Refusal::Locked { other_way } => locked(other_way.as_deref()),
            other => Self::Internal(format!("a refusal without an answer: {other:?}").into()),
        }
    }
}

/// Another user's session and one that never was have the same words, so nobody learns of another's.
fn of_session(unbound: Unbound) -> BusError {
    match unbound {
        Unbound::NotNamed => SESSION_NOT_NAMED,
        Unbound::NotIssued => SESSION_NOT_ISSUED,
        Unbound::UsedUp => SESSION_USED_UP,
        Unbound::Expired => SESSION_EXPIRED,
    }
}

/// The refusal of a locked user, with the operator's words for another way to prove who they are.
pub(super) fn locked(other_way: Option<&str>) -> BusError {
    BusError::Locked(match other_way {
        Some(way) => format!(
            "the user is locked after too many failures; {}",
            way.trim_end_matches('.')
        )
        .into(),
        None => "the user is locked after too many failures, and needs another way to prove who they are".into(),
    })
}

impl From<StoreError> for BusError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::SessionOfAnotherUser => SESSION_OF_ANOTHER_USER,
            StoreError::IdempotencyKeyReused => IDEMPOTENCY_KEY_REUSED,
            StoreError::Refused(refusal) => refusal.into(),
            StoreError::Unavailable(_) => Self::Unavailable(error.into()),
            StoreError::OutcomeUnknown(_) => Self::OutcomeUnknown(error.into()),
            StoreError::Internal(_) => Self::Internal(error.into()),
        }
    }
}
