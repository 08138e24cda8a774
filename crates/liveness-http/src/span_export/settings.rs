//! The variables of OpenTelemetry that say where spans go. Those of the sampler, the queue and the resource are read by its library.

use std::str::FromStr;
use std::time::Duration;

use opentelemetry_otlp::ExporterBuildError;
use ureq::http::Uri;

use crate::environment::variable;
use crate::http_client::{has_good_port, is_loopback};

/// The default of the standard.
const TIMEOUT: Duration = Duration::from_secs(10);
/// The default of the standard.
const QUEUE: usize = 2048;

const SAMPLERS: [&str; 6] = [
    "always_on",
    "always_off",
    "traceidratio",
    "parentbased_always_on",
    "parentbased_always_off",
    "parentbased_traceidratio",
];

/// Why spans cannot be exported as the environment says, as one line that names the variable.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SpanExportError {
    /// The variable holds no address of a collector.
    #[error("{0}: must be an http:// or https:// URL, without a password in it")]
    Endpoint(&'static str),
    /// Headers, which usually hold a key, would be sent without TLS.
    #[error("{0}: its headers would travel in clear; use an https:// URL, or a collector on this machine")]
    HeadersInClear(&'static str),
    /// Another protocol is asked for.
    #[error("{0}: this program speaks http/protobuf only")]
    Protocol(&'static str),
    /// Another exporter is asked for.
    #[error("OTEL_TRACES_EXPORTER: must be otlp or none")]
    Exporter,
    /// There is no such sampler.
    #[error("OTEL_TRACES_SAMPLER: must be one of {}", SAMPLERS.join(", "))]
    Sampler,
    /// The sampler's share is none.
    #[error("OTEL_TRACES_SAMPLER_ARG: must be a number from 0 to 1, the share of traces that are sampled")]
    SamplerArgument,
    /// The variable holds no number.
    #[error("{0}: must be a number from 1 on")]
    Number(&'static str),
    /// A collector with TLS could not be verified.
    #[error("OTEL_EXPORTER_OTLP_ENDPOINT: this machine has no certificate authorities to verify the collector by")]
    NoAuthorities,
    /// The library refuses its configuration.
    #[error("OpenTelemetry: {0}")]
    Library(#[from] ExporterBuildError),
}

/// Where spans go.
pub(super) struct Settings {
    pub(super) endpoint: Uri,
    pub(super) timeout: Duration,
    /// How many spans may wait to be exported.
    pub(super) queue: usize,
    /// Whether the environment has a `service.name`.
    pub(super) is_service_named: bool,
}

impl Settings {
    /// Reads the environment. `None` if it names no collector, or says that there shall be no spans.
    pub(super) fn of_environment() -> Result<Option<Self>, SpanExportError> {
        let is_disabled = variable("OTEL_SDK_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true"));
        let is_exported = match variable("OTEL_TRACES_EXPORTER").as_deref() {
            None | Some("otlp") => true,
            Some("none") => false,
            Some(_) => return Err(SpanExportError::Exporter),
        };
        let Some((name, endpoint)) = endpoint().filter(|_| is_exported && !is_disabled) else {
            return Ok(None);
        };
        let endpoint = collector(&endpoint).ok_or(SpanExportError::Endpoint(name))?;
        let headers = either("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "OTEL_EXPORTER_OTLP_HEADERS");
        if headers.is_some() && is_in_clear(&endpoint) {
            return Err(SpanExportError::HeadersInClear(name));
        }
        match either("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL") {
            Some((name, protocol)) if protocol != "http/protobuf" => return Err(SpanExportError::Protocol(name)),
            _ => {}
        }
        check_sampler()?;
        let timeout = either("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "OTEL_EXPORTER_OTLP_TIMEOUT");
        let timeout = timeout.map(|(name, value)| number(name, &value)).transpose()?;
        let queue = variable("OTEL_BSP_MAX_QUEUE_SIZE").map(|value| number("OTEL_BSP_MAX_QUEUE_SIZE", &value));
        Ok(Some(Self {
            endpoint,
            timeout: timeout.map_or(TIMEOUT, |millis| Duration::from_millis(millis as u64)),
            queue: queue.transpose()?.unwrap_or(QUEUE),
            is_service_named: is_service_named(),
        }))
    }
}

/// The URL that spans are posted to, and the variable that has it. The general one is what the path of each signal is below.
fn endpoint() -> Option<(&'static str, String)> {
    const TRACES: &str = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT";
    const GENERAL: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
    let of_traces = variable(TRACES).map(|url| (TRACES, url));
    of_traces.or_else(|| {
        let url = variable(GENERAL)?;
        Some((GENERAL, format!("{}/v1/traces", url.trim_end_matches('/'))))
    })
}

/// The value of the first variable that is set, and its name.
fn either(first: &'static str, second: &'static str) -> Option<(&'static str, String)> {
    [first, second]
        .into_iter()
        .find_map(|name| Some((name, variable(name)?)))
}

fn collector(url: &str) -> Option<Uri> {
    let url: Uri = url.parse().ok()?;
    let is_http = matches!(url.scheme_str(), Some("https" | "http"));
    let authority = url.authority()?;
    (is_http && has_good_port(authority) && !authority.as_str().contains('@')).then_some(url)
}

fn is_in_clear(url: &Uri) -> bool {
    url.scheme_str() == Some("http") && !url.host().is_some_and(is_loopback)
}

/// The library would take a mistake for the default, which samples everything.
fn check_sampler() -> Result<(), SpanExportError> {
    let Some(sampler) = variable("OTEL_TRACES_SAMPLER") else {
        return Ok(());
    };
    if !SAMPLERS.contains(&sampler.as_str()) {
        return Err(SpanExportError::Sampler);
    }
    let share = variable("OTEL_TRACES_SAMPLER_ARG").and_then(|share| f64::from_str(&share).ok());
    let is_share = share.is_some_and(|share| (0.0..=1.0).contains(&share));
    if sampler.ends_with("traceidratio") && !is_share {
        return Err(SpanExportError::SamplerArgument);
    }
    Ok(())
}

fn number(name: &'static str, value: &str) -> Result<usize, SpanExportError> {
    let number = value.trim().parse().ok().filter(|number| *number > 0);
    number.ok_or(SpanExportError::Number(name))
}

fn is_service_named() -> bool {
    let attributes = variable("OTEL_RESOURCE_ATTRIBUTES").unwrap_or_default();
    let has_name = |attribute: &str| attribute.trim_start().starts_with("service.name=");
    variable("OTEL_SERVICE_NAME").is_some() || attributes.split(',').any(has_name)
}
