//! What a command records, and what it is answered.

use crate::{AuditEntry, IdempotencyKey, LivenessCheck, NewLivenessCheck};

/// What a command records, in one transaction.
#[derive(Debug)]
pub struct Recording {
    /// The record.
    pub check: NewLivenessCheck,
    /// The audit entry of the command.
    pub audit_entry: AuditEntry,
    /// The command's name, which an idempotency key belongs to.
    pub command: &'static str,
    /// The key under which the client may repeat it.
    pub idempotency_key: Option<IdempotencyKey>,
}

impl Recording {
    /// The key as the record keeps it. It belongs to the user and the command.
    pub(crate) fn scoped_key(&self) -> Option<String> {
        let key = self.idempotency_key.as_ref()?;
        Some(format!("{} {} {}", self.check.user.id, self.command, key.key()))
    }
}

/// What was recorded.
#[derive(Debug, Clone, PartialEq)]
pub struct Recorded {
    /// The record; on a replay, that of the first call.
    pub check: LivenessCheck,
    /// Whether this call repeated an earlier one and added no record.
    pub is_replay: bool,
}
