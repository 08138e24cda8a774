//! The responses of a message that fails. Each failure says for itself what its status, code, sentence and header are.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use liveness_bus::{Access, BusError, FieldError, Kind, Meta, Principal, RequestId};
use serde_json::{Map, Value, json};

use crate::request::body::REFUSALS;
use crate::request::failure::{Failure, HEAD_TOO_LARGE};
use crate::token::TokenFlaw;

/// The failures of a message, by status: those common to all messages, and its own.
pub(super) fn responses(meta: &Meta, own: Vec<BusError>) -> Map<String, Value> {
    let mut by_status: BTreeMap<u16, Vec<Failure>> = BTreeMap::new();
    let common = access_failures(meta.access())
        .into_iter()
        .chain(common_failures(meta.kind()));
    for failure in common.chain(own.into_iter().map(Failure::Bus)) {
        by_status.entry(failure.status().as_u16()).or_default().push(failure);
    }
    // The one status that is not ours but actix-http's.
    by_status.insert(431, vec![Failure::Bus(HEAD_TOO_LARGE)]);
    let responses = by_status.into_iter();
    responses
        .map(|(status, failures)| (status.to_string(), response(&failures)))
        .collect()
}

/// The failures of a caller who may not send the message.
fn access_failures(access: Access) -> Vec<Failure> {
    let mut failures = vec![Failure::InvalidToken(TokenFlaw::Signature)];
    if access != Access::Public {
        failures.push(Failure::NoToken);
    }
    // The bus itself says what it tells a principal without the role, and one without a user.
    let mut stranger = Principal::new("stranger");
    failures.extend(access.check(&stranger).err().map(Failure::Bus));
    if let Access::UserWithRole(role) = access {
        stranger = stranger.with_role(role);
        failures.extend(access.check(&stranger).err().map(Failure::Bus));
    }
    failures
}

/// The failures that are common to all messages.
fn common_failures(kind: Kind) -> Vec<Failure> {
    let cause = || "told to the log only".into();
    let field = FieldError::new("metadata.lightingValue", "range", "must be 0 to 1");
    let mut errors = vec![
        BusError::Malformed("the body must be a JSON object".into()),
        BusError::Invalid(vec![field]),
        BusError::TooSlow,
        BusError::TooLarge("the body has more bytes than allowed".into()),
        BusError::TooMany {
            retry_after: Duration::ZERO,
        },
        BusError::Internal(cause()),
        BusError::Unavailable(cause()),
    ];
    if kind == Kind::Command {
        errors.push(BusError::OutcomeUnknown(cause()));
    }
    errors.extend(REFUSALS);
    errors
        .into_iter()
        .map(Failure::Bus)
        .chain([Failure::Method("POST")])
        .collect()
}

/// One response for all failures of a status.
pub(super) fn response(failures: &[Failure]) -> Value {
    let request_id = RequestId::parse("8f14e45f").unwrap_or_else(RequestId::random);
    let envelopes: Vec<Value> = failures
        .iter()
        .filter_map(|failure| serde_json::from_str(&failure.envelope(&request_id)).ok())
        .collect();
    let text = |envelope: &Value, key: &str| envelope.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let codes: BTreeSet<String> = envelopes.iter().map(|envelope| text(envelope, "statusCode")).collect();
    let sentences: Vec<String> = envelopes.iter().map(|envelope| text(envelope, "message")).collect();
    let examples: Map<String, Value> = envelopes
        .iter()
        .zip(&sentences)
        .zip(1..)
        .map(|((envelope, sentence), number): (_, usize)| {
            (number.to_string(), json!({ "summary": sentence, "value": envelope }))
        })
        .collect();
    json!({
        "description": sentences.join(" "),
        "headers": headers(failures),
        "content": {
            "application/json": {
                "schema": {
                    "allOf": [
                        { "$ref": "#/components/schemas/Failure" },
                        { "properties": { "statusCode": { "type": "string", "enum": codes } } },
                    ],
                },
                "examples": examples,
            },
        },
    })
}

/// The headers that tell the caller what to do next.
fn headers(failures: &[Failure]) -> Map<String, Value> {
    let mut headers = Map::new();
    headers.insert("X-Request-Id".to_owned(), request_id_header());
    for (name, value) in failures.iter().filter_map(Failure::header) {
        let is_always_there = failures
            .iter()
            .all(|failure| failure.header().is_some_and(|(other, _)| other == name));
        let is_number = value.to_str().is_ok_and(|value| value.parse::<u64>().is_ok());
        let (schema, example) = if is_number {
            (json!({ "type": "integer", "minimum": 0 }), json!(1))
        } else {
            (
                json!({ "type": "string" }),
                json!(String::from_utf8_lossy(value.as_bytes())),
            )
        };
        headers.insert(
            spelling(name.as_str()),
            json!({ "required": is_always_there, "schema": schema, "example": example }),
        );
    }
    headers
}

/// The header with the request id, which every answer has.
pub(super) fn request_id_header() -> Value {
    json!({
        "description": "The id of the request, in the log and in the audit entry too.",
        "required": true,
        "schema": { "type": "string", "pattern": "^[A-Za-z0-9._-]{1,64}$" },
    })
}

/// The header that says how long a call could have waited.
pub(super) fn preference_applied_header() -> Value {
    json!({
        "description": "`wait=N`, where the call could wait. Without it, the answer came at once.",
        "required": false,
        "schema": { "type": "string", "pattern": "^wait=[0-9]+$" },
    })
}

/// A header name in the usual spelling: `Retry-After`.
fn spelling(name: &str) -> String {
    let capital = |word: &str| {
        word.chars()
            .take(1)
            .map(|c| c.to_ascii_uppercase())
            .chain(word.chars().skip(1))
            .collect()
    };
    if name == "www-authenticate" {
        return "WWW-Authenticate".to_owned();
    }
    name.split('-').map(capital).collect::<Vec<String>>().join("-")
}
