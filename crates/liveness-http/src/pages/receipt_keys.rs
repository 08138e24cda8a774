//! The public key that verifies receipts, at `/.well-known/jwks.json`: `docs/api.md#getreceiptquery`.

use std::future::ready;

use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use actix_web::web::{Bytes, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use liveness_core::trail::{Jwk, JwkSet, TrailVerifier};
use serde_json::json;

use super::get_route::get_route;
use crate::request::request_id::{REQUEST_ID, request_id};

pub(crate) const PATH: &str = "/.well-known/jwks.json";
/// RFC 7517, section 8.5.2.
pub(crate) const MEDIA_TYPE: &str = "application/jwk-set+json";
/// A key that is replaced is known everywhere within an hour.
const KEPT: &str = "public, max-age=3600";

/// The document, made once. Cloning it is cheap.
#[derive(Debug, Clone)]
pub(crate) struct ReceiptKeys(Bytes);

impl ReceiptKeys {
    pub(crate) fn new(verifier: &TrailVerifier) -> Self {
        let keys = JwkSet {
            keys: vec![Jwk::from(verifier)],
        };
        Self(json!(keys).to_string().into())
    }

    pub(crate) fn configure(&self, app: &mut ServiceConfig) {
        let keys = self.0.clone();
        get_route(app, PATH, move |request: HttpRequest| {
            ready(
                HttpResponse::Ok()
                    .insert_header((CONTENT_TYPE, MEDIA_TYPE))
                    .insert_header((CACHE_CONTROL, KEPT))
                    .insert_header((X_CONTENT_TYPE_OPTIONS, "nosniff"))
                    .insert_header((REQUEST_ID, request_id(request.headers()).as_str()))
                    .body(keys.clone()),
            )
        });
    }
}
