//! The spans of this process, from before the host is opened until it is closed.
//!
//! Without the feature `opentelemetry`, none are made, and an operator who asks for them is told so.

#[cfg(feature = "opentelemetry")]
use std::sync::Arc;
use std::time::Duration;

use crate::host::start_error::StartError;
use crate::metrics::Metrics;
#[cfg(feature = "opentelemetry")]
use crate::span_export::SpanExport;

/// How long the end of the process waits for a collector.
#[cfg(feature = "opentelemetry")]
const PATIENCE: Duration = Duration::from_secs(2);

/// What exports the spans, if something does.
#[cfg(feature = "opentelemetry")]
pub(super) struct Spans(Option<SpanExport>);

#[cfg(feature = "opentelemetry")]
impl Spans {
    /// Begins to make and to export spans, if the environment says where to.
    pub(super) fn start() -> Result<Self, StartError> {
        Ok(Self(SpanExport::start()?))
    }

    /// Shows what becomes of them.
    pub(super) fn show_in(&self, metrics: &Metrics) {
        if let Self(Some(export)) = self {
            metrics.show_spans(Arc::clone(export.counts()));
        }
    }

    /// Exports what waits. The time until the process must have ended is `left`.
    pub(super) async fn finish(self, left: Duration) {
        if let Self(Some(export)) = self {
            export.finish(left.min(PATIENCE)).await;
        }
    }
}

/// Nothing that exports spans.
#[cfg(not(feature = "opentelemetry"))]
pub(super) struct Spans;

#[cfg(not(feature = "opentelemetry"))]
impl Spans {
    pub(super) fn start() -> Result<Self, StartError> {
        const ENDPOINTS: [&str; 2] = ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"];
        if let Some(name) = ENDPOINTS
            .iter()
            .find(|name| crate::environment::variable(name).is_some())
        {
            log::warn!(
                "{name} is set, but this program was built without the feature opentelemetry: it makes no spans"
            );
        }
        Ok(Self)
    }

    pub(super) fn show_in(&self, _: &Metrics) {}

    pub(super) async fn finish(self, _: Duration) {}
}
