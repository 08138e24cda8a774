//! Connects the store to the bus: it is the audit sink, and its errors become errors of the bus.

use async_trait::async_trait;
use liveness_core::AuditEntry;
use liveness_core::store::{Store, StoreError};

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
