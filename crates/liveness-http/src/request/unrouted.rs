//! Requests for a path or a method that does not exist.

use actix_web::{HttpRequest, HttpResponse, web};

use super::failure::Failure;
use super::request_id::request_id;
use crate::metrics::Metrics;

/// Answers a request whose method the path does not take. `allowed` are the methods that it takes.
pub(crate) async fn method_not_allowed(request: HttpRequest, allowed: &'static str) -> HttpResponse {
    refuse(&request, &Failure::Method(allowed))
}

/// Answers a request for a path that does not exist.
pub(crate) async fn not_found(request: HttpRequest) -> HttpResponse {
    refuse(&request, &Failure::NoRoute)
}

fn refuse(request: &HttpRequest, failure: &Failure) -> HttpResponse {
    // An embedding application may have no metrics.
    if let Some(metrics) = request.app_data::<web::Data<Metrics>>() {
        metrics.count_unrouted(failure.code());
    }
    failure.answer(&request_id(request.headers()))
}
