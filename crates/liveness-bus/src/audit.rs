//! The trace that every message leaves: an entry where its `AUDIT` asks for one, a line in the log always.

use std::time::Duration;

use async_trait::async_trait;
use liveness_core::AuditEntry;

use crate::call::Call;
use crate::error::{BusError, Cause};
use crate::message::{Audit, Kind, Meta};

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

/// Sees how every message ended, once that is settled: for metrics. It is called on the way of the message, so it must
/// not wait, and it must not panic.
pub trait Observer: Send + Sync + 'static {
    /// A message ended with this [code](BusError::code), `00` when it succeeded, and took so long from the bus's door.
    fn observed(&self, meta: &Meta, code: &'static str, took: Duration);
}

/// The code of an outcome.
pub(crate) fn code(outcome: &Result<(), BusError>) -> &'static str {
    outcome.as_ref().map_or_else(BusError::code, |()| "00")
}

const LOG: &str = "liveness::message";

/// Whether anybody reads the lines that messages leave in the log.
pub(crate) fn is_logged() -> bool {
    log::log_enabled!(target: LOG, log::Level::Info)
}

/// The one line that a message leaves in the log: its name, and the rest as fields.
pub(crate) fn log(call: &Call<'_>, code: &'static str, took: Duration) {
    let client = call.client_address().map(|address| address.to_string());
    log::info!(
        target: LOG,
        code,
        request:% = call.request_id(),
        principal = call.principal().subject(),
        user = call.concerned_user(),
        client = client.as_deref(),
        // To a tenth.
        took_ms = (took.as_secs_f64() * 10_000.0).round() / 10.0;
        "{}",
        call.meta().name(),
    );
}
