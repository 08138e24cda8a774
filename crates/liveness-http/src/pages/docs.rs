//! The OpenAPI document at `/openapi.json`, and Swagger UI at `/docs`, which shows it: `docs/api.md#the-document`.
//!
//! `build.rs` unpacks Swagger UI, so that all of it is compiled into the binary.

use actix_web::web::{Bytes, ServiceConfig};
use liveness_bus::Bus;

use super::openapi::{Endpoints, document};
use super::static_files::{File, JSON, Policy, SCRIPT, STYLE, serve_file, serve_page};

macro_rules! swagger_ui {
    ($name:literal) => {
        include_str!(concat!(env!("OUT_DIR"), "/", $name))
    };
}

const PAGE: &str = include_str!("../../assets/docs/index.html");

/// Paths, media types and contents.
const FILES: [(&str, &str, &str); 3] = [
    ("/docs/main.js", SCRIPT, include_str!("../../assets/docs/main.js")),
    ("/docs/swagger-ui.css", STYLE, swagger_ui!("swagger-ui.css")),
    (
        "/docs/swagger-ui-bundle.js",
        SCRIPT,
        swagger_ui!("swagger-ui-bundle.js"),
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
        let document = ("/openapi.json", JSON, self.0.clone());
        let files = FILES.map(|(path, media_type, content)| (path, media_type, Bytes::from_static(content.as_bytes())));
        for (path, media_type, content) in files.into_iter().chain([document]) {
            let file = File {
                path,
                media_type,
                content,
            };
            serve_file(app, file, &Policy::default());
        }
        serve_page(app, "/docs", Bytes::from_static(PAGE.as_bytes()), &Policy::default());
    }
}
