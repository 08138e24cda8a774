//! `GET /metrics`, which Prometheus scrapes: `docs/operations.md#metrics`.

use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use actix_web::{HttpRequest, HttpResponse, web};
use liveness_bus::BusError;
use prometheus_client::encoding::prometheus_text;

use super::get_route::get_route;
use crate::metrics::Metrics;
use crate::request::failure::Failure;
use crate::request::request_id::{REQUEST_ID, request_id};

impl Metrics {
    /// Adds `GET /metrics` to an actix application. It asks for no token and shows no personal data.
    pub fn configure(&self, app: &mut web::ServiceConfig) {
        app.app_data(web::Data::new(self.clone()));
        get_route(app, "/metrics", metrics);
    }
}

async fn metrics(request: HttpRequest, metrics: web::Data<Metrics>) -> HttpResponse {
    let request_id = request_id(request.headers());
    match metrics.to_prometheus_text() {
        Ok(text) => HttpResponse::Ok()
            .insert_header((CONTENT_TYPE, prometheus_text::CONTENT_TYPE))
            .insert_header((CACHE_CONTROL, "no-store"))
            .insert_header((X_CONTENT_TYPE_OPTIONS, "nosniff"))
            .insert_header((REQUEST_ID, request_id.as_str()))
            .body(text),
        Err(error) => Failure::Bus(BusError::Internal(error.into())).answer(&request_id),
    }
}
