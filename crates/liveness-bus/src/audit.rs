//! The trace that every message leaves: an entry where its `AUDIT` asks for one, a line in the log always.

use std::time::Duration;

use async_trait::async_trait;
use liveness_core::AuditEntry;

use crate::{Audit, BusError, Call, Cause, Kind};

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

/// Writes the entry that is still owed once the outcome is known, and gives back the outcome to answer with.
///
/// When the entry cannot be written there is no reply: who cannot be audited sees nothing.
pub(crate) async fn settle(
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
    match (call.meta().audit(), sink) {
        (Audit::LogOnly, _) => outcome,
        (Audit::WithRecord | Audit::BeforeReply, Some(sink)) => {
            let appended = sink.append(call.entry(code)).await;
            match (appended, &outcome) {
                (Ok(()), _) => outcome,
                // What it did cannot be taken back, so nobody may be told that nothing was done.
                (Err(cause), Ok(())) if call.meta().kind() == Kind::Command => Err(BusError::OutcomeUnknown(cause)),
                (Err(cause), _) => Err(BusError::Unavailable(cause)),
            }
        }
        (Audit::WithRecord | Audit::BeforeReply, None) => Err(BusError::Internal("no audit sink".into())),
    }
}

/// The one line that a message leaves in the log.
pub(crate) fn log(call: &Call<'_>, outcome: &Result<(), BusError>, took: Duration) {
    let code = outcome.as_ref().map_or_else(BusError::code, |()| "00");
    let user = call
        .concerned_user()
        .map_or_else(|| "-".to_owned(), |id| id.to_string());
    let client = call
        .client_address()
        .map_or_else(|| "-".to_owned(), |address| address.to_string());
    log::info!(
        target: "liveness::message",
        "{} {code} request={} principal={} user={user} client={client} took={:.1}ms",
        call.meta().name(),
        call.request_id(),
        call.principal().subject().escape_debug(),
        took.as_secs_f64() * 1000.0,
    );
}
