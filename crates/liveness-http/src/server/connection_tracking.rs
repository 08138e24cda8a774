//! The middleware that tells a connection how far its request has come.

use std::mem;

use actix_http::ConnectionType;
use actix_web::body::MessageBody;
use actix_web::dev::{RequestHead, ServiceRequest, ServiceResponse};
use actix_web::http::header::{CONNECTION, HeaderMap, HeaderValue};
use actix_web::middleware::Next;
use liveness_bus::BusError;

use crate::request::body::has_body;
use crate::request::connection_state::ConnectionState;
use crate::request::failure::Failure;
use crate::request::prefer::PREFER;
use crate::request::request_id::request_id;
use crate::request::sliced_body::in_slices;
use crate::request::upgrade::decline_upgrade;

/// Updates the [`ConnectionState`] of each request, and closes the connection after a body that was not read. Large answers
/// leave in slices.
///
/// A request behind the last one of the connection is not done: its client was told that the connection ends (RFC 9112 section
/// 9.6). actix-http hands it over all the same.
pub(super) async fn track_connection<B: MessageBody + 'static>(
    mut request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse, actix_web::Error> {
    let connection = request.conn_data::<ConnectionState>().cloned();
    let is_last = says_close(request.head());
    let is_too_late = connection.as_ref().is_some_and(ConnectionState::is_ended);
    if let Some(connection) = &connection {
        connection.request_begun(has_body(request.headers()));
        if is_last {
            connection.end();
        }
    }
    if request.headers().contains_key(PREFER) {
        // It may wait, and keeps its head meanwhile.
        fit(request.headers_mut());
    }
    let response = if is_too_late {
        let refusal = BusError::Malformed("the connection was to end with the request before".into());
        let answer = Failure::Bus(refusal).answer(&request_id(request.headers()));
        request.into_response(answer)
    } else {
        next.call(request).await?.map_into_boxed_body()
    };
    let (request, response) = response.into_parts();
    let mut response = in_slices(response, connection.as_ref(), None);
    let head = response.head_mut();
    decline_upgrade(request.head(), head);
    if is_last || is_too_late || connection.is_some_and(|connection| connection.request_answered()) {
        // Without this, actix-web would read the body to its end, to get to the next request.
        head.set_connection_type(ConnectionType::Close);
    }
    Ok(ServiceResponse::new(request, response))
}

/// Gives back the room for headers that were not sent. actix-http begins with 7 KB.
fn fit(headers: &mut HeaderMap) {
    if headers.capacity() > 2 * headers.len() {
        let mut fitting = HeaderMap::with_capacity(headers.len_keys());
        for (name, value) in mem::take(headers) {
            fitting.append(name, value);
        }
        *headers = fitting;
    }
}

/// Whether the client sends no other request. `close` may stand in a list, which actix-http does not read.
fn says_close(request: &RequestHead) -> bool {
    let has_close = |value: &HeaderValue| {
        let options = value.to_str().unwrap_or_default().split(',');
        options
            .map(str::trim)
            .any(|option| option.eq_ignore_ascii_case("close"))
    };
    request.connection_type() != ConnectionType::KeepAlive || request.headers().get_all(CONNECTION).any(has_close)
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderName;

    use super::*;

    #[test]
    fn a_head_that_fits_says_the_same_in_less_room() {
        let mut headers = HeaderMap::with_capacity(16);
        let sent = [("host", "x"), ("prefer", "wait=soon"), ("prefer", "wait=10")];
        for (name, value) in sent {
            headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }

        fit(&mut headers);

        assert!(headers.capacity() < 8, "{}", headers.capacity());
        let mut kept: Vec<_> = headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.to_str().unwrap()))
            .collect();
        kept.sort_by_key(|(name, _)| *name);
        assert_eq!(kept, sent);
    }
}
