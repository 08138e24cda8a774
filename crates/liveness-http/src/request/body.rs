//! Reads a body: its type is checked before, its size and its pace while it comes: `docs/api.md#limits`.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::dev::Payload;
use actix_web::error::PayloadError;
use actix_web::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, TRANSFER_ENCODING};
use actix_web::web::Bytes;
use futures_core::Stream as _;
use liveness_bus::{BusError, Principal};
use tokio::time::{Instant, timeout_at};

use crate::request::admission::{Capacity, Held, SMALL_BODY};
use crate::server::timeout_stream::ConnectionState;

/// How long a body may take, before its pace is looked at.
const PATIENCE: Duration = Duration::from_secs(15);
/// Bytes a second that it has to come with from then on.
const PACE: u64 = 50_000;

/// What is reserved for a body at once, in which most faces fit: what nobody fills is not in memory.
const RESERVED: usize = 256 * 1024;

/// A body, and the room that it takes for as long as this is kept.
#[derive(Debug, Default)]
pub(crate) struct Body {
    pub(crate) bytes: Vec<u8>,
    pub(crate) room: Option<Held>,
}

/// Reads the body of a request, at most `limit` bytes.
///
/// # Errors
///
/// [`BusError::UnsupportedContent`], [`BusError::TooLarge`], [`BusError::TooSlow`], [`BusError::Unavailable`] and
/// [`BusError::TooMany`] when there is no room for it, or [`BusError::Malformed`] when it ends early.
pub(crate) async fn read(
    request: &HttpRequest,
    payload: &mut Payload,
    limit: usize,
    principal: &Principal,
    capacity: &Capacity,
) -> Result<Body, BusError> {
    let headers = request.headers();
    let declared = declared_length(headers);
    check_encoding(headers)?;
    if !is_announced(headers) {
        return Ok(Body::default());
    }
    let has_type = headers.contains_key(CONTENT_TYPE);
    if has_type && !is_json(headers) {
        return Err(NOT_JSON);
    }
    let declared = declared.map(|length| usize::try_from(length).unwrap_or(usize::MAX));
    if declared.is_some_and(|length| length > limit) {
        return Err(too_large(limit));
    }
    // In chunks it may become as large as any.
    let body = receive(payload, declared.unwrap_or(limit), principal, capacity).await?;
    if let Some(connection) = request.conn_data::<ConnectionState>() {
        connection.body_read();
    }
    if !body.bytes.is_empty() && !has_type {
        Err(NOT_JSON)
    } else {
        Ok(body)
    }
}

/// Receives a body of at most `most` bytes. It takes the room for all of them once it turns out not to be small: to
/// announce much and to send nothing takes none.
async fn receive(
    payload: &mut Payload,
    most: usize,
    principal: &Principal,
    capacity: &Capacity,
) -> Result<Body, BusError> {
    let mut body = Body {
        bytes: Vec::with_capacity(most.min(RESERVED)),
        room: None,
    };
    let mut started = Instant::now();
    // A body that came with its head is waited for by nobody.
    let mut waiting = None;
    loop {
        let chunk = match chunk_at_hand(payload).await {
            Poll::Ready(chunk) => chunk,
            Poll::Pending => {
                if waiting.is_none() {
                    waiting = Some(capacity.wait_for_body(principal)?);
                }
                let allowed = PATIENCE + Duration::from_millis(body.bytes.len() as u64 * 1000 / PACE);
                let chunk = timeout_at(started + allowed, next_chunk(payload)).await;
                chunk.map_err(|_| BusError::TooSlow)?
            }
        };
        let Some(chunk) = chunk else { break };
        let chunk = chunk.map_err(|_| BusError::Malformed("the body ended before its announced end".into()))?;
        let length = body.bytes.len() + chunk.len();
        if length > most {
            return Err(too_large(most));
        }
        if length > SMALL_BODY && body.room.is_none() {
            let asked = Instant::now();
            body.room = Some(capacity.room_for(most, principal).await?);
            // It was us who was slow.
            started += asked.elapsed();
            body.bytes.reserve_exact(most - body.bytes.len());
        }
        body.bytes.extend_from_slice(&chunk);
    }
    if let Some(room) = &mut body.room {
        room.shrink_to(body.bytes.len());
    }
    Ok(body)
}

fn too_large(limit: usize) -> BusError {
    BusError::TooLarge(format!("the body has more than {limit} bytes").into())
}

pub(crate) const NOT_JSON: BusError = BusError::UnsupportedContent("the Content-Type must be application/json");

pub(crate) const COMPRESSED: BusError = BusError::UnsupportedContent("the body must not be compressed");

type Chunk = Option<Result<Bytes, PayloadError>>;

async fn next_chunk(payload: &mut Payload) -> Chunk {
    poll_fn(|cx| Pin::new(&mut *payload).poll_next(cx)).await
}

/// The same, unless it would have to be waited for.
async fn chunk_at_hand(payload: &mut Payload) -> Poll<Chunk> {
    poll_fn(|cx| Poll::Ready(Pin::new(&mut *payload).poll_next(cx))).await
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
    if all_identity { Ok(()) } else { Err(COMPRESSED) }
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
