//! The OpenAPI document at `/openapi.json`, and Swagger UI at `/docs`, which shows it: `docs/api.md#the-document`.
//!
//! `build.rs` unpacks Swagger UI, so that all of it is compiled into the binary.

use actix_web::web::{Bytes, ServiceConfig};
use liveness_bus::Bus;

use super::openapi::{Endpoints, document};
use super::static_files::{Content, File, JSON, Policy, SCRIPT, STYLE, compiled_in, serve_file, serve_page};

/// Paths, media types and contents.
const FILES: [(&str, &str, Content); 3] = [
    ("/docs/main.js", SCRIPT, compiled_in!("docs", "main.js")),
    ("/docs/swagger-ui.css", STYLE, compiled_in!("docs", "swagger-ui.css")),
    (
        "/docs/swagger-ui-bundle.js",
        SCRIPT,
        compiled_in!("docs", "swagger-ui-bundle.js"),
    ),
];

/// The serialized document, made once. Cloning it is cheap.
#[derive(Debug, Clone)]
pub(crate) struct Docs(Bytes);

impl Docs {
    pub(crate) fn new(bus: &Bus) -> Self {
        Self(document(bus, Endpoints::Host).to_string().into())
    }

    pub(crate) fn configure(&self, app: &mut ServiceConfig) {
        let document = ("/openapi.json", JSON, Content::plain(self.0.clone()));
        for (path, media_type, content) in FILES.into_iter().chain([document]) {
            let file = File {
                path,
                media_type,
                content,
            };
            serve_file(app, file, &Policy::default());
        }
        serve_page(app, "/docs", compiled_in!("docs", "index.html"), &Policy::default());
    }
}
