//! A span by the API of OpenTelemetry, for whichever tracer provider the program has set. It has the name of the message and its
//! outcome, and nothing of what was sent.

use opentelemetry::context::{FutureExt as _, WithContext};
use opentelemetry::trace::{SpanBuilder, Status, TraceContextExt as _, Tracer as _};
use opentelemetry::{Context, KeyValue, global};

use crate::call::Call;
use crate::error::BusError;
use crate::message::Kind;
use crate::observability::code;

/// A span that begins when it is made, and ends at the latest when it is dropped.
pub(crate) struct Span(Context);

impl Span {
    /// Begins a span below the one that is current, or else below that of the sender of the request.
    pub(crate) fn begin(call: &Call<'_>) -> Self {
        let current = Context::current();
        let parent = match call.trace() {
            Some(trace) if !current.has_active_span() => current.with_remote_span_context(trace.remote_span()),
            _ => current,
        };
        let kind = match call.meta().kind() {
            Kind::Command => "command",
            Kind::Query => "query",
        };
        let builder =
            SpanBuilder::from_name(call.meta().name()).with_attributes([KeyValue::new("liveness.message.kind", kind)]);
        let span = global::tracer("liveness-bus").build_with_context(builder, &parent);
        Self(parent.with_span(span))
    }

    /// Does the work of the message, whose spans are below this one.
    pub(crate) fn around<F: Future>(&self, work: F) -> WithContext<F> {
        work.with_context(self.0.clone())
    }

    /// Ends the span with the outcome of the message. It failed if that is the fault of the service.
    pub(crate) fn end(self, outcome: &Result<(), BusError>) {
        let span = self.0.span();
        span.set_attribute(KeyValue::new("liveness.status_code", code(outcome)));
        let failure = match outcome {
            Err(BusError::Internal(_)) => Some("internal"),
            Err(BusError::Unavailable(_)) => Some("unavailable"),
            Err(BusError::OutcomeUnknown(_)) => Some("outcome_unknown"),
            _ => None,
        };
        if let Some(failure) = failure {
            span.set_attribute(KeyValue::new("error.type", failure));
            span.set_status(Status::error(""));
        }
        span.end();
    }
}
