//! The OpenAPI 3.1 document of the messages on a bus, made from their declarations and from the failures of the host.
//!
//! Its statuses, codes, sentences and headers come from `request/failure.rs`, by the same functions that answer a request.
//! `docs.rs` serves the document.

mod host_endpoints;
mod responses;
mod schemas;

use liveness_bus::{Access, Answer, Bus, Description, Example, Kind, Meta};
use serde_json::{Map, Value, json};

use self::responses::responses;
use self::schemas::Schemas;
use crate::request::LONGEST_WAIT;

/// What [`document`] describes besides the messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Endpoints {
    /// Nothing, for an embedding backend, which has its own endpoints.
    Messages,
    /// The endpoints of the standalone host.
    Host,
}

const INTRODUCTION: &str = "Records the outcome of a phone's liveness challenge per user, tells the app whether the user has \
    passed, and shows an administrator the evidence.\n\nEvery answer is the same envelope. Programs decide by the HTTP status \
    and `statusCode`, which say the same; `message` is for people.\n\nIn a request, names match without regard to case, and a \
    known name is given once. Unknown fields are ignored. `null` is the same as absent, and so is an empty text in an optional \
    field for a text or a time. An integer is any number without a remainder, such as `4200.0`. No string may hold a control \
    character but tab, line feed and carriage return. Half of a surrogate pair (`\\ud83d` alone) is an error in a known field, and U+FFFD in any \
    other. A body that is empty, white space or `null` is `{}`, and one byte order mark in front is skipped.";

/// What the document says of the transport of the standalone host.
const TRANSPORT: &str = "\n\nSlashes that follow each other in a path count as one, and slashes at its end as none. `Expect: \
    100-continue` is answered with `100 Continue` once the head is found good: path, method, token, role, type and length. \
    Where the operator has named the origin of a page (`LIVENESS_CORS_ORIGINS`), a preflight (`OPTIONS`) of any path is 204 \
    without a token, and every answer, an error too, has `Access-Control-Allow-Origin`, \
    `Access-Control-Expose-Headers: x-request-id, retry-after, preference-applied` and `Vary: Origin`.";

/// Makes the document.
///
/// A message without a [`Message::description`](liveness_bus::Message::description) is described by its name, its access and
/// the failures that are common to all messages. Its body and its reply are any JSON.
pub fn document(bus: &Bus, endpoints: Endpoints) -> Value {
    let mut schemas = Schemas::new();
    let mut paths = Map::new();
    for meta in bus.messages() {
        let operation = operation(&meta, bus.description(meta.name()), &mut schemas);
        let path = format!("/api/BPMSelfService/commands/{}", meta.name());
        paths.insert(path, json!({ "post": operation }));
    }
    if endpoints == Endpoints::Host {
        paths.extend(host_endpoints::paths());
    }
    let transport = if endpoints == Endpoints::Host { TRANSPORT } else { "" };
    let components = schemas.into_components(&mut paths);
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "liveness",
            "version": env!("CARGO_PKG_VERSION"),
            "description": format!("{INTRODUCTION}{transport}"),
            "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
        },
        "servers": [{ "url": "/" }],
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "JWT",
                    "description": "A JWT with `exp`; the role claim holds `admin`, `customer` or both, and a token without one \
                        is a customer's.",
                },
            },
        },
    })
}

fn operation(meta: &Meta, description: Option<Description>, schemas: &mut Schemas) -> Value {
    // A test checks our examples. Wrong ones of an embedding backend are left out.
    let examples = description
        .as_ref()
        .and_then(|description| description.examples().ok())
        .unwrap_or_default();
    let (body, data) = match &description {
        Some(description) => (schemas.request(description), schemas.reply(description)),
        None => (json!({ "type": "object" }), json!({})),
    };
    let about = schemas.description(&body).unwrap_or_else(|| meta.name().to_owned());
    let summary = about
        .split_inclusive(['.', ';'])
        .next()
        .unwrap_or(&about)
        .trim_end_matches(['.', ';']);
    let access = meta.access();
    let security = if access == Access::Public {
        json!([{}, { "token": [] }])
    } else {
        json!([{ "token": [] }])
    };
    let mut responses = responses(meta, description.map(Description::into_refusals).unwrap_or_default());
    responses.insert("200".to_owned(), success(meta, data, &examples));
    responses.sort_keys();
    json!({
        "operationId": meta.name(),
        "summary": summary,
        "description": format!("{about}\n\nWho may send it: {}.", access.describe()),
        "tags": [tag(access)],
        "security": security,
        "parameters": parameters(meta),
        "requestBody": request_body(body, &examples, schemas),
        "responses": responses,
    })
}

/// Groups the messages by who may send them.
fn tag(access: Access) -> &'static str {
    match access {
        Access::Public => "anybody",
        Access::Authenticated => "anybody with a token",
        Access::Role(role) | Access::UserWithRole(role) => role,
    }
}

/// An empty body means `{}`. So a body is optional when none of its fields is required.
fn request_body(schema: Value, examples: &[Example], schemas: &Schemas) -> Value {
    let examples = numbered(examples, |example| example.request.clone());
    json!({
        "description": "JSON in UTF-8. `text/json` and `application/*+json` are names of it too. A charset parameter may name \
            UTF-8 or US-ASCII; a `Content-Encoding` that compresses is refused.",
        "required": schemas.is_anything_required(&schema),
        "content": { "application/json": { "schema": schema, "examples": examples } },
    })
}

fn success(meta: &Meta, data: Value, examples: &[Example]) -> Value {
    let mut headers = Map::from_iter([("X-Request-Id".to_owned(), responses::request_id_header())]);
    if meta.waits() {
        headers.insert("Preference-Applied".to_owned(), responses::preference_applied_header());
    }
    json!({
        "description": "Done.",
        "headers": headers,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "properties": {
                        "isSuccessful": { "type": "boolean", "const": true },
                        "statusCode": { "type": "string", "const": "00" },
                        "message": { "type": "string", "description": "For a person." },
                        "data": data,
                    },
                    "required": ["isSuccessful", "statusCode", "data"],
                },
                "examples": numbered(examples, |example| envelope(&example.answer)),
            },
        },
    })
}

/// The envelope of a success, as `request/envelope.rs` writes it.
fn envelope(Answer { message, data }: &Answer) -> Value {
    let mut envelope = json!({ "isSuccessful": true, "statusCode": "00" });
    if let Some(message) = message {
        envelope["message"] = json!(message);
    }
    envelope["data"] = data.clone();
    envelope
}

fn numbered(examples: &[Example], value: impl Fn(&Example) -> Value) -> Map<String, Value> {
    let numbered = examples.iter().zip(1..);
    numbered
        .map(|(example, number)| {
            (
                number.to_string(),
                json!({ "summary": example.title, "value": value(example) }),
            )
        })
        .collect()
}

fn parameters(meta: &Meta) -> Value {
    let header = |name, description: &str, schema| json!({ "name": name, "in": "header", "description": description, "schema": schema });
    let mut parameters = vec![header(
        "X-Request-Id",
        "The id of the request in the answer, the log and the audit entry: 1 to 64 of `A-Za-z0-9._-`. Where it is absent or \
         does not fit, one is made.",
        json!({ "type": "string" }),
    )];
    if meta.waits() {
        let about = format!(
            "`wait=N` (RFC 7240): the answer comes once it changes from what it is at first, or when N seconds are over. N is \
             {LONGEST_WAIT} at most. Other preferences, and a wait that is not well formed, are ignored."
        );
        parameters.push(header("Prefer", &about, json!({ "type": "string" })));
    }
    if meta.kind() == Kind::Command {
        let text = json!({ "type": "string" });
        parameters.extend([
            header(
                "Idempotency-Key",
                "Of a command that records: under the same key, the same body is done once, and its first answer is given again: \
                 so a call whose answer was lost may be repeated. Another body under it is 409. Other commands take no notice of it.",
                json!({ "type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$" }),
            ),
            header("X-Device-Platform", "Recorded, at most 512 characters of it.", text.clone()),
            header("X-App-Version", "Recorded, at most 512 characters of it.", text),
        ]);
    }
    parameters.into()
}
