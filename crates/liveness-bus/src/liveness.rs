//! The messages of the liveness check, one file each: message, rules, handler, tests.
//!
//! Two are a customer's commands, one is a customer's query, three are an administrator's queries;
//! `docs/api.md` says what each takes and answers.

mod check_liveness_status;
mod get_liveness_check;
mod get_user_liveness_check;
mod image_base64;
mod record_liveness_check;
mod retrieve_liveness_checks;
mod submit_liveness_check;
mod update_liveness_check;
mod validators;

use std::sync::Arc;

use async_trait::async_trait;
use liveness_core::store::{Store, StoreError};
use liveness_core::{AuditEntry, CompletionRule, UserDirectory};

use crate::{Access, AuditSink, BusError, Cause, Meta, Module};

pub use check_liveness_status::{CheckLivenessStatusQuery, LivenessStatus};
pub use get_liveness_check::{GetLivenessCheckQuery, LivenessCheckDetails, RecordedLivenessCheck};
pub use get_user_liveness_check::{GetUserLivenessCheckQuery, LivenessCheckView, UserLivenessCheck};
pub use image_base64::ImageBase64;
pub use record_liveness_check::{CaptureMetricsReport, LivenessReport, Receipt, SessionMetricsReport};
pub use retrieve_liveness_checks::{LivenessCheckItem, LivenessCheckPage, RetrieveLivenessChecksQuery};
pub use submit_liveness_check::SubmitLivenessCheckCommand;
pub use update_liveness_check::UpdateLivenessCheckCommand;

/// A self-service user.
pub const CUSTOMER: Access = Access::UserWithRole("customer");
/// A reviewer.
pub const ADMIN: Access = Access::Role("admin");

const SESSION_OF_ANOTHER_USER: BusError = BusError::Conflict("the session id was recorded by another user");
const IDEMPOTENCY_KEY_REUSED: BusError = BusError::Conflict("the Idempotency-Key was used with another body");

/// The messages that [`module`] handles.
pub const MESSAGES: [Meta; 6] = [
    Meta::of::<SubmitLivenessCheckCommand>(),
    Meta::of::<UpdateLivenessCheckCommand>(),
    Meta::of::<CheckLivenessStatusQuery>(),
    Meta::of::<GetUserLivenessCheckQuery>(),
    Meta::of::<GetLivenessCheckQuery>(),
    Meta::of::<RetrieveLivenessChecksQuery>(),
];

/// Handles the six messages.
pub fn module(liveness: Liveness) -> Module {
    Module::new("liveness")
        .declare(&MESSAGES)
        .handle::<SubmitLivenessCheckCommand>(liveness.clone())
        .handle::<UpdateLivenessCheckCommand>(liveness.clone())
        .handle::<CheckLivenessStatusQuery>(liveness.clone())
        .handle::<GetUserLivenessCheckQuery>(liveness.clone())
        .handle::<GetLivenessCheckQuery>(liveness.clone())
        .handle::<RetrieveLivenessChecksQuery>(liveness)
}

/// What the handlers work with. Cloning it is cheap.
#[derive(Clone)]
pub struct Liveness {
    store: Store,
    users: Arc<dyn UserDirectory>,
    settings: Settings,
}

impl std::fmt::Debug for Liveness {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Liveness")
            .field("store", &self.store)
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

impl Liveness {
    /// Handlers on a store, with users from a directory.
    pub fn new(store: Store, users: Arc<dyn UserDirectory>, settings: Settings) -> Self {
        Self { store, users, settings }
    }
}

/// What an operator may set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// Most bytes of an image, decoded.
    pub max_image_bytes: usize,
    /// The rule of CheckLivenessStatusQuery.
    pub status_rule: CompletionRule,
}

impl Default for Settings {
    /// 5 MiB, any successful record.
    fn default() -> Self {
        Self {
            max_image_bytes: 5 * 1024 * 1024,
            status_rule: CompletionRule::AnySuccessful,
        }
    }
}

/// The store as where audit entries go.
#[async_trait]
impl AuditSink for Store {
    async fn append(&self, entry: AuditEntry) -> Result<(), Cause> {
        Ok(self.append_audit_entry(entry).await?)
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
