//! The id by which one request is found in its answer, in the log and in the audit entry.

use actix_web::http::header::{HeaderMap, HeaderName};
use liveness_bus::RequestId;

pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The request id that the caller sent, or a new one.
pub(crate) fn request_id(headers: &HeaderMap) -> RequestId {
    let sent = headers.get(REQUEST_ID).and_then(|value| value.to_str().ok());
    sent.and_then(RequestId::parse).unwrap_or_else(RequestId::random)
}
