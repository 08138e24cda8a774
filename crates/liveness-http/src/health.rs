//! Whether the process lives, and whether it can serve: `docs/api.md#host-endpoints`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use actix_web::{HttpRequest, HttpResponse, web};
use liveness_bus::BusError;
use liveness_core::store::Store;

use crate::dispatch::{method_not_allowed, request_id};
use crate::envelope::{Failure, Success};

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

/// What is only looked at.
pub(crate) fn page(path: &str) -> actix_web::Resource {
    web::resource(path).default_service(web::to(|request| method_not_allowed(request, "GET, HEAD")))
}

async fn live(request: HttpRequest) -> HttpResponse {
    Success::without_data("The process is alive.", &request_id(request.headers()))
}

async fn ready(request: HttpRequest, health: web::Data<Health>) -> HttpResponse {
    let request_id = request_id(request.headers());
    match health.check().await {
        Ok(()) => Success::without_data("Ready to serve.", &request_id),
        Err(error) => Failure::Bus(error).answer(&request_id),
    }
}
