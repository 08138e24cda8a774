//! A span by the API of OpenTelemetry and its conventions for HTTP servers, for whichever tracer provider the program has set.
//!
//! It names the route and the status. Nothing that identifies a person is in it: no address, token, user, query or body.

use actix_web::http::StatusCode;
use liveness_bus::{RequestId, TraceContext};
use opentelemetry::context::{FutureExt as _, WithContext};
use opentelemetry::trace::{SpanBuilder, SpanKind, Status, TraceContextExt as _, Tracer as _};
use opentelemetry::{Context, KeyValue, global};

use crate::request::path::COMMANDS;

/// A span that begins when it is made, and ends at the latest when it is dropped.
pub(in crate::request) struct RequestSpan(Context);

impl RequestSpan {
    /// Begins the span of a request for a message. It is below the span that is current, where the application has one, or else
    /// below that of the sender. A name that the bus does not know is not shown: anybody may have made it up.
    pub(in crate::request) fn begin(
        message: impl FnOnce() -> Option<&'static str>,
        request_id: &RequestId,
        sent: Option<&TraceContext>,
    ) -> Self {
        let current = Context::current();
        let (parent, kind) = match sent {
            _ if current.has_active_span() => (current, SpanKind::Internal),
            Some(sent) => (current.with_remote_span_context(sent.remote_span()), SpanKind::Server),
            None => (current, SpanKind::Server),
        };
        let message = message();
        let route = format!("{COMMANDS}/{}", message.unwrap_or("{name}"));
        let path = message.is_some().then(|| KeyValue::new("url.path", route.clone()));
        let attributes = [
            KeyValue::new("http.request.method", "POST"),
            KeyValue::new("http.route", route.clone()),
            KeyValue::new("liveness.request.id", request_id.as_str().to_owned()),
        ];
        let builder = SpanBuilder::from_name(format!("POST {route}"))
            .with_kind(kind)
            .with_attributes(attributes.into_iter().chain(path));
        let span = global::tracer("liveness-http").build_with_context(builder, &parent);
        Self(parent.with_span(span))
    }

    /// Where the work for the request stands in a trace: in this span if it is recorded, or else where its sender stands.
    pub(in crate::request) fn trace(&self, sent: Option<TraceContext>) -> Option<TraceContext> {
        let span = self.0.span();
        if span.is_recording() {
            TraceContext::of_span(span.span_context())
        } else {
            sent
        }
    }

    /// Does the work for the request, whose spans are below this one.
    pub(in crate::request) fn around<F: Future>(&self, work: F) -> WithContext<F> {
        work.with_context(self.0.clone())
    }

    /// Ends the span with the status of the answer. It failed if that is the fault of the service.
    pub(in crate::request) fn end(self, status: StatusCode) {
        let span = self.0.span();
        span.set_attribute(KeyValue::new("http.response.status_code", i64::from(status.as_u16())));
        if status.is_server_error() {
            span.set_attribute(KeyValue::new("error.type", status.as_str().to_owned()));
            span.set_status(Status::error(""));
        }
        span.end();
    }
}

/// Work for another task, whose spans are below the one that is current.
pub(in crate::request) fn within<F: Future>(work: F) -> WithContext<F> {
    work.with_current_context()
}
