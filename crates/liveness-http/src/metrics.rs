//! The counters and gauges of a host: `docs/operations.md#metrics`. The page that shows them is `pages/metrics.rs`.
//!
//! Labels are words of ours, never taken from a request. The name of a message comes from the bus; every other name is
//! counted as `unknown`. So the number of series is small, whatever callers send, and no label holds personal data.

mod collectors;
mod faces_in_clear;
mod gauge_guard;
mod jobs_collector;
#[cfg(feature = "opentelemetry")]
mod span_counts;
mod stale_files;
mod trail_collector;
mod webhooks;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use liveness_bus::{Meta, Observer};
use liveness_core::store::{JobRunner, Store, TrailKeeper};
use liveness_core::{Clock as _, SystemClock};
use prometheus_client::encoding::{EncodeLabelSet, prometheus_text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

use self::collectors::{ProcessCollector, StoreCollector};
use self::jobs_collector::JobsCollector;
use self::stale_files::StaleFiles;
use self::trail_collector::TrailCollector;

pub(crate) use self::faces_in_clear::FacesInClear;
pub(crate) use self::gauge_guard::GaugeGuard;
#[cfg(feature = "opentelemetry")]
pub(crate) use self::span_counts::SpanCounts;
pub(crate) use self::webhooks::{WebhookCounts, WebhookMetrics};

/// Upper ends of the buckets of latencies, in seconds.
const LATENCY_BUCKETS: [f64; 13] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
];
/// The label of a message that the bus does not know.
const UNKNOWN_MESSAGE: &str = "unknown";
/// The label of a request that is for no message at all.
const NO_MESSAGE: &str = "none";

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OutcomeLabels {
    message: &'static str,
    status_code: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct MessageLabel {
    message: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReasonLabel {
    reason: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct LimitLabel {
    by: &'static str,
}

/// The counters and gauges of a host. Cloning it is cheap, and all clones count together.
///
/// It is an [`Observer`] of the bus. The [`LivenessApi`](crate::LivenessApi) reports to it what never reaches the bus.
/// It has a page: `App::new().configure(|app| metrics.configure(app))`.
///
/// ```
/// # use std::sync::Arc;
/// # use liveness_bus::liveness::{self, Liveness, Settings};
/// # use liveness_bus::{BuildErrors, Bus};
/// # use liveness_core::{UserDirectory, store::Store};
/// # use liveness_http::{LivenessApi, Metrics, token::TokenVerifier};
/// fn mount(
///     store: Store,
///     verifier: TokenVerifier,
///     users: Arc<dyn UserDirectory>,
/// ) -> Result<(LivenessApi, Metrics), BuildErrors> {
///     let metrics = Metrics::of(store.clone());
///     let liveness = Liveness::new(store.clone(), users.clone(), Settings::default());
///     let bus = Bus::builder()
///         .module(liveness::module(liveness))
///         .audit_sink(store)
///         .observer(metrics.clone())
///         .build()?;
///     let api = LivenessApi::builder(bus, verifier, users).metrics(metrics.clone()).build();
///     Ok((api, metrics))
/// }
/// ```
#[derive(Debug, Clone)]
pub struct Metrics {
    registry: Arc<Registry>,
    requests: Family<OutcomeLabels, Counter>,
    durations: Family<MessageLabel, Histogram>,
    rejected_tokens: Family<ReasonLabel, Counter>,
    rate_limited: Family<LimitLabel, Counter>,
    refused_connections: Counter,
    pub(crate) requests_in_flight: Gauge,
    pub(crate) body_bytes: Gauge,
    pub(crate) bodies_waiting: Gauge,
    pub(crate) answer_bytes: Gauge,
    pub(crate) answers_waiting: Gauge,
    pub(crate) callers_waiting: Gauge,
    pub(crate) connections: Gauge,
    stale_files: StaleFiles,
    trail: TrailCollector,
    jobs: JobsCollector,
    #[cfg(feature = "opentelemetry")]
    spans: span_counts::SpanCollector,
    pub(crate) faces_in_clear: FacesInClear,
    pub(crate) webhooks: WebhookMetrics,
}

impl Default for Metrics {
    /// Without the numbers of a store.
    fn default() -> Self {
        Self::with_store(None)
    }
}

impl Metrics {
    /// Includes the numbers that the store keeps of itself.
    pub fn of(store: Store) -> Self {
        Self::with_store(Some(store))
    }

    fn with_store(store: Option<Store>) -> Self {
        let mut metrics = Self {
            registry: Arc::default(),
            requests: Family::default(),
            durations: Family::new_with_constructor(|| Histogram::new(LATENCY_BUCKETS)),
            rejected_tokens: Family::default(),
            rate_limited: Family::default(),
            refused_connections: Counter::default(),
            requests_in_flight: Gauge::default(),
            body_bytes: Gauge::default(),
            bodies_waiting: Gauge::default(),
            answer_bytes: Gauge::default(),
            answers_waiting: Gauge::default(),
            callers_waiting: Gauge::default(),
            connections: Gauge::default(),
            stale_files: StaleFiles::default(),
            trail: TrailCollector::default(),
            jobs: JobsCollector::default(),
            #[cfg(feature = "opentelemetry")]
            spans: span_counts::SpanCollector::default(),
            faces_in_clear: FacesInClear::default(),
            webhooks: WebhookMetrics::default(),
        };
        let mut registry = Registry::default();
        let prefixed = registry.sub_registry_with_prefix("liveness");
        let version = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        prefixed.register("build", "What runs", version);
        metrics.register_families(prefixed);
        metrics.register_gauges(prefixed);
        prefixed.register_collector(Box::new(metrics.stale_files.clone()));
        prefixed.register_collector(Box::new(metrics.trail.clone()));
        prefixed.register_collector(Box::new(metrics.jobs.clone()));
        #[cfg(feature = "opentelemetry")]
        prefixed.register_collector(Box::new(metrics.spans.clone()));
        prefixed.register_collector(Box::new(metrics.faces_in_clear.clone()));
        prefixed.register_collector(Box::new(metrics.webhooks.clone()));
        if let Some(store) = store {
            prefixed.register_collector(Box::new(StoreCollector(store)));
        }
        registry.register_collector(Box::new(ProcessCollector));
        let started = SystemClock.now().unix_millis() as f64 / 1000.0;
        registry.register_with_unit(
            "process_start_time",
            "When the process began to count, since the Unix epoch",
            Unit::Seconds,
            ConstGauge::new(started),
        );
        metrics.registry = Arc::new(registry);
        metrics
    }

    /// Includes the numbers of the audit trail from now on.
    pub fn show_trail(&self, keeper: Arc<TrailKeeper>) {
        self.trail.show(keeper);
    }

    /// Includes the numbers of durable jobs from now on.
    pub fn show_jobs(&self, runner: Arc<JobRunner>) {
        self.jobs.show(runner);
    }

    /// Includes what became of spans from now on.
    #[cfg(feature = "opentelemetry")]
    pub(crate) fn show_spans(&self, counts: Arc<SpanCounts>) {
        self.spans.show(counts);
    }

    fn register_families(&self, registry: &mut Registry) {
        registry.register(
            "requests",
            "Requests answered, by message and statusCode",
            self.requests.clone(),
        );
        registry.register_with_unit(
            "message_duration",
            "From a message's body being there to its outcome being durable",
            Unit::Seconds,
            self.durations.clone(),
        );
        registry.register(
            "rejected_tokens",
            "Requests refused for their token",
            self.rejected_tokens.clone(),
        );
        registry.register(
            "rate_limited",
            "Requests refused for their number",
            self.rate_limited.clone(),
        );
        registry.register(
            "refused_connections",
            "Connections closed because their address has its share",
            self.refused_connections.clone(),
        );
    }

    fn register_gauges(&self, registry: &mut Registry) {
        let gauges = [
            (
                "requests_in_flight",
                "Requests begun and not answered",
                &self.requests_in_flight,
            ),
            (
                "body_bytes",
                "Bytes of bodies that have room in memory",
                &self.body_bytes,
            ),
            (
                "bodies_waiting",
                "Bodies that wait for room in memory",
                &self.bodies_waiting,
            ),
            (
                "answer_bytes",
                "Bytes of large answers that are made or not written",
                &self.answer_bytes,
            ),
            (
                "answers_waiting",
                "Requests that wait for room for their answer in memory",
                &self.answers_waiting,
            ),
            (
                "callers_waiting",
                "Calls that may wait for their answer to change",
                &self.callers_waiting,
            ),
            ("connections", "Open connections of clients", &self.connections),
        ];
        for (name, help, gauge) in gauges {
            registry.register(name, help, gauge.clone());
        }
    }

    /// Shows whether what a setting names has changed and cannot be read.
    pub(crate) fn show_stale_file(&self, setting: &'static str, is_stale: &Gauge) {
        self.stale_files.add(setting, is_stale.clone());
    }

    /// Counts a request that was refused before the bus saw it. `message` is `None` when the bus does not know the name.
    pub(crate) fn count_refused(&self, message: Option<&'static str>, status_code: &'static str) {
        self.count(message.unwrap_or(UNKNOWN_MESSAGE), status_code);
    }

    /// Counts a request for a path or a method that does not exist.
    pub(crate) fn count_unrouted(&self, status_code: &'static str) {
        self.count(NO_MESSAGE, status_code);
    }

    /// Counts a bearer token that was missing or not valid.
    pub(crate) fn count_rejected_token(&self, reason: &'static str) {
        self.rejected_tokens.get_or_create(&ReasonLabel { reason }).inc();
    }

    /// Counts a request that the rate limit refused. `by` says what was limited: the principal or the address.
    pub(crate) fn count_rate_limited(&self, by: &'static str) {
        self.rate_limited.get_or_create(&LimitLabel { by }).inc();
    }

    /// Counts a connection that was closed because its address has its share.
    pub(crate) fn count_refused_connection(&self) {
        self.refused_connections.inc();
    }

    fn count(&self, message: &'static str, status_code: &'static str) {
        self.requests
            .get_or_create(&OutcomeLabels { message, status_code })
            .inc();
    }

    /// All numbers as they are now, in Prometheus's text format.
    pub(crate) fn to_prometheus_text(&self) -> Result<String, fmt::Error> {
        let mut text = String::new();
        prometheus_text::encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

impl Observer for Metrics {
    fn observed(&self, meta: &Meta, code: &'static str, took: Duration) {
        self.count(meta.name(), code);
        let message = MessageLabel { message: meta.name() };
        self.durations.get_or_create(&message).observe(took.as_secs_f64());
    }
}
