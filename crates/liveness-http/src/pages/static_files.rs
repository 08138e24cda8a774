//! What is only looked at: pages, and the files of pages, which are in the binary.

use actix_web::http::StatusCode;
use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, CROSS_ORIGIN_OPENER_POLICY, CROSS_ORIGIN_RESOURCE_POLICY,
    LOCATION, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use actix_web::web::{self, Bytes, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};

use crate::request::dispatch::{method_not_allowed, request_id};
use crate::request::envelope::REQUEST_ID;

pub(crate) const HTML: &str = "text/html; charset=utf-8";
pub(crate) const SCRIPT: &str = "text/javascript; charset=utf-8";
pub(crate) const STYLE: &str = "text/css; charset=utf-8";

/// Nothing that is not in a file of ours runs, looks, or is asked; images come as data URIs.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
    form-action 'none'; base-uri 'none'; frame-ancestors 'none'";

/// A path that takes GET and HEAD only.
pub(crate) fn page(path: &str) -> actix_web::Resource {
    web::resource(path).default_service(web::to(|request| method_not_allowed(request, "GET, HEAD")))
}

/// Adds a file of that media type.
pub(crate) fn file(app: &mut ServiceConfig, path: &str, media_type: &'static str, content: Bytes) {
    let answer = move |request: HttpRequest| {
        let content = content.clone();
        async move {
            head(&request, StatusCode::OK)
                .insert_header((CONTENT_TYPE, media_type))
                .body(content)
        }
    };
    app.service(
        page(path)
            .route(web::get().to(answer.clone()))
            .route(web::head().to(answer)),
    );
}

/// Leads from a path with a slash at its end to a page, which names its files relative to itself and has none.
pub(crate) fn without_slash(app: &mut ServiceConfig, path: &str, to: &'static str) {
    let answer = move |request: HttpRequest| async move {
        head(&request, StatusCode::PERMANENT_REDIRECT)
            .insert_header((LOCATION, to))
            .finish()
    };
    app.service(page(path).route(web::get().to(answer)).route(web::head().to(answer)));
}

fn head(request: &HttpRequest, status: StatusCode) -> HttpResponseBuilder {
    let mut head = HttpResponse::build(status);
    head.insert_header((REQUEST_ID, request_id(request.headers()).as_str()))
        // Asked for anew each time: a page of one version must not run with scripts of another.
        .insert_header((CACHE_CONTROL, "no-cache"))
        .insert_header((CONTENT_SECURITY_POLICY, POLICY))
        .insert_header((CROSS_ORIGIN_OPENER_POLICY, "same-origin"))
        .insert_header((CROSS_ORIGIN_RESOURCE_POLICY, "same-origin"))
        .insert_header((REFERRER_POLICY, "no-referrer"))
        .insert_header((X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((X_FRAME_OPTIONS, "DENY"));
    head
}
