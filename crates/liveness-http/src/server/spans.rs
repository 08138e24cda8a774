//! The spans of this process, from before the host is opened until it is closed.
//!
//! Without the feature `opentelemetry`, none are made, and an operator who asks for them is told so.

#[cfg(feature = "opentelemetry")]
use std::sync::Arc;
use std::time::Duration;

#[cfg(not(feature = "opentelemetry"))]
use crate::environment::variable;
use crate::host::checks::findings::Findings;
use crate::host::start_error::StartError;
use crate::metrics::Metrics;
#[cfg(feature = "opentelemetry")]
use crate::span_export::SpanExport;

/// What the findings are about.
const SUBJECT: &str = "traces";
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

/// Checks the variables, as [`Spans::start`] would use them.
#[cfg(feature = "opentelemetry")]
pub(super) fn check(findings: &mut Findings) {
    match SpanExport::destination() {
        Ok(None) => {}
        Ok(Some(endpoint)) => findings.ok(SUBJECT, format!("spans are exported to {endpoint}")),
        Err(error) => findings.problem(SUBJECT, error.to_string(), "`serve` does not start like this"),
    }
}

/// Nothing that exports spans.
#[cfg(not(feature = "opentelemetry"))]
pub(super) struct Spans;

#[cfg(not(feature = "opentelemetry"))]
impl Spans {
    pub(super) fn start() -> Result<Self, StartError> {
        if let Some(unmet) = unmet() {
            log::warn!("{unmet}");
        }
        Ok(Self)
    }

    pub(super) fn show_in(&self, _: &Metrics) {}

    pub(super) async fn finish(self, _: Duration) {}
}

/// Checks whether spans are asked for.
#[cfg(not(feature = "opentelemetry"))]
pub(super) fn check(findings: &mut Findings) {
    if let Some(unmet) = unmet() {
        findings.warning(
            SUBJECT,
            unmet,
            "build it with `--features opentelemetry`, or leave the variable out",
        );
    }
}

/// What is told of spans that are asked for, if they are.
#[cfg(not(feature = "opentelemetry"))]
fn unmet() -> Option<String> {
    const ENDPOINTS: [&str; 2] = ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"];
    let is_disabled = variable("OTEL_SDK_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true"));
    let is_exported = variable("OTEL_TRACES_EXPORTER").is_none_or(|exporter| exporter != "none");
    let name = ENDPOINTS.into_iter().find(|name| variable(name).is_some());
    let name = name.filter(|_| is_exported && !is_disabled)?;
    Some(format!(
        "{name} is set, but this program was built without the feature opentelemetry: it makes no spans"
    ))
}
