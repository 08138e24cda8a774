//! The actix server, on connections with our own deadlines, and with TLS where there is a certificate.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use actix_http::{HttpService, KeepAlive, Protocol, Request};
use actix_server::{Server, ServerBuilder};
use actix_service::{IntoServiceFactory as _, ServiceFactoryExt as _, fn_service, map_config};
use actix_web::App;
use actix_web::body::BoxBody;
use actix_web::dev::{AppConfig, ServiceRequest};
use actix_web::http::header::STRICT_TRANSPORT_SECURITY;
use actix_web::middleware::{Condition, DefaultHeaders, Next, from_fn};
use socket2::SockRef;
use tokio::net::TcpStream;

use super::connection_tracking::track_connection;
use super::fd_limit::allowed_connections;
use super::strict_transport::STRICT_TRANSPORT;
use super::timeout_stream::TimeoutStream;
use super::tls::Tls;
use crate::config::ServeConfig;
use crate::host::Host;
use crate::metrics::GaugeGuard;
use crate::request::connection_state::{ConnectionState, KEEP_ALIVE_TIMEOUT, LINGERING_TIMEOUT};
use crate::request::cors::allow_origins;
use crate::request::sliced_body::SLICE;

/// How much of an answer the system takes beyond what the client's window has room for. With its own megabytes, it would ask
/// for more so seldom that a steady reader looks like one that has stopped.
const UNSENT_BYTES: u32 = 128 * 1024;

/// Builds the server, which runs once it is polled.
pub(super) fn http_server(
    listener: TcpListener,
    tls: Option<Tls>,
    config: &ServeConfig,
    host: Host,
) -> Result<Server, io::Error> {
    // actix limits the connections of each worker, and starts a worker for each core.
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    let connections_each = allowed_connections(config.max_connections).div_ceil(workers);
    let builder: ServerBuilder = Server::build().max_concurrent_connections(connections_each);
    let stopping = builder.graceful_shutdown_signal();
    let origins = Arc::new(config.cors_origins.clone());
    let builder = builder
        .disable_signals()
        .shutdown_timeout(config.shutdown_grace.as_secs());
    let builder = builder.listen("http", listener, move || {
        let (host, stopping) = (host.clone(), stopping.clone());
        let connections = host.metrics().connections.clone();
        let origins = origins.clone();
        let is_cors_on = !origins.is_empty();
        let cors =
            from_fn(move |request: ServiceRequest, next: Next<BoxBody>| allow_origins(origins.clone(), request, next));
        let strict_transport = DefaultHeaders::new().add((STRICT_TRANSPORT_SECURITY, STRICT_TRANSPORT));
        let app = App::new()
            .wrap(Condition::new(is_cors_on, cors))
            .wrap(Condition::new(tls.is_some(), strict_transport))
            .wrap(from_fn(track_connection))
            .configure(|app| host.configure(app))
            .into_factory()
            .map_err(|error: actix_web::Error| error.error_response());
        let http = HttpService::build()
            .keep_alive(KeepAlive::Timeout(KEEP_ALIVE_TIMEOUT))
            .client_request_timeout(Duration::ZERO)
            .client_disconnect_timeout(LINGERING_TIMEOUT)
            // With the head or the rest of a slice before it, one more slice fits in.
            .h1_write_buffer_size(SLICE)
            .expect(fn_service(expect_continue))
            .on_connect_ext(move |stream: &TimeoutStream, data| {
                data.insert(stream.state().clone());
                data.insert(GaugeGuard::raise(&connections, 1));
            })
            .graceful_shutdown_signal(move || {
                let stopping = stopping.clone();
                async move { stopping.notified().await }
            })
            .finish(map_config(app, |_| AppConfig::default()));
        let tls = tls.clone();
        fn_service(move |stream| accept(stream, tls.clone())).and_then(http)
    })?;
    Ok(builder.run())
}

/// Begins a request whose client waits until its body is wanted.
async fn expect_continue(request: Request) -> Result<Request, actix_http::Error> {
    if let Some(connection) = request.conn_data::<ConnectionState>() {
        connection.expectation().begin();
    }
    Ok(request)
}

/// Prepares a connection for actix-http.
async fn accept(
    stream: TcpStream,
    tls: Option<Tls>,
) -> Result<(TimeoutStream, Protocol, Option<SocketAddr>), actix_http::error::DispatchError> {
    let peer = stream.peer_addr().ok();
    stream.set_nodelay(true)?;
    SockRef::from(&stream).set_tcp_notsent_lowat(UNSENT_BYTES)?;
    let stream = TimeoutStream::accept(stream, tls.as_ref()).await?;
    Ok((stream, Protocol::Http1, peer))
}
