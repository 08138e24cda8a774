//! The trace that every message leaves: an entry where its `AUDIT` asks for one, a line in the log always.

use async_trait::async_trait;
use liveness_core::AuditEntry;

use crate::call::Call;
use crate::error::{BusError, Cause};
use crate::message::{Audit, Kind};

/// Where audit entries go.
#[async_trait]
pub trait AuditSink: Send + Sync + 'static {
    /// Writes the entry; it is durable when this answers.
    ///
    /// # Errors
    ///
    /// Why it may not have been written. The message is then answered with [`BusError::Unavailable`], or with
    /// [`BusError::OutcomeUnknown`] when it was a command that has been done.
    async fn append(&self, entry: AuditEntry) -> Result<(), Cause>;
}

/// Writes the entry that an audited message still owes once the outcome is known, and gives back the outcome to answer with.
///
/// When the entry cannot be written there is no reply: who cannot be audited sees nothing.
pub(crate) async fn write_owed_entry(
    sink: Option<&dyn AuditSink>,
    call: &Call<'_>,
    outcome: Result<(), BusError>,
) -> Result<(), BusError> {
    let code = match &outcome {
        Ok(()) if call.meta().audit() == Audit::WithRecord && call.entry_is_written() => return outcome,
        // Who is not known cannot fill the audit trail.
        Err(_) if call.principal().is_anonymous() => return outcome,
        // A limit must not cost a write, and what is out of reach cannot take one.
        Err(BusError::TooMany { .. } | BusError::Unavailable(_) | BusError::OutcomeUnknown(_)) => return outcome,
        Ok(()) => "00",
        Err(error) => error.code(),
    };
    match sink {
        Some(sink) => {
            let appended = sink.append(call.entry(code)).await;
            match (appended, &outcome) {
                (Ok(()), _) => outcome,
                // What it did cannot be taken back, so nobody may be told that nothing was done.
                (Err(cause), Ok(())) if call.meta().kind() == Kind::Command => Err(BusError::OutcomeUnknown(cause)),
                (Err(cause), _) => Err(BusError::Unavailable(cause)),
            }
        }
        None => Err(BusError::Internal("no audit sink".into())),
    }
}
