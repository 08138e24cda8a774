//! Requests to go on in another protocol (RFC 9110 section 7.8). The host ignores the wish, and answers in HTTP/1.1.

use actix_web::dev::{RequestHead, ResponseHead};
use actix_web::http::ConnectionType;

/// Says that the connection ends with this answer, if the request has `Connection: upgrade`.
///
/// actix-http closes such a connection in any case, and without this the answer would say `connection: upgrade`.
pub(crate) fn decline_upgrade(request: &RequestHead, response: &mut ResponseHead) {
    if request.connection_type() == ConnectionType::Upgrade {
        response.set_connection_type(ConnectionType::Close);
    }
}
