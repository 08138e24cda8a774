//! How messages ended, for operators: a line in the log, and observers for metrics.

use std::time::Duration;

use crate::call::Call;
use crate::error::BusError;
use crate::message::Meta;

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
