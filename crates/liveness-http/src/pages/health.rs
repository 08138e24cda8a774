//! Whether the process is alive, and whether it can serve: `docs/api.md#host-endpoints`.

mod shared_ping;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use actix_web::{HttpRequest, HttpResponse, web};
use liveness_bus::BusError;
use liveness_core::store::Store;

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
    ping: SharedPing,
    is_stopping: Arc<AtomicBool>,
}

impl Health {
    pub(crate) fn new(store: Store) -> Self {
        Self {
            store,
            ping: SharedPing::default(),
            is_stopping: Arc::default(),
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
