//! Files that are compiled into the binary, and the headers that they are served with.

use actix_web::http::StatusCode;
use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, CROSS_ORIGIN_OPENER_POLICY, CROSS_ORIGIN_RESOURCE_POLICY,
    LOCATION, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use actix_web::web::{Bytes, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};

use super::get_route::get_route;
use crate::request::request_id::{REQUEST_ID, request_id};

pub(super) const HTML: &str = "text/html; charset=utf-8";
pub(super) const SCRIPT: &str = "text/javascript; charset=utf-8";
pub(super) const STYLE: &str = "text/css; charset=utf-8";

/// The browser loads scripts, styles and data from this host only. Images may also come as data URIs.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
    form-action 'none'; base-uri 'none'; frame-ancestors 'none'";

/// Adds a file of this media type.
pub(super) fn serve_file(app: &mut ServiceConfig, path: &str, media_type: &'static str, content: Bytes) {
    let handler = move |request: HttpRequest| {
        let content = content.clone();
        async move {
            response(&request, StatusCode::OK)
                .insert_header((CONTENT_TYPE, media_type))
                .body(content)
        }
    };
    get_route(app, path, handler);
}

/// Redirects a path to a page.
///
/// A page names its files relative to itself, so it must have no slash at its end: `/docs/` leads to `/docs`.
pub(super) fn redirect(app: &mut ServiceConfig, path: &str, to: &'static str) {
    let handler = move |request: HttpRequest| async move {
        response(&request, StatusCode::PERMANENT_REDIRECT)
            .insert_header((LOCATION, to))
            .finish()
    };
    get_route(app, path, handler);
}

fn response(request: &HttpRequest, status: StatusCode) -> HttpResponseBuilder {
    let mut response = HttpResponse::build(status);
    response
        .insert_header((REQUEST_ID, request_id(request.headers()).as_str()))
        // The browser asks again each time: a page of one version must not run with scripts of another.
        .insert_header((CACHE_CONTROL, "no-cache"))
        .insert_header((CONTENT_SECURITY_POLICY, POLICY))
        .insert_header((CROSS_ORIGIN_OPENER_POLICY, "same-origin"))
        .insert_header((CROSS_ORIGIN_RESOURCE_POLICY, "same-origin"))
        .insert_header((REFERRER_POLICY, "no-referrer"))
        .insert_header((X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((X_FRAME_OPTIONS, "DENY"));
    response
}
