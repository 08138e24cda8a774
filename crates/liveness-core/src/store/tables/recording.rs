//! The recording of a command, and the answer to it.

use crate::{AuditEntry, IdempotencyKey, LivenessCheck, NewLivenessCheck};

/// Everything that a command records, in one transaction.
#[derive(Debug)]
pub struct Recording {
    /// The check to record.
    pub check: NewLivenessCheck,
    /// The audit entry of the command.
    pub audit_entry: AuditEntry,
    /// The name of the command. An idempotency key is valid for one command only.
    pub command: &'static str,
    /// The key under which the client may repeat it.
    pub idempotency_key: Option<IdempotencyKey>,
    /// The W3C `traceparent` of the request, for the events of it.
    pub traceparent: Option<String>,
}

impl Recording {
    /// The key as the record keeps it: the id of the user, the name of the command and the key of the client.
    pub(crate) fn scoped_key(&self) -> Option<String> {
        let key = self.idempotency_key.as_ref()?;
        Some(format!("{} {} {}", self.check.user.id, self.command, key.key()))
    }
}

/// The answer to a recording.
#[derive(Debug, Clone, PartialEq)]
pub struct Recorded {
    /// The new record. On a replay, the record of the first call.
    pub check: LivenessCheck,
    /// Whether this call repeated an earlier one and added no record.
    pub is_replay: bool,
}
