//! The middleware that tells a connection how far its request has come.

use actix_http::ConnectionType;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;

use crate::request::body::has_body;
use crate::request::connection_state::ConnectionState;
use crate::request::sliced_body::in_slices;
use crate::request::upgrade::decline_upgrade;

/// Updates the [`ConnectionState`] of each request, and closes the connection after a body that was not read. Large answers
/// leave in slices.
pub(super) async fn track_connection<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse, actix_web::Error> {
    let connection = request.conn_data::<ConnectionState>().cloned();
    if let Some(connection) = &connection {
        connection.request_begun(has_body(request.headers()));
    }
    let response = next.call(request).await?;
    let (request, response) = response.into_parts();
    let mut response = in_slices(response.map_into_boxed_body(), connection.as_ref(), None);
    let head = response.head_mut();
    decline_upgrade(request.head(), head);
    if connection.is_some_and(|connection| connection.request_answered()) {
        // Without this, actix-web would read the body to its end, to get to the next request.
        head.set_connection_type(ConnectionType::Close);
    }
    Ok(ServiceResponse::new(request, response))
}
