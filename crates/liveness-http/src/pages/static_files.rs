//! Files that are compiled into the binary, and the headers that they are served with.

use std::future::{Ready, ready};

use actix_web::http::StatusCode;
use actix_web::http::header::{
    ACCEPT_ENCODING, AcceptEncoding, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE,
    CROSS_ORIGIN_OPENER_POLICY, CROSS_ORIGIN_RESOURCE_POLICY, Encoding, Header as _, LOCATION, REFERRER_POLICY, VARY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
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
    pub(super) content: Content,
}

/// What is in a file.
#[derive(Clone)]
pub(super) struct Content {
    plain: Bytes,
    gzip: Option<Bytes>,
}

impl Content {
    /// A file as `build.rs` has written it, and the same compressed.
    pub(super) const fn compressed(plain: &'static [u8], gzip: &'static [u8]) -> Self {
        Self {
            plain: Bytes::from_static(plain),
            gzip: Some(Bytes::from_static(gzip)),
        }
    }

    /// A file that was made at the start.
    pub(super) fn plain(content: impl Into<Bytes>) -> Self {
        Self {
            plain: content.into(),
            gzip: None,
        }
    }
}

/// A file that `build.rs` has written below a folder.
macro_rules! compiled_in {
    ($folder:literal, $name:expr) => {
        $crate::pages::static_files::Content::compressed(
            include_bytes!(concat!(env!("OUT_DIR"), "/", $folder, "/", $name)),
            include_bytes!(concat!(env!("OUT_DIR"), "/", $folder, "/", $name, ".gz")),
        )
    };
}

pub(super) use compiled_in;

/// A Content-Security-Policy. The browser loads scripts and styles from this host only. Images may also come as data URIs.
#[derive(Clone)]
pub(super) struct Policy(String);

impl Policy {
    /// Scripts may also talk to this origin.
    pub(super) fn talking_to(origin: &str) -> Self {
        Self::connecting_to(&format!("'self' {origin}"))
    }

    /// No scripts, no images, and no requests.
    pub(super) fn without_scripts() -> Self {
        Self(
            "default-src 'none'; style-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
                .to_owned(),
        )
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
pub(super) fn serve_page(app: &mut ServiceConfig, path: &'static str, content: Content, policy: &Policy) {
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
    content: Content,
    policy: &Policy,
) -> impl Fn(HttpRequest) -> Ready<HttpResponse> + Clone + use<> {
    let policy = policy.clone();
    move |request| {
        let mut response = response(&request, StatusCode::OK, &policy);
        response.insert_header((CONTENT_TYPE, media_type));
        let Some(gzip) = &content.gzip else {
            return ready(response.body(content.plain.clone()));
        };
        response.insert_header((VARY, ACCEPT_ENCODING.as_str()));
        ready(if takes_gzip(&request) {
            response.insert_header((CONTENT_ENCODING, "gzip")).body(gzip.clone())
        } else {
            response.body(content.plain.clone())
        })
    }
}

/// Whether the client says that it takes gzip, and does not like the plain file better (RFC 9110, 12.5.3).
fn takes_gzip(request: &HttpRequest) -> bool {
    // Without the header, actix-web would choose gzip.
    request.headers().contains_key(ACCEPT_ENCODING)
        && AcceptEncoding::parse(request).is_ok_and(|accepted| {
            let offered = [Encoding::gzip(), Encoding::identity()];
            accepted.negotiate(offered.iter()) == Some(Encoding::gzip())
        })
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
