//! What a host mounts: the route of the messages, and its builder.

use std::fmt;
use std::sync::Arc;

use actix_web::guard::fn_guard;
use actix_web::web;
use liveness_bus::Bus;
use liveness_bus::liveness::Settings;
use liveness_core::{Clock, SystemClock, UserDirectory};

use super::api_state::ApiState;
use super::client_address::{ForwardedHeader, TrustedProxies};
use super::dispatch::dispatch;
use super::limits::admission::{AdmissionControl, AdmissionLimits};
use super::limits::rate_limit::{RateLimit, RateLimiters};
use super::limits::waiting_room::WaitingRoom;
use super::path::{COMMANDS, any_slashes, is_plain};
use super::unrouted::{method_not_allowed, not_found};
use crate::metrics::Metrics;
use crate::token::TokenVerifier;

/// How many calls may wait for their answer to change, unless the builder is told otherwise: three quarters of the connections
/// that the standalone host has.
const DEFAULT_WAITING: usize = 6144;

/// `POST /api/BPMSelfService/commands/{CommandName}` on a bus. Cloning it is cheap.
///
/// `examples/embedding.rs` mounts it onto the actix application of another backend.
#[derive(Clone)]
pub struct LivenessApi(Arc<ApiState>);

impl fmt::Debug for LivenessApi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LivenessApi")
            .field("bus", &self.0.bus)
            .finish_non_exhaustive()
    }
}

impl LivenessApi {
    /// Serves a bus. The verifier decides which tokens are valid, and the directory knows the users.
    pub fn builder(bus: Bus, verifier: TokenVerifier, users: Arc<dyn UserDirectory>) -> LivenessApiBuilder {
        LivenessApiBuilder {
            bus,
            verifier,
            users,
            trusted_proxies: TrustedProxies::default(),
            forwarded_header: ForwardedHeader::default(),
            rate_limit: None,
            max_image_bytes: Settings::default().max_image_bytes,
            admission_limits: AdmissionLimits::default(),
            max_waiting: DEFAULT_WAITING,
            metrics: Metrics::default(),
            clock: Arc::new(SystemClock),
        }
    }

    /// Adds the routes to an actix application: `App::new().configure(|app| api.configure(app))`.
    pub fn configure(&self, app: &mut web::ServiceConfig) {
        let state = web::Data::from(Arc::clone(&self.0));
        let route = |path: String| {
            web::resource(path)
                .guard(fn_guard(is_plain))
                .app_data(state.clone())
                .route(web::post().to(dispatch))
                .default_service(web::to(|request| method_not_allowed(request, "POST")))
        };
        // actix compares a path without a pattern, which is much faster than matching one with a pattern.
        for meta in self.0.bus.messages() {
            app.service(route(format!("{COMMANDS}/{}", meta.name())));
        }
        let any_name = any_slashes(&format!("{COMMANDS}/{{name}}"));
        app.service(route(any_name.clone()));
        app.service(web::resource(any_name).route(web::to(not_found)));
    }

    /// Answers all calls that wait for their answer to change, and lets none wait from now on. Call it when the process is told
    /// to end. Otherwise it has to wait for them.
    pub fn end_waits(&self) {
        self.0.waiting_room.close();
    }

    pub(crate) fn bus(&self) -> &Bus {
        &self.0.bus
    }
}

/// Builds a [`LivenessApi`].
pub struct LivenessApiBuilder {
    bus: Bus,
    verifier: TokenVerifier,
    users: Arc<dyn UserDirectory>,
    trusted_proxies: TrustedProxies,
    forwarded_header: ForwardedHeader,
    rate_limit: Option<RateLimit>,
    max_image_bytes: usize,
    admission_limits: AdmissionLimits,
    max_waiting: usize,
    metrics: Metrics,
    clock: Arc<dyn Clock>,
}

impl fmt::Debug for LivenessApiBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LivenessApiBuilder")
            .field("bus", &self.bus)
            .finish_non_exhaustive()
    }
}

impl LivenessApiBuilder {
    /// Sets the proxies whose forwarded addresses are believed. The default is none.
    #[must_use]
    pub fn trusted_proxies(mut self, proxies: TrustedProxies) -> Self {
        self.trusted_proxies = proxies;
        self
    }

    /// Sets the header in which those proxies name the client. The default is `X-Forwarded-For`. No other header is read.
    #[must_use]
    pub fn forwarded_header(mut self, header: ForwardedHeader) -> Self {
        self.forwarded_header = header;
        self
    }

    /// Sets how many bytes a decoded image may have. The limit of a command's body follows from it. The default is 5 MiB.
    #[must_use]
    pub fn max_image_bytes(mut self, bytes: usize) -> Self {
        self.max_image_bytes = bytes;
        self
    }

    /// Sets how often one caller may send requests. The default is no limit.
    #[must_use]
    pub fn rate_limit(mut self, limit: Option<RateLimit>) -> Self {
        self.rate_limit = limit;
        self
    }

    /// Sets how many requests may be in flight: begun and not answered. The next one is refused at once. The default is 1,024.
    #[must_use]
    pub fn max_requests_in_flight(mut self, requests: usize) -> Self {
        self.admission_limits.requests = requests;
        self
    }

    /// Sets how many calls may wait for their answer to change (`Prefer: wait=N`). They hold a connection each, and are not in
    /// flight. The next one is answered at once. The default is 6,144.
    #[must_use]
    pub fn max_waiting(mut self, calls: usize) -> Self {
        self.max_waiting = calls;
        self
    }

    /// Sets how many bytes the bodies of all requests may have in memory together. The default is 256 MiB.
    ///
    /// It is never less than one body may have. A body that finds no memory waits for it, for 10 s.
    #[must_use]
    pub fn body_memory(mut self, bytes: usize) -> Self {
        self.admission_limits.body_bytes = bytes;
        self
    }

    /// Sets how many bytes large answers may have in memory together, until their clients have read them. The default is
    /// 128 MiB.
    ///
    /// It is never less than one answer may have. A request whose answer finds no memory waits for it, for 10 s.
    #[must_use]
    pub fn answer_memory(mut self, bytes: usize) -> Self {
        self.admission_limits.answer_bytes = bytes;
        self
    }

    /// Sets where requests are counted. Give the same to the bus, as an [observer](liveness_bus::BusBuilder::observer).
    #[must_use]
    pub fn metrics(mut self, metrics: Metrics) -> Self {
        self.metrics = metrics;
        self
    }

    /// Sets the clock. The default is the machine's.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Builds the API.
    pub fn build(self) -> LivenessApi {
        let max_command_bytes = max_command_bytes(self.max_image_bytes);
        LivenessApi(Arc::new(ApiState {
            bus: self.bus,
            verifier: self.verifier,
            users: self.users,
            trusted_proxies: self.trusted_proxies,
            forwarded_header: self.forwarded_header,
            rate_limiters: self.rate_limit.map(RateLimiters::new),
            max_command_bytes,
            admission: AdmissionControl::new(
                self.admission_limits,
                max_command_bytes,
                max_answer_bytes(self.max_image_bytes),
                self.metrics.clone(),
            ),
            waiting_room: WaitingRoom::new(self.max_waiting, self.metrics.clone()),
            metrics: self.metrics,
            clock: self.clock,
        }))
    }
}

/// How many bytes a command's body may have. Base64 takes 4/3 of the image's bytes. A line break after
/// each 76 characters takes four more, as `\r\n` in JSON. A twelfth more is for escaped characters: `\u002b` for each `+`
/// takes five more of 64. 128 KiB are for the other fields.
pub(crate) fn max_command_bytes(image_bytes: usize) -> usize {
    let base64 = image_bytes.div_ceil(3).saturating_mul(4);
    let (line_breaks, escapes) = (base64.div_ceil(76).saturating_mul(4), base64 / 12);
    [line_breaks, escapes, 128 * 1024]
        .into_iter()
        .fold(base64, usize::saturating_add)
}

/// How many bytes an answer may have: an image in Base64, and 128 KiB for everything else.
fn max_answer_bytes(image_bytes: usize) -> usize {
    let base64 = image_bytes.div_ceil(3).saturating_mul(4);
    base64.saturating_add(128 * 1024)
}
