//! Converts a trace context from and to OpenTelemetry's `SpanContext`.

use opentelemetry::trace::{SpanContext, SpanId, TraceFlags, TraceId, TraceState};

use super::TraceContext;

impl TraceContext {
    /// That of a span of this program. `None` if there is no span.
    pub fn of_span(span: &SpanContext) -> Option<Self> {
        let ids = (span.trace_id().to_bytes(), span.span_id().to_bytes());
        let trace = Self::new(ids.0, ids.1, span.trace_flags().to_u8())?;
        let state = span.trace_state().header();
        Some(trace.with_state([state.as_str()]))
    }

    /// The span of the sender, as the parent of one of this program.
    pub fn remote_span(&self) -> SpanContext {
        let state = self.tracestate().and_then(|state| state.parse::<TraceState>().ok());
        SpanContext::new(
            TraceId::from_bytes(self.trace_id),
            SpanId::from_bytes(self.span_id),
            TraceFlags::new(self.flags),
            true,
            state.unwrap_or_default(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_is_the_same_there_and_back() {
        let sent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-03";
        let trace = TraceContext::parse(sent).unwrap().with_state(["a=1,b=2"]);
        let span = trace.remote_span();
        assert!(span.is_remote() && span.is_sampled());
        assert_eq!(TraceContext::of_span(&span), Some(trace));
        assert_eq!(TraceContext::of_span(&SpanContext::empty_context()), None);
    }
}
