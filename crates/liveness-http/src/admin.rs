//! The review page at `/admin`: files in the binary, for the browser of whoever must look at faces.
//!
//! It holds nobody's data and needs no token: it asks the commands' route, with the token that the reviewer pastes. What
//! it looks like is in `assets/admin`, in files that are served as they stand there.

use actix_web::http::StatusCode;
use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, CROSS_ORIGIN_OPENER_POLICY, CROSS_ORIGIN_RESOURCE_POLICY,
    LOCATION, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder, web};

use crate::dispatch::request_id;
use crate::envelope::REQUEST_ID;
use crate::health::page;

/// Nothing that is not in a file of ours runs, looks, or is asked; faces come as data URIs.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
    form-action 'none'; base-uri 'none'; frame-ancestors 'none'";

/// A path, its media type and its content.
type File = (&'static str, &'static str, &'static str);

macro_rules! file {
    ($name:literal, $media_type:expr) => {
        (
            concat!("/admin/", $name),
            $media_type,
            include_str!(concat!("../assets/admin/", $name)),
        )
    };
}

const HTML: &str = "text/html; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const FILES: [File; 12] = [
    ("/admin", HTML, include_str!("../assets/admin/index.html")),
    file!("style.css", "text/css; charset=utf-8"),
    file!("icon.svg", "image/svg+xml"),
    file!("main.js", SCRIPT),
    file!("api.js", SCRIPT),
    file!("elements.js", SCRIPT),
    file!("list.js", SCRIPT),
    file!("loading.js", SCRIPT),
    file!("place.js", SCRIPT),
    file!("record.js", SCRIPT),
    file!("sign_in.js", SCRIPT),
    file!("wording.js", SCRIPT),
];

/// Adds the review page to an actix application, beside a [`LivenessApi`](crate::LivenessApi) and under the same scope:
/// `App::new().configure(|app| api.configure(app)).configure(admin::configure)`.
///
/// The page asks `api/BPMSelfService/commands/…`, relative to where it stands itself.
pub fn configure(app: &mut web::ServiceConfig) {
    for (path, media_type, content) in FILES {
        let answer = move |request: HttpRequest| async move {
            head(&request, StatusCode::OK)
                .insert_header((CONTENT_TYPE, media_type))
                .body(content)
        };
        app.service(page(path).route(web::get().to(answer)).route(web::head().to(answer)));
    }
    // The page names its files relative to itself, and has no slash at its end.
    let to_page = |request: HttpRequest| async move {
        head(&request, StatusCode::PERMANENT_REDIRECT)
            .insert_header((LOCATION, "../admin"))
            .finish()
    };
    app.service(
        page("/admin/")
            .route(web::get().to(to_page))
            .route(web::head().to(to_page)),
    );
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
