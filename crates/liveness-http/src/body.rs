//! Reads a body: its type is checked before, its size and its pace while it comes: `docs/api.md#limits`.

use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::dev::Payload;
use actix_web::error::PayloadError;
use actix_web::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, TRANSFER_ENCODING};
use actix_web::web::Bytes;
use liveness_bus::BusError;
use tokio::time::{Instant, timeout_at};

use crate::connection::ConnectionState;

/// How long a body may take, before its pace is looked at.
const PATIENCE: Duration = Duration::from_secs(15);
/// Bytes a second that it has to come with from then on.
const PACE: u64 = 50_000;

/// Reads the body of a request, at most `limit` bytes.
///
/// # Errors
///
/// [`BusError::UnsupportedContent`], [`BusError::TooLarge`], [`BusError::TooSlow`], or
/// [`BusError::Malformed`] when it ends early.
pub(crate) async fn read(request: &HttpRequest, payload: &mut Payload, limit: usize) -> Result<Vec<u8>, BusError> {
    let headers = request.headers();
    let declared = declared_length(headers);
    check_encoding(headers)?;
    if !is_announced(headers) {
        return Ok(Vec::new());
    }
    let has_type = headers.contains_key(CONTENT_TYPE);
    if has_type && !is_json(headers) {
        return Err(NOT_JSON);
    }
    let too_large = || BusError::TooLarge(format!("the body has more than {limit} bytes").into());
    if declared.is_some_and(|length| length > limit as u64) {
        return Err(too_large());
    }
    let mut body = Vec::with_capacity(declared.and_then(|length| usize::try_from(length).ok()).unwrap_or(0));
    let started = Instant::now();
    loop {
        let allowed = PATIENCE + Duration::from_millis(body.len() as u64 * 1000 / PACE);
        let chunk = timeout_at(started + allowed, next_chunk(payload))
            .await
            .map_err(|_| BusError::TooSlow)?;
        let Some(chunk) = chunk else { break };
        let chunk = chunk.map_err(|_| BusError::Malformed("the body ended before its announced end".into()))?;
        if body.len() + chunk.len() > limit {
            return Err(too_large());
        }
        body.extend_from_slice(&chunk);
    }
    if let Some(connection) = request.conn_data::<ConnectionState>() {
        connection.body_read();
    }
    if !body.is_empty() && !has_type {
        Err(NOT_JSON)
    } else {
        Ok(body)
    }
}

const NOT_JSON: BusError = BusError::UnsupportedContent("the Content-Type must be application/json");

async fn next_chunk(payload: &mut Payload) -> Option<Result<Bytes, PayloadError>> {
    let mut payload = std::pin::Pin::new(payload);
    std::future::poll_fn(|cx| futures_core::Stream::poll_next(payload.as_mut(), cx)).await
}

/// Whether there is a body to be read.
pub(crate) fn is_announced(headers: &HeaderMap) -> bool {
    declared_length(headers) != Some(0)
}

/// The announced length; `Some(0)` without any announcement, and `None` for a body in chunks.
fn declared_length(headers: &HeaderMap) -> Option<u64> {
    if headers.contains_key(TRANSFER_ENCODING) {
        return None;
    }
    let length = headers
        .get(CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.trim().parse().ok());
    Some(length.unwrap_or(0))
}

fn check_encoding(headers: &HeaderMap) -> Result<(), BusError> {
    let is_identity = |value: &str| value.trim().eq_ignore_ascii_case("identity");
    let all_identity = headers
        .get_all(CONTENT_ENCODING)
        .all(|value| value.to_str().is_ok_and(is_identity));
    if all_identity {
        Ok(())
    } else {
        Err(BusError::UnsupportedContent("the body must not be compressed"))
    }
}

/// `application/json` in UTF-8, said once.
fn is_json(headers: &HeaderMap) -> bool {
    let mut types = headers.get_all(CONTENT_TYPE);
    let (Some(value), None) = (types.next().and_then(|value| value.to_str().ok()), types.next()) else {
        return false;
    };
    let mut parts = value.split(';').map(str::trim);
    let is_json = parts
        .next()
        .is_some_and(|essence| essence.eq_ignore_ascii_case("application/json"));
    is_json
        && parts
            .filter_map(|parameter| parameter.split_once('='))
            .all(|(name, value)| {
                !name.trim().eq_ignore_ascii_case("charset")
                    || ["utf-8", "utf8"]
                        .iter()
                        .any(|utf8| value.trim().trim_matches('"').eq_ignore_ascii_case(utf8))
            })
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;

    use super::*;

    #[test]
    fn only_json_in_utf_8_is_json() {
        let cases = [
            ("application/json", true),
            ("Application/JSON ; charset=UTF-8", true),
            ("application/json; charset=\"utf-8\"", true),
            ("application/json; charset=utf-16", false),
            ("application/vnd.x+json", false),
            ("text/plain", false),
            ("", false),
        ];
        for (value, expected) in cases {
            let mut headers = HeaderMap::new();
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(value));
            assert_eq!(is_json(&headers), expected, "{value}");
        }
    }
}
