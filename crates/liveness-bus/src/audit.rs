//! The audit entry of a message: where it is written, and when.

use async_trait::async_trait;
use liveness_core::AuditEntry;

use crate::call::Call;
use crate::error::{BusError, Cause};
use crate::message::Kind;

/// Stores audit entries.
#[async_trait]
pub trait AuditSink: Send + Sync + 'static {
    /// Writes the entry. When this returns `Ok`, the entry is durable.
    ///
    /// # Errors
    ///
    /// The reason why the entry may not have been written. The caller of the message then gets
    /// [`BusError::Unavailable`], or [`BusError::OutcomeUnknown`] if the message was a command that succeeded.
    async fn append(&self, entry: AuditEntry) -> Result<(), Cause>;
}

/// Writes the audit entry of a finished message, unless the handler has written it already. Returns the outcome for the
/// caller.
///
/// If the entry cannot be written, the caller gets an error and no reply: nothing is shown without an audit entry.
pub(crate) async fn write_owed_entry(
    sink: Option<&dyn AuditSink>,
    call: &Call<'_>,
    outcome: Result<(), BusError>,
) -> Result<(), BusError> {
    let code = match &outcome {
        Ok(()) if call.entry_is_written() => return outcome,
        // Anonymous callers must not be able to fill the audit trail.
        Err(_) if call.principal().is_anonymous() => return outcome,
        // Refusing a caller who sends too much must not cost a write. A store that is out of reach cannot be written to.
        Err(BusError::TooMany { .. } | BusError::Unavailable(_) | BusError::OutcomeUnknown(_)) => return outcome,
        Ok(()) => "00",
        Err(error) => error.code(),
    };
    match sink {
        Some(sink) => {
            let appended = sink.append(call.entry(code)).await;
            match (appended, &outcome) {
                (Ok(()), _) => outcome,
                // The command has succeeded and cannot be undone, so `Unavailable` ("nothing was recorded") would be wrong.
                (Err(cause), Ok(())) if call.meta().kind() == Kind::Command => Err(BusError::OutcomeUnknown(cause)),
                (Err(cause), _) => Err(BusError::Unavailable(cause)),
            }
        }
        None => Err(BusError::Internal("no audit sink".into())),
    }
}
