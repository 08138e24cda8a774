//! Whether the process is alive, and whether it can serve: `docs/api.md#host-endpoints`.

mod shared_ping;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use actix_web::{HttpRequest, HttpResponse, web};
use liveness_bus::BusError;
use liveness_core::store::{Store, TrailKeeper};

use self::shared_ping::SharedPing;
use super::get_route::get_route;
use crate::request::envelope::Success;
use crate::request::failure::Failure;
use crate::request::request_id::request_id;

pub(super) const ALIVE: &str = "The process is alive.";
pub(super) const READY: &str = "Ready to serve.";

/// What readiness depends on. Cloning it is cheap.
#[derive(Debug, Clone)]
pub(crate) struct Health {
    store: Store,
    trail: Option<Arc<TrailKeeper>>,
    ping: SharedPing,
    is_stopping: Arc<AtomicBool>,
}

impl Health {
    pub(crate) fn new(store: Store) -> Self {
        Self {
            store,
            trail: None,
            ping: SharedPing::default(),
            is_stopping: Arc::default(),
        }
    }

    /// Depends on the audit trail too: where it was tampered with, nothing is served as if it were evidence.
    pub(crate) fn with_trail(self, keeper: Arc<TrailKeeper>) -> Self {
        Self {
            trail: Some(keeper),
            ..self
        }
    }

    /// Reports "not ready" from now on, so that a load balancer sends no new requests.
    pub(crate) fn begin_shutdown(&self) {
        self.is_stopping.store(true, Ordering::Relaxed);
    }

    async fn check(&self) -> Result<(), BusError> {
        if self.is_stopping.load(Ordering::Relaxed) {
            return Err(BusError::Unavailable("the server is shutting down".into()));
        }
        if self.trail.as_ref().is_some_and(|trail| trail.found() > 0) {
            return Err(BusError::Unavailable("the audit trail was tampered with".into()));
        }
        let store = self.store.clone();
        Ok(self.ping.result(async move { store.ping().await }).await?)
    }

    pub(crate) fn configure(&self, app: &mut web::ServiceConfig) {
        app.app_data(web::Data::new(self.clone()));
        get_route(app, "/health/live", live);
        get_route(app, "/health/ready", ready);
    }
}

async fn live(request: HttpRequest) -> HttpResponse {
    Success::without_data(ALIVE, &request_id(request.headers()))
}

async fn ready(request: HttpRequest, health: web::Data<Health>) -> HttpResponse {
    let request_id = request_id(request.headers());
    match health.check().await {
        Ok(()) => Success::without_data(READY, &request_id),
        Err(error) => Failure::Bus(error).answer(&request_id),
    }
}
