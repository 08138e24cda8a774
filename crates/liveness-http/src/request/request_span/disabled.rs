//! The feature `opentelemetry` is off: these types hold nothing and do nothing.

use actix_web::http::StatusCode;
use liveness_bus::{RequestId, TraceContext};

/// No span.
pub(in crate::request) struct RequestSpan;

impl RequestSpan {
    #[inline]
    pub(in crate::request) fn begin(
        _: impl FnOnce() -> Option<&'static str>,
        _: &RequestId,
        _: Option<&TraceContext>,
    ) -> Self {
        Self
    }

    #[inline]
    pub(in crate::request) fn trace(&self, sent: Option<TraceContext>) -> Option<TraceContext> {
        sent
    }

    #[inline]
    pub(in crate::request) fn around<F: Future>(&self, work: F) -> F {
        work
    }

    #[inline]
    pub(in crate::request) fn end(self, _: StatusCode) {}
}

/// The work as it is.
#[inline]
pub(in crate::request) fn within<F: Future>(work: F) -> F {
    work
}
