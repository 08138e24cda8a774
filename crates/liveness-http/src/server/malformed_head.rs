//! Answers to heads that never become requests. They have the usual envelope.

use liveness_bus::{BusError, RequestId};

use super::strict_transport::STRICT_TRANSPORT;
use crate::request::failure::{Failure, HEAD_TOO_LARGE};

/// Our answer in the place of actix-http's to a head that it cannot read: its own is a status and nothing else.
pub(super) fn replacement_for(bytes: &[u8], is_tls: bool) -> Option<String> {
    // Other answers may be large, with a face in them, and are not searched.
    if !bytes.starts_with(b"HTTP/1.1 4") {
        return None;
    }
    let text = std::str::from_utf8(bytes).ok()?;
    let (status, headers) = text.strip_prefix("HTTP/1.1 ")?.split_once("\r\n")?;
    let is_bare = headers.contains("content-length: 0\r\n") && !headers.contains("x-request-id");
    match status.get(..3)? {
        "400" if is_bare => Some(answer(
            status,
            BusError::Malformed("the head of the request is malformed".into()),
            is_tls,
        )),
        "431" if is_bare => Some(answer(status, HEAD_TOO_LARGE, is_tls)),
        _ => None,
    }
}

/// The answer to a head that did not come in time.
pub(super) fn head_timeout(is_tls: bool) -> String {
    answer("408 Request Timeout", BusError::TooSlow, is_tls)
}

fn answer(status: &str, refusal: BusError, is_tls: bool) -> String {
    let strict_transport = if is_tls {
        format!("strict-transport-security: {STRICT_TRANSPORT}\r\n")
    } else {
        String::new()
    };
    let request_id = RequestId::random();
    let body = Failure::Bus(refusal).envelope(&request_id);
    format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncache-control: no-store\r\n\
         x-content-type-options: nosniff\r\nx-request-id: {request_id}\r\n{strict_transport}connection: close\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len(),
    )
}
