//! Tells operators how each message ended: a line in the log, and observers for metrics.

use std::time::Duration;

use crate::call::Call;
use crate::error::BusError;
use crate::message::Meta;

/// Sees how every message ended. Metrics are the usual purpose.
///
/// The bus calls it before it returns to the caller of the message. So an observer must not block, and must not panic.
pub trait Observer: Send + Sync + 'static {
    /// A message has ended. `code` is the [code](BusError::code) of its error, or `00` if it succeeded. `took` is the time
    /// that it spent in the bus, without the time that it [waited](crate::Call::wait_for) for its answer to change.
    fn observed(&self, meta: &Meta, code: &'static str, took: Duration);
}

/// The code of an outcome: `00`, or that of its error.
pub(crate) fn code(outcome: &Result<(), BusError>) -> &'static str {
    outcome.as_ref().map_or_else(BusError::code, |()| "00")
}

const LOG: &str = "liveness::message";

/// Whether the log takes the lines of messages.
pub(crate) fn is_logged() -> bool {
    log::log_enabled!(target: LOG, log::Level::Info)
}

/// Logs the one line of a message: its name, and everything else as fields. Those of a trace are there if there is one.
pub(crate) fn log(call: &Call<'_>, code: &'static str, took: Duration) {
    let client = call.client_address().map(|address| address.to_string());
    let waited = Some(call.waited()).filter(|waited| !waited.is_zero()).map(tenths);
    // The fields of a line cannot be a list that is made when it is logged.
    macro_rules! line {
        ($($of_trace:tt)*) => {
            log::info!(
                target: LOG,
                code,
                request:% = call.request_id(),
                principal = call.principal().subject(),
                user = call.concerned_user(),
                client = client.as_deref(),
                took_ms = tenths(took),
                waited_ms = waited,
                issuer = call.principal().issuer(),
                actor = call.principal().actor()
                $($of_trace)*;
                "{}",
                call.meta().name(),
            )
        };
    }
    match call.trace() {
        Some(trace) => line!(, trace_id:% = trace.trace_id(), span_id:% = trace.span_id()),
        None => line!(),
    }
}

/// In milliseconds, rounded to a tenth.
fn tenths(time: Duration) -> f64 {
    (time.as_secs_f64() * 10_000.0).round() / 10.0
}
