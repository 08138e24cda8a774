//! The endpoints of the standalone host that are not messages.

use liveness_bus::BusError;
use serde_json::{Map, Value, json};

use super::responses::{request_id_header, response};
use crate::pages::health::{ALIVE, READY};
use crate::pages::{privacy, receipt_keys};
use crate::request::failure::Failure;

pub(super) fn paths() -> Map<String, Value> {
    let without_envelope = |media_type: &str, schema: Value| {
        json!({
            "description": "Done.",
            "headers": { "X-Request-Id": request_id_header() },
            "content": { media_type: { "schema": schema } },
        })
    };
    let ready = [Failure::Bus(BusError::Unavailable("told to the log only".into()))];
    let paths = [
        (
            "/health/live",
            "isAlive",
            "Whether the process runs",
            json!({ "200": envelope_without_data(ALIVE) }),
        ),
        (
            "/health/ready",
            "isReady",
            "Whether messages can be served",
            json!({ "200": envelope_without_data(READY), "503": response(&ready) }),
        ),
        (
            "/metrics",
            "metrics",
            "What Prometheus asks for",
            json!({ "200": without_envelope("text/plain", json!({ "type": "string" })) }),
        ),
        (
            receipt_keys::PATH,
            "receiptKeys",
            "The public key that verifies receipts",
            json!({ "200": without_envelope(receipt_keys::MEDIA_TYPE, json!({ "type": "object" })) }),
        ),
        (
            privacy::PATH,
            "privacy",
            "What is kept of a person, why and for how long, as a page for people",
            json!({ "200": without_envelope(privacy::MEDIA_TYPE, json!({ "type": "string" })) }),
        ),
        (
            "/openapi.json",
            "openapi",
            "This document",
            json!({ "200": without_envelope("application/json", json!({ "type": "object" })) }),
        ),
    ];
    let paths = paths.map(|(path, id, summary, mut responses)| {
        responses["405"] = response(&[Failure::Method("GET, HEAD")]);
        let operation =
            json!({ "operationId": id, "summary": summary, "tags": ["host"], "security": [], "responses": responses });
        (path.to_owned(), json!({ "get": operation }))
    });
    paths.into_iter().collect()
}

/// The response of a health page.
fn envelope_without_data(message: &str) -> Value {
    json!({
        "description": message,
        "headers": { "X-Request-Id": request_id_header() },
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "properties": {
                        "isSuccessful": { "type": "boolean", "const": true },
                        "statusCode": { "type": "string", "const": "00" },
                        "message": { "type": "string", "const": message },
                        "data": { "type": "null" },
                    },
                    "required": ["isSuccessful", "statusCode", "message", "data"],
                },
            },
        },
    })
}
