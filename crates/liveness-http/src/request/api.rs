//! What a host mounts: the route of the commands, and all that the route needs.

use std::sync::Arc;

use actix_web::web;
use liveness_bus::Bus;
use liveness_bus::liveness::Settings;
use liveness_core::{Clock, SystemClock, UserDirectory};

use crate::metrics::Metrics;
use crate::request::admission::{Bounds, Capacity};
use crate::request::client_address::TrustedProxies;
use crate::request::dispatch;
use crate::request::rate_limit::{RateLimit, RateLimiters};
use crate::token::TokenVerifier;

/// `POST /api/BPMSelfService/commands/{CommandName}` on a bus. Cloning it is cheap.
///
/// See `examples/embedding.rs` for one that is mounted onto an application of somebody else's.
#[derive(Clone)]
pub struct LivenessApi(Arc<Parts>);

pub(crate) struct Parts {
    pub(crate) bus: Bus,
    pub(crate) verifier: TokenVerifier,
    pub(crate) users: Arc<dyn UserDirectory>,
    pub(crate) trusted_proxies: TrustedProxies,
    pub(crate) rate_limiters: Option<RateLimiters>,
    pub(crate) max_command_bytes: usize,
    pub(crate) capacity: Capacity,
    pub(crate) metrics: Metrics,
    pub(crate) clock: Arc<dyn Clock>,
}

impl std::fmt::Debug for LivenessApi {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LivenessApi")
            .field("bus", &self.0.bus)
            .finish_non_exhaustive()
    }
}

impl LivenessApi {
    /// Serves a bus to those whose tokens the verifier takes, with users from a directory.
    pub fn builder(bus: Bus, verifier: TokenVerifier, users: Arc<dyn UserDirectory>) -> LivenessApiBuilder {
        LivenessApiBuilder {
            bus,
            verifier,
            users,
            trusted_proxies: TrustedProxies::default(),
            rate_limit: None,
            max_image_bytes: Settings::default().max_image_bytes,
            bounds: Bounds::default(),
            metrics: Metrics::default(),
            clock: Arc::new(SystemClock),
        }
    }

    /// Adds the routes to an actix application: `App::new().configure(|app| api.configure(app))`.
    pub fn configure(&self, app: &mut web::ServiceConfig) {
        let api = web::Data::new(self.clone());
        let route = |name: &str| {
            web::resource(format!("/api/BPMSelfService/commands/{name}"))
                .app_data(api.clone())
                .route(web::post().to(dispatch::command))
                .default_service(web::to(|request| dispatch::method_not_allowed(request, "POST")))
        };
        // A route without a pattern is found by comparing it, which is much faster.
        for meta in self.parts().bus.messages() {
            app.service(route(meta.name()));
        }
        app.service(route("{name}"));
    }

    pub(crate) fn parts(&self) -> &Parts {
        &self.0
    }
}

/// Builds a [`LivenessApi`].
pub struct LivenessApiBuilder {
    bus: Bus,
    verifier: TokenVerifier,
    users: Arc<dyn UserDirectory>,
    trusted_proxies: TrustedProxies,
    rate_limit: Option<RateLimit>,
    max_image_bytes: usize,
    bounds: Bounds,
    metrics: Metrics,
    clock: Arc<dyn Clock>,
}

impl std::fmt::Debug for LivenessApiBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LivenessApiBuilder")
            .field("bus", &self.bus)
            .finish_non_exhaustive()
    }
}

impl LivenessApiBuilder {
    /// The proxies whose word on the client's address is believed; none where not set.
    #[must_use]
    pub fn trusted_proxies(mut self, proxies: TrustedProxies) -> Self {
        self.trusted_proxies = proxies;
        self
    }

    /// Most bytes of an image, decoded, from which the limit of a command's body follows; 5 MiB where not set.
    #[must_use]
    pub fn max_image_bytes(mut self, bytes: usize) -> Self {
        self.max_image_bytes = bytes;
        self
    }

    /// How often one caller may ask; as often as they like where not set.
    #[must_use]
    pub fn rate_limit(mut self, limit: Option<RateLimit>) -> Self {
        self.rate_limit = limit;
        self
    }

    /// Most requests that have begun and are not answered; the next is told at once that it is too much. 1,024 where not set.
    #[must_use]
    pub fn max_requests_in_flight(mut self, requests: usize) -> Self {
        self.bounds.requests = requests;
        self
    }

    /// Most bytes of bodies in memory, of all requests together, and never less than one body may have; 256 MiB where not
    /// set. A body that finds no room waits for it, for 10 s.
    #[must_use]
    pub fn body_memory(mut self, bytes: usize) -> Self {
        self.bounds.body_bytes = bytes;
        self
    }

    /// Where requests are counted. Give the same to the bus, as an [observer](liveness_bus::BusBuilder::observer).
    #[must_use]
    pub fn metrics(mut self, metrics: Metrics) -> Self {
        self.metrics = metrics;
        self
    }

    /// Where "now" comes from; the machine's clock where not set.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// The API.
    pub fn build(self) -> LivenessApi {
        let max_command_bytes = max_command_bytes(self.max_image_bytes);
        LivenessApi(Arc::new(Parts {
            bus: self.bus,
            verifier: self.verifier,
            users: self.users,
            trusted_proxies: self.trusted_proxies,
            rate_limiters: self.rate_limit.map(RateLimiters::new),
            max_command_bytes,
            capacity: Capacity::new(self.bounds, max_command_bytes, self.metrics.clone()),
            metrics: self.metrics,
            clock: self.clock,
        }))
    }
}

/// Base64 takes 4/3 of the bytes; an eighth more is for escaped characters, 128 KiB for the other fields.
pub(crate) fn max_command_bytes(image_bytes: usize) -> usize {
    let base64 = image_bytes.div_ceil(3).saturating_mul(4);
    base64.saturating_add(base64 / 8).saturating_add(128 * 1024)
}
