//! The body of a large answer, handed over slice by slice.
//!
//! actix-http copies what it is handed into a buffer of the connection, where it stays until the client reads it. So a body in
//! one piece would be there twice, and a static file once for each slow reader.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use actix_web::HttpResponse;
use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::web::Bytes;

use super::connection_state::{ConnectionState, UnwrittenAnswer};
use super::limits::permit::Permit;

/// The most bytes that are handed over at once.
pub(crate) const SLICE: usize = 16 * 1024;

/// The part of an answer that is not sent yet.
struct SlicedBody {
    rest: Bytes,
    _memory: Option<Permit>,
    _unwritten: Option<UnwrittenAnswer>,
}

/// Hands the body over in slices, unless it is small. The memory is given back when the last slice has been handed over, or
/// the client is gone.
pub(crate) fn in_slices(
    response: HttpResponse,
    connection: Option<&ConnectionState>,
    memory: Option<Permit>,
) -> HttpResponse {
    response.map_body(|_, body| match body.try_into_bytes() {
        Ok(rest) if rest.len() > SLICE => BoxBody::new(SlicedBody {
            rest,
            _memory: memory,
            _unwritten: connection.map(ConnectionState::answer_begun),
        }),
        Ok(bytes) => BoxBody::new(bytes),
        // It comes in pieces already.
        Err(body) => body,
    })
}

impl MessageBody for SlicedBody {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        BodySize::Sized(self.rest.len() as u64)
    }

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Bytes, Infallible>>> {
        let length = self.rest.len().min(SLICE);
        Poll::Ready((length > 0).then(|| Ok(self.rest.split_to(length))))
    }
}
