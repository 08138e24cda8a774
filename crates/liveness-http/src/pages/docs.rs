//! The API's document at `/openapi.json`, and a page that shows it at `/docs`: `docs/api.md#the-document`.
//!
//! The page is Swagger UI, which `build.rs` unpacks, so that all of it is in the binary.

use actix_web::web::{Bytes, ServiceConfig};
use liveness_bus::Bus;

use crate::pages::openapi::{Endpoints, document};
use crate::pages::static_files::{HTML, SCRIPT, STYLE, file, without_slash};

macro_rules! swagger_ui {
    ($name:literal) => {
        include_str!(concat!(env!("OUT_DIR"), "/", $name))
    };
}

/// Paths, media types and contents.
const FILES: [(&str, &str, &str); 4] = [
    ("/docs", HTML, include_str!("../../assets/docs/index.html")),
    ("/docs/main.js", SCRIPT, include_str!("../../assets/docs/main.js")),
    ("/docs/swagger-ui.css", STYLE, swagger_ui!("swagger-ui.css")),
    (
        "/docs/swagger-ui-bundle.js",
        SCRIPT,
        swagger_ui!("swagger-ui-bundle.js"),
    ),
];

/// The document, made once. Cloning it is cheap.
#[derive(Debug, Clone)]
pub(crate) struct Docs(Bytes);

impl Docs {
    pub(crate) fn of(bus: &Bus) -> Self {
        Self(document(bus, Endpoints::Host).to_string().into())
    }

    pub(crate) fn configure(&self, app: &mut ServiceConfig) {
        file(app, "/openapi.json", "application/json", self.0.clone());
        for (path, media_type, content) in FILES {
            file(app, path, media_type, Bytes::from_static(content.as_bytes()));
        }
        without_slash(app, "/docs/", "../docs");
    }
}
