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
use actix_web::web::Bytes;
use futures_core::Stream as _;
use liveness_bus::{BusError, Principal};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, timeout_at};

use self::content_headers::{check_encoding, check_type, declared_length};
use super::connection_state::ConnectionState;
use super::limits::admission::{AdmissionControl, SMALL_BODY};
use super::limits::permit::Permit;
use super::pace::allowed_time;

pub(crate) use self::content_headers::{REFUSALS, has_body};

/// The buffer that is allocated at once; most faces fit into it. Pages of it that are never filled take no memory.
const INITIAL_BUFFER: usize = 256 * 1024;

/// A body of another type than JSON is read up to here, for it may say nothing.
const MAX_BLANK_BODY: usize = 1024;

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
/// - [`BusError::UnsupportedContent`], when it says something and is not JSON, or is compressed.
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
    check_encoding(headers)?;
    if !has_body(headers) {
        return Ok(Body::default());
    }
    let incoming = Incoming {
        payload,
        declared: declared_length(headers).map(|length| usize::try_from(length).unwrap_or(usize::MAX)),
        connection: request.conn_data::<ConnectionState>(),
        principal,
        admission,
        started: Instant::now(),
        sender_permit: None,
    };
    match check_type(headers) {
        Ok(()) => incoming.receive(limit).await,
        Err(refusal) => incoming.receive_blank(refusal).await,
    }
}

/// A body that has not been read.
struct Incoming<'a> {
    payload: &'a mut Payload,
    /// Its length. `None` for a body in chunks.
    declared: Option<usize>,
    /// `None` in the application of an embedding backend.
    connection: Option<&'a ConnectionState>,
    principal: &'a Principal,
    admission: &'a AdmissionControl,
    started: Instant,
    /// Stays `None` for a body that came together with its head: nobody waits for that one.
    sender_permit: Option<OwnedSemaphorePermit>,
}

impl Incoming<'_> {
    /// Receives a body of another type than JSON. It is good if it says nothing, for then it has no need of a type.
    async fn receive_blank(self, refusal: BusError) -> Result<Body, BusError> {
        let client_waits = self
            .connection
            .is_some_and(|connection| connection.expectation().is_waiting());
        if client_waits || self.declared.is_some_and(|length| length > MAX_BLANK_BODY) {
            return Err(refusal);
        }
        match self.receive(MAX_BLANK_BODY).await {
            Ok(body) if is_blank(&body.bytes) => Ok(body),
            Ok(_) | Err(BusError::TooLarge(_)) => Err(refusal),
            Err(error) => Err(error),
        }
    }

    /// Receives a body of at most `limit` bytes.
    ///
    /// Memory for all of them is reserved once the body turns out not to be small. So a client that declares a large body and
    /// sends nothing reserves nothing.
    async fn receive(mut self, limit: usize) -> Result<Body, BusError> {
        if self.declared.is_some_and(|length| length > limit) {
            return Err(too_large(limit));
        }
        // A body in chunks declares no length, and may become as large as the limit.
        let most = self.declared.unwrap_or(limit);
        let mut body = Body {
            bytes: Vec::with_capacity(most.min(INITIAL_BUFFER)),
            memory: None,
        };
        // After `Upgrade: websocket` actix-http takes everything that still comes for the body, so its length says the end.
        while self.declared != Some(body.bytes.len()) {
            let Some(chunk) = self.next_chunk(body.bytes.len()).await? else {
                break;
            };
            let length = body.bytes.len() + chunk.len();
            if length > most && self.declared.is_none() {
                return Err(too_large(most));
            }
            if length > SMALL_BODY && body.memory.is_none() {
                // The client is not to blame for the time that we make it wait.
                self.started += body.reserve(most, self.principal, self.admission).await?;
            }
            let chunk = &chunk[..chunk.len().min(most - body.bytes.len())];
            body.bytes.extend_from_slice(chunk);
        }
        if let Some(memory) = &mut body.memory {
            memory.shrink_to(body.bytes.len());
        }
        if let Some(connection) = self.connection {
            connection.body_read();
        }
        Ok(body)
    }

    /// Waits for more of a body of which so many bytes have come. `None` is its end.
    async fn next_chunk(&mut self, received: usize) -> Result<Option<Bytes>, BusError> {
        let chunk = match chunk_if_ready(self.payload).await {
            Poll::Ready(chunk) => chunk,
            Poll::Pending => {
                if self.sender_permit.is_none() {
                    self.sender_permit = Some(self.admission.admit_sender(self.principal)?);
                    self.invite();
                }
                let deadline = self.started + allowed_time(received);
                let chunk = timeout_at(deadline, next_chunk(self.payload));
                chunk.await.map_err(|_| BusError::TooSlow)?
            }
        };
        chunk.transpose().map_err(|_| ENDED_EARLY)
    }

    /// Lets a client send that waits for `100 Continue`.
    fn invite(&self) {
        if let Some(connection) = self.connection {
            connection.expectation().invite();
        }
    }
}

/// Whether a body says nothing: it is empty, white space or `null`, with or without a byte order mark.
fn is_blank(body: &[u8]) -> bool {
    let text = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    matches!(text.trim_ascii(), b"" | b"null")
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
