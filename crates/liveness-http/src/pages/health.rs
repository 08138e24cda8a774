//! Whether the process lives, and whether it can serve: `docs/api.md#host-endpoints`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use actix_web::{HttpRequest, HttpResponse, web};
use liveness_bus::BusError;
use liveness_core::store::Store;

use crate::pages::static_files::page;
use crate::request::dispatch::request_id;
use crate::request::envelope::{Failure, Success};

pub(crate) const ALIVE: &str = "The process is alive.";
pub(crate) const READY: &str = "Ready to serve.";

/// What readiness depends on. Cloning it is cheap.
#[derive(Debug, Clone)]
pub(crate) struct Health {
    store: Store,
    is_stopping: Arc<AtomicBool>,
}

impl Health {
    pub(crate) fn of(store: Store) -> Self {
        Self {
            store,
            is_stopping: Arc::default(),
        }
    }

    /// From now on the process is not ready: a load balancer sends it nothing new.
    pub(crate) fn stopping(&self) {
        self.is_stopping.store(true, Ordering::Relaxed);
    }

    async fn check(&self) -> Result<(), BusError> {
        if self.is_stopping.load(Ordering::Relaxed) {
            return Err(BusError::Unavailable("the server is shutting down".into()));
        }
        Ok(self.store.ping().await?)
    }

    pub(crate) fn configure(&self, app: &mut web::ServiceConfig) {
        app.app_data(web::Data::new(self.clone()))
            .service(
                page("/health/live")
                    .route(web::get().to(live))
                    .route(web::head().to(live)),
            )
            .service(
                page("/health/ready")
                    .route(web::get().to(ready))
                    .route(web::head().to(ready)),
            );
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
