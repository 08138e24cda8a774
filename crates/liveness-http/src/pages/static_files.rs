//! Files that are compiled into the binary, and the headers that they are served with.

use std::future::{Ready, ready};

use actix_web::http::StatusCode;
use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, CROSS_ORIGIN_OPENER_POLICY, CROSS_ORIGIN_RESOURCE_POLICY,
    LOCATION, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use actix_web::web::{Bytes, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};

use super::get_route::{get_pattern, get_route};
use crate::request::path::{more_slashes, slashes_at_the_end};
use crate::request::request_id::{REQUEST_ID, request_id};

const HTML: &str = "text/html; charset=utf-8";
pub(super) const SCRIPT: &str = "text/javascript; charset=utf-8";
pub(super) const STYLE: &str = "text/css; charset=utf-8";
pub(super) const JSON: &str = "application/json";

/// A file by its path.
pub(super) struct File {
    pub(super) path: &'static str,
    pub(super) media_type: &'static str,
    pub(super) content: Bytes,
}

/// A Content-Security-Policy. The browser loads scripts and styles from this host only. Images may also come as data URIs.
#[derive(Clone)]
pub(super) struct Policy(String);

impl Policy {
    /// Scripts may also talk to this origin.
    pub(super) fn talking_to(origin: &str) -> Self {
        Self::connecting_to(&format!("'self' {origin}"))
    }

    fn connecting_to(sources: &str) -> Self {
        Self(format!(
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src {sources}; \
             form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
        ))
    }
}

/// Scripts may talk to this host only.
impl Default for Policy {
    fn default() -> Self {
        Self::connecting_to("'self'")
    }
}

/// Adds a file.
pub(super) fn serve_file(app: &mut ServiceConfig, file: File, policy: &Policy) {
    get_route(app, file.path, serve(file.media_type, file.content, policy));
}

/// Adds a page, which names its files relative to itself. So it must have no slash at its end: `/docs/` leads to `/docs`.
pub(super) fn serve_page(app: &mut ServiceConfig, path: &'static str, content: Bytes, policy: &Policy) {
    get_pattern(app, &more_slashes(path), serve(HTML, content, policy));
    get_pattern(app, &slashes_at_the_end(path), move |request: HttpRequest| async move {
        response(&request, StatusCode::PERMANENT_REDIRECT, &Policy::default())
            .insert_header((LOCATION, without_slashes(request.path(), path)))
            .finish()
    });
}

/// The page, relative to its path with slashes at the end. Each of them is one level down from the page.
fn without_slashes(sent: &str, path: &str) -> String {
    let slashes = sent.len() - sent.trim_end_matches('/').len();
    "../".repeat(slashes) + path.trim_start_matches('/')
}

/// The handler that answers with a file.
fn serve(
    media_type: &'static str,
    content: Bytes,
    policy: &Policy,
) -> impl Fn(HttpRequest) -> Ready<HttpResponse> + Clone + use<> {
    let policy = policy.clone();
    move |request| {
        let mut response = response(&request, StatusCode::OK, &policy);
        ready(response.insert_header((CONTENT_TYPE, media_type)).body(content.clone()))
    }
}

fn response(request: &HttpRequest, status: StatusCode, policy: &Policy) -> HttpResponseBuilder {
    let mut response = HttpResponse::build(status);
    response
        .insert_header((REQUEST_ID, request_id(request.headers()).as_str()))
        // The browser asks again each time: a page of one version must not run with scripts of another.
        .insert_header((CACHE_CONTROL, "no-cache"))
        .insert_header((CONTENT_SECURITY_POLICY, policy.0.as_str()))
        .insert_header((CROSS_ORIGIN_OPENER_POLICY, "same-origin"))
        .insert_header((CROSS_ORIGIN_RESOURCE_POLICY, "same-origin"))
        .insert_header((REFERRER_POLICY, "no-referrer"))
        .insert_header((X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((X_FRAME_OPTIONS, "DENY"));
    response
}
