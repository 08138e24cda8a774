//! Reads a body. Its type is checked before, its size and its pace while it comes: `docs/api.md#limits`.

mod content_headers;

use std::borrow::Cow;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::dev::Payload;
use actix_web::error::PayloadError;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::web::Bytes;
use futures_core::Stream as _;
use liveness_bus::{BusError, Principal};
use tokio::time::{Instant, timeout_at};

use self::content_headers::{check_encoding, declared_length, is_json};
use super::connection_state::ConnectionState;
use super::limits::admission::{AdmissionControl, SMALL_BODY};
use super::limits::permit::Permit;

pub(crate) use self::content_headers::{COMPRESSED, NOT_JSON, has_body};

/// How long a body may take before its pace is looked at.
const GRACE_PERIOD: Duration = Duration::from_secs(15);
/// The pace that a body must keep from then on.
const MIN_BYTES_PER_SECOND: u64 = 50_000;

/// The buffer that is allocated at once; most faces fit into it. Pages of it that are never filled take no memory.
const INITIAL_BUFFER: usize = 256 * 1024;

/// A body, and the permit for the memory that it takes.
#[derive(Debug, Default)]
pub(crate) struct Body {
    pub(crate) bytes: Vec<u8>,
    pub(crate) memory: Option<Permit>,
}

impl Body {
    /// Reserves memory for a body of this many bytes. Returns how long it had to wait.
    async fn reserve(
        &mut self,
        bytes: usize,
        principal: &Principal,
        admission: &AdmissionControl,
    ) -> Result<Duration, BusError> {
        let asked = Instant::now();
        self.memory = Some(admission.reserve_body(bytes, principal).await?);
        let waited = asked.elapsed();
        self.bytes.reserve_exact(bytes - self.bytes.len());
        Ok(waited)
    }
}

/// Reads the body of a request, at most `limit` bytes.
///
/// # Errors
///
/// - [`BusError::UnsupportedContent`], when it is not JSON or is compressed.
/// - [`BusError::TooLarge`], when it has more than `limit` bytes.
/// - [`BusError::TooSlow`], when it does not keep the pace.
/// - [`BusError::Unavailable`] or [`BusError::TooMany`], when there is no memory for it.
/// - [`BusError::Malformed`], when it ends early.
pub(crate) async fn read(
    request: &HttpRequest,
    payload: &mut Payload,
    limit: usize,
    principal: &Principal,
    admission: &AdmissionControl,
) -> Result<Body, BusError> {
    let headers = request.headers();
    let declared = declared_length(headers);
    check_encoding(headers)?;
    if !has_body(headers) {
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
    // A body in chunks declares no length, and may become as large as the limit.
    let body = receive(payload, declared.unwrap_or(limit), principal, admission).await?;
    if let Some(connection) = request.conn_data::<ConnectionState>() {
        connection.body_read();
    }
    if !body.bytes.is_empty() && !has_type {
        Err(NOT_JSON)
    } else {
        Ok(body)
    }
}

/// Receives a body of at most `most` bytes.
///
/// Memory for all of them is reserved once the body turns out not to be small. So a client that declares a large body and
/// sends nothing reserves nothing.
async fn receive(
    payload: &mut Payload,
    most: usize,
    principal: &Principal,
    admission: &AdmissionControl,
) -> Result<Body, BusError> {
    let mut body = Body {
        bytes: Vec::with_capacity(most.min(INITIAL_BUFFER)),
        memory: None,
    };
    let mut started = Instant::now();
    // Stays `None` for a body that came together with its head: nobody waits for that one.
    let mut sender_permit = None;
    loop {
        let chunk = match chunk_if_ready(payload).await {
            Poll::Ready(chunk) => chunk,
            Poll::Pending => {
                if sender_permit.is_none() {
                    sender_permit = Some(admission.admit_sender(principal)?);
                }
                let deadline = started + allowed_time(body.bytes.len());
                let chunk = timeout_at(deadline, next_chunk(payload));
                chunk.await.map_err(|_| BusError::TooSlow)?
            }
        };
        let Some(chunk) = chunk.transpose().map_err(|_| ENDED_EARLY)? else {
            break;
        };
        let length = body.bytes.len() + chunk.len();
        if length > most {
            return Err(too_large(most));
        }
        if length > SMALL_BODY && body.memory.is_none() {
            // The client is not to blame for the time that we make it wait.
            started += body.reserve(most, principal, admission).await?;
        }
        body.bytes.extend_from_slice(&chunk);
    }
    if let Some(memory) = &mut body.memory {
        memory.shrink_to(body.bytes.len());
    }
    Ok(body)
}

/// How long a body may take of which so many bytes have come.
fn allowed_time(received: usize) -> Duration {
    GRACE_PERIOD + Duration::from_millis(received as u64 * 1000 / MIN_BYTES_PER_SECOND)
}

const ENDED_EARLY: BusError = BusError::Malformed(Cow::Borrowed("the body ended before its announced end"));

fn too_large(limit: usize) -> BusError {
    BusError::TooLarge(format!("the body has more than {limit} bytes").into())
}

type Chunk = Option<Result<Bytes, PayloadError>>;

async fn next_chunk(payload: &mut Payload) -> Chunk {
    poll_fn(|cx| Pin::new(&mut *payload).poll_next(cx)).await
}

/// The next chunk, or `Pending` when it has not come yet.
async fn chunk_if_ready(payload: &mut Payload) -> Poll<Chunk> {
    poll_fn(|cx| Poll::Ready(Pin::new(&mut *payload).poll_next(cx))).await
}
