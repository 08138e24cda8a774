//! What is counted, and the page that shows it to Prometheus: `docs/operations.md#metrics`.
//!
//! Labels are words of ours, never of a request: the name of a message comes from the bus, and what is none of its
//! messages is `unknown`. So there are few series, whatever is sent, and no person's data among them.

mod gathered;

use std::sync::Arc;
use std::time::Duration;

use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use actix_web::{HttpRequest, HttpResponse, web};
use liveness_bus::{Bus, BusError, Meta, Observer};
use liveness_core::store::Store;
use liveness_core::{Clock as _, SystemClock};
use prometheus_client::encoding::{EncodeLabelSet, prometheus_text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

use self::gathered::{Process, StoreNumbers};
use crate::request::dispatch::{method_not_allowed, request_id};
use crate::request::envelope::{Failure, REQUEST_ID};

/// Upper ends of the buckets of latencies, in seconds.
const SECONDS: [f64; 13] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
];
/// A message that there is not.
const UNKNOWN: &str = "unknown";
/// A request that is for no message at all.
const NONE: &str = "none";

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    message: &'static str,
    status_code: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Message {
    message: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Reason {
    reason: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct By {
    by: &'static str,
}

/// What a host counts. Cloning it is cheap, and all clones count together.
///
/// It is an [`Observer`] of the bus, is told by the [`LivenessApi`](crate::LivenessApi) of what never reaches the bus, and
/// has a page: `App::new().configure(|app| metrics.configure(app))`.
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
    requests: Family<Outcome, Counter>,
    durations: Family<Message, Histogram>,
    rejected_tokens: Family<Reason, Counter>,
    rate_limited: Family<By, Counter>,
    pub(crate) requests_in_flight: Gauge,
    pub(crate) body_bytes: Gauge,
    pub(crate) bodies_waiting: Gauge,
    pub(crate) connections: Gauge,
}

impl Default for Metrics {
    /// Without a store.
    fn default() -> Self {
        Self::gathering(None)
    }
}

impl Metrics {
    /// With what the store tells of itself.
    pub fn of(store: Store) -> Self {
        Self::gathering(Some(store))
    }

    fn gathering(store: Option<Store>) -> Self {
        let mut metrics = Self {
            registry: Arc::default(),
            requests: Family::default(),
            durations: Family::new_with_constructor(|| Histogram::new(SECONDS)),
            rejected_tokens: Family::default(),
            rate_limited: Family::default(),
            requests_in_flight: Gauge::default(),
            body_bytes: Gauge::default(),
            bodies_waiting: Gauge::default(),
            connections: Gauge::default(),
        };
        let mut registry = Registry::default();
        metrics.register(registry.sub_registry_with_prefix("liveness"), store);
        registry.register_collector(Box::new(Process));
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

    fn register(&self, registry: &mut Registry, store: Option<Store>) {
        let version = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("build", "What runs", version);
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
            ("connections", "Open connections of clients", &self.connections),
        ];
        for (name, help, gauge) in gauges {
            registry.register(name, help, gauge.clone());
        }
        if let Some(store) = store {
            registry.register_collector(Box::new(StoreNumbers(store)));
        }
    }

    /// A message was refused before the bus saw it.
    pub(crate) fn refused(&self, bus: &Bus, name: &str, failure: &Failure) {
        let message = bus.meta(name).map_or(UNKNOWN, Meta::name);
        self.answered(message, failure.code());
    }

    /// A bearer token was not good, or not there.
    pub(crate) fn rejected_token(&self, reason: &'static str) {
        self.rejected_tokens.get_or_create(&Reason { reason }).inc();
    }

    /// Gives back an outcome of the rate limit, counted by what was limited.
    pub(crate) fn limited(&self, by: &'static str, outcome: Result<(), BusError>) -> Result<(), BusError> {
        if outcome.is_err() {
            self.rate_limited.get_or_create(&By { by }).inc();
        }
        outcome
    }

    fn answered(&self, message: &'static str, status_code: &'static str) {
        self.requests.get_or_create(&Outcome { message, status_code }).inc();
    }

    /// Adds `GET /metrics` to an actix application. It asks for no token and shows no person's data.
    pub fn configure(&self, app: &mut web::ServiceConfig) {
        app.app_data(web::Data::new(self.clone())).service(
            web::resource("/metrics")
                .route(web::get().to(page))
                .route(web::head().to(page))
                .default_service(web::to(|request| method_not_allowed(request, "GET, HEAD"))),
        );
    }

    fn text(&self) -> Result<String, BusError> {
        let mut text = String::new();
        prometheus_text::encode(&mut text, &self.registry).map_err(|error| BusError::Internal(error.into()))?;
        Ok(text)
    }
}

impl Observer for Metrics {
    fn observed(&self, meta: &Meta, code: &'static str, took: Duration) {
        self.answered(meta.name(), code);
        let message = Message { message: meta.name() };
        self.durations.get_or_create(&message).observe(took.as_secs_f64());
    }
}

/// Counts a request for no message, where the application counts.
pub(crate) fn count_stray(request: &HttpRequest, failure: &Failure) {
    if let Some(metrics) = request.app_data::<web::Data<Metrics>>() {
        metrics.answered(NONE, failure.code());
    }
}

async fn page(request: HttpRequest, metrics: web::Data<Metrics>) -> HttpResponse {
    let request_id = request_id(request.headers());
    match metrics.text() {
        Ok(text) => HttpResponse::Ok()
            .insert_header((CONTENT_TYPE, prometheus_text::CONTENT_TYPE))
            .insert_header((CACHE_CONTROL, "no-store"))
            .insert_header((X_CONTENT_TYPE_OPTIONS, "nosniff"))
            .insert_header((REQUEST_ID, request_id.as_str()))
            .body(text),
        Err(error) => Failure::Bus(error).answer(&request_id),
    }
}
