//! The actix server, on connections with our own deadlines, and with TLS where there is a certificate.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use actix_http::{HttpService, KeepAlive, Protocol, Request};
use actix_server::{Server, ServerBuilder};
use actix_service::{IntoServiceFactory as _, ServiceFactoryExt as _, boxed, fn_service, map_config};
use actix_web::App;
use actix_web::body::BoxBody;
use actix_web::dev::{AppConfig, ServiceRequest};
use actix_web::http::header::STRICT_TRANSPORT_SECURITY;
use actix_web::middleware::{Condition, DefaultHeaders, Next, from_fn};
use socket2::SockRef;
use tokio::net::TcpStream;

use super::address_shares::{AddressShares, ConnectionPlace};
use super::connection_tracking::track_connection;
use super::strict_transport::STRICT_TRANSPORT;
use super::timeout_stream::TimeoutStream;
use super::tls::Tls;
use crate::config::ServeConfig;
use crate::host::{Host, Served};
use crate::metrics::{GaugeGuard, Metrics};
use crate::request::CorsOrigins;
use crate::request::connection_state::{ConnectionState, KEEP_ALIVE_TIMEOUT, LINGERING_TIMEOUT};
use crate::request::cors::allow_origins;
use crate::request::sliced_body::SLICE;

/// How much of an answer the system takes beyond what the client's window has room for. With its own megabytes, it would ask
/// for more so seldom that a steady reader looks like one that has stopped.
const UNSENT_BYTES: u32 = 128 * 1024;

/// The connections of the second address at once. Only monitors and balancers are there.
const OPERATIONS_CONNECTIONS: usize = 256;

/// What is served on one address, and to whom.
pub(super) struct Site {
    served: Served,
    tls: Option<Tls>,
    workers: usize,
    connections: usize,
    shares: Option<AddressShares>,
    cors_origins: CorsOrigins,
}

impl Site {
    /// The first address.
    pub(super) fn public(config: &ServeConfig, tls: Option<Tls>) -> Self {
        let connections = config.max_connections;
        Self {
            served: match config.operations_bind {
                Some(_) => Served::Public,
                None => Served::All,
            },
            tls,
            workers: std::thread::available_parallelism().map_or(1, usize::from),
            connections,
            shares: Some(AddressShares::new(connections, config.trusted_proxies.clone())),
            cors_origins: config.cors_origins.clone(),
        }
    }

    /// The second address. It has a worker of its own, which answers whatever the others are busy with.
    pub(super) fn operations() -> Self {
        Self {
            served: Served::Operations,
            tls: None,
            workers: 1,
            connections: OPERATIONS_CONNECTIONS,
            shares: None,
            cors_origins: CorsOrigins::default(),
        }
    }
}

/// Builds the server of an address, which runs once it is polled.
pub(super) fn http_server(
    listener: TcpListener,
    site: Site,
    config: &ServeConfig,
    host: Host,
) -> Result<Server, io::Error> {
    // actix limits the connections of each worker.
    let builder: ServerBuilder = Server::build()
        .workers(site.workers)
        .max_concurrent_connections(site.connections.div_ceil(site.workers));
    let stopping = builder.graceful_shutdown_signal();
    let builder = builder
        .disable_signals()
        .shutdown_timeout(config.shutdown_grace.as_secs());
    let origins = Arc::new(site.cors_origins);
    let entrance = Entrance {
        tls: site.tls,
        shares: site.shares,
        metrics: host.metrics().clone(),
    };
    let builder = builder.listen("http", listener, move || {
        let (host, stopping, entrance) = (host.clone(), stopping.clone(), entrance.clone());
        let connections = host.metrics().connections.clone();
        let origins = origins.clone();
        let is_cors_on = !origins.is_empty();
        let cors =
            from_fn(move |request: ServiceRequest, next: Next<BoxBody>| allow_origins(origins.clone(), request, next));
        let strict_transport = DefaultHeaders::new().add((STRICT_TRANSPORT_SECURITY, STRICT_TRANSPORT));
        let app = App::new()
            .wrap(Condition::new(is_cors_on, cors))
            .wrap(Condition::new(entrance.tls.is_some(), strict_transport))
            .wrap(from_fn(track_connection))
            .configure(|app| host.configure(app, site.served))
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
        let connection = fn_service(move |stream| accept(stream, entrance.clone())).and_then(http);
        // The task that actix-server begins has room for the future of a connection twice. So the future is a box.
        boxed::factory(connection)
    })?;
    Ok(builder.run())
}

/// What a connection passes before its first request.
#[derive(Clone)]
struct Entrance {
    tls: Option<Tls>,
    shares: Option<AddressShares>,
    metrics: Metrics,
}

impl Entrance {
    /// A place for a connection of the address.
    fn admit(&self, peer: Option<SocketAddr>) -> io::Result<Option<ConnectionPlace>> {
        let (Some(shares), Some(peer)) = (&self.shares, peer) else {
            return Ok(None);
        };
        shares.admit(peer.ip()).map_err(|taken| {
            self.metrics.count_refused_connection();
            // Any client can bring this about, so it must not fill the log.
            log::debug!("{taken}: {}", peer.ip());
            io::Error::other(taken)
        })
    }
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
    entrance: Entrance,
) -> Result<(TimeoutStream, Protocol, Option<SocketAddr>), actix_http::error::DispatchError> {
    let peer = stream.peer_addr().ok();
    stream.set_nodelay(true)?;
    SockRef::from(&stream).set_tcp_notsent_lowat(UNSENT_BYTES)?;
    let place = entrance.admit(peer)?;
    let stream = TimeoutStream::accept(stream, entrance.tls.as_ref(), place).await?;
    Ok((stream, Protocol::Http1, peer))
}
