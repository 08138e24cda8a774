//! Connects the store to the bus: it is the audit sink, and its errors become errors of the bus.

use async_trait::async_trait;
use liveness_core::AuditEntry;
use liveness_core::store::{ErasureError, Store, StoreError};

use crate::{AuditSink, BusError, Cause};

pub(super) const SESSION_OF_ANOTHER_USER: BusError = BusError::Conflict("the session id was recorded by another user");
pub(super) const IDEMPOTENCY_KEY_REUSED: BusError =
    BusError::Conflict("the Idempotency-Key was used with another body");

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

impl From<StoreError> for BusError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::SessionOfAnotherUser => SESSION_OF_ANOTHER_USER,
            StoreError::IdempotencyKeyReused => IDEMPOTENCY_KEY_REUSED,
            StoreError::Unavailable(_) => Self::Unavailable(error.into()),
            StoreError::OutcomeUnknown(_) => Self::OutcomeUnknown(error.into()),
            StoreError::Internal(_) => Self::Internal(error.into()),
        }
    }
}
