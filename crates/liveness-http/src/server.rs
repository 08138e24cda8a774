//! Runs the host: opens the store, listens, answers, and stops when told to.

mod dev_mode;
mod fd_limit;
pub(crate) mod timeout_stream;
pub(crate) mod tls;

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use actix_http::{HttpService, KeepAlive, Protocol};
use actix_server::{Server, ServerBuilder};
use actix_service::{IntoServiceFactory as _, ServiceFactoryExt as _, fn_service, map_config};
use actix_web::dev::AppConfig;
use actix_web::middleware::from_fn;
use actix_web::{App, web};
use liveness_bus::liveness::{self, Liveness, Settings};
use liveness_bus::{BuildErrors, Bus, BusBuilder};
use liveness_core::store::{OpenError, Store, StoredUsers};
use liveness_core::{SystemClock, UserDirectory};
use tokio::net::TcpStream;
use tokio::signal::unix::{SignalKind, signal};

use self::dev_mode::DevKey;
use self::timeout_stream::{GuardedStream, KEEP_ALIVE, LINGER};
use self::tls::{Tls, TlsError};
use crate::config::ServeConfig;
use crate::metrics::Metrics;
use crate::pages::admin;
use crate::pages::docs::Docs;
use crate::pages::health::Health;
use crate::request::admission::Raised;
use crate::request::dispatch::no_route;
use crate::request::{LivenessApi, max_command_bytes};
use crate::token::{
    Jwks, JwksError, KeyError, RevokedTokens, RevokedTokensError, TokenRules, TokenVerifier, VerificationKey,
};

/// Connections that wait to be accepted.
const BACKLOG: i32 = 1024;

/// Why the host does not start: one line that says what would be right.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// There is nothing to verify tokens by.
    #[error(
        "there is no key to verify tokens by: set LIVENESS_JWT_SECRET (HS256, at least 32 bytes), \
         LIVENESS_JWT_PUBLIC_KEY_FILE (PEM; RS256, ES256 or EdDSA) or LIVENESS_JWT_JWKS (an identity provider's keys: \
         URL or file), or try it out with `serve --dev`"
    )]
    NoKey,
    /// The secret is no key.
    #[error("LIVENESS_JWT_SECRET: {0}")]
    Secret(#[source] KeyError),
    /// The file holds no key.
    #[error("LIVENESS_JWT_PUBLIC_KEY_FILE: {0}: {1}")]
    KeyFile(String, #[source] KeyError),
    /// The file cannot be read.
    #[error("LIVENESS_JWT_PUBLIC_KEY_FILE: cannot read {0}: {1}")]
    KeyFileUnread(String, #[source] std::io::Error),
    /// The identity provider's keys cannot be used.
    #[error("LIVENESS_JWT_JWKS: {0}")]
    Jwks(#[from] JwksError),
    /// The list of revoked tokens cannot be used.
    #[error("LIVENESS_JWT_REVOKED_FILE: {0}")]
    RevokedTokens(#[from] RevokedTokensError),
    /// The certificate or its key cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The address cannot be listened on.
    #[error("LIVENESS_BIND: cannot listen on {0}: {1}")]
    Bind(String, #[source] std::io::Error),
    /// With a key that anybody can read off the terminal, only this machine is served.
    #[error("LIVENESS_BIND: `serve --dev` listens on a loopback address only, and {0} is none")]
    DevBind(SocketAddr),
    /// There would not be room for a single body.
    #[error(
        "LIVENESS_BODY_MEMORY: must be at least {0}, the bytes of one body with an image of LIVENESS_MAX_IMAGE_BYTES"
    )]
    BodyMemory(usize),
    /// The database cannot be opened.
    #[error("LIVENESS_DATABASE_URL: {0}")]
    Database(#[from] OpenError),
    /// The bus is put together wrongly.
    #[error("the bus: {0}")]
    Bus(#[from] BuildErrors),
    /// The process cannot be run as a server.
    #[error("cannot start the server: {0}")]
    Server(#[from] std::io::Error),
}

/// Serves until SIGTERM or SIGINT, then answers what has begun, for as long as the grace period allows.
///
/// # Errors
///
/// [`StartError`], when it does not come to serving.
pub async fn serve(config: ServeConfig) -> Result<(), StartError> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let dev = config.dev.then(DevKey::random).transpose()?;
    let verifier = verifier(&config, dev.as_ref())?;
    let revoked = verifier.revoked().cloned();
    let largest = max_command_bytes(config.max_image_bytes);
    if config.body_memory < largest {
        return Err(StartError::BodyMemory(largest));
    }
    let tls = tls(&config)?;
    let store = open(&config)?;
    let health = Health::of(store.clone());
    let metrics = Metrics::of(store.clone());
    let api = api(&config, store, verifier, metrics.clone())?;
    let docs = Docs::of(&api.parts().bus);

    let listener = listen(&config)?;
    let address = listener.local_addr()?;
    let server = server((listener, tls.clone()), &config, (api, health.clone(), metrics, docs))?;
    let handle = server.handle();
    let mut running = actix_web::rt::spawn(server);
    log::info!("listening on http{}://{address}", if tls.is_some() { "s" } else { "" });
    if let Some(tls) = tls {
        actix_web::rt::spawn(tls.follow_files());
    }
    if let Some(revoked) = revoked {
        actix_web::rt::spawn(revoked.follow_file());
    }
    if let Some(key) = dev {
        key.print_welcome(address, &config.database.database_url)?;
    }

    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
        _ = &mut running => return Err(StartError::Server(std::io::Error::other("it ended by itself"))),
    }
    log::info!("stopping: answering what has begun");
    health.stopping();
    let grace = config.shutdown_grace.saturating_sub(Duration::from_millis(500));
    tokio::select! {
        stopped = tokio::time::timeout(grace, handle.stop(true)) => match stopped {
            Ok(()) => log::info!("stopped"),
            Err(_) => log::warn!("stopped with requests unanswered: their clients were too slow"),
        },
        // Whoever asks twice does not want to wait.
        _ = interrupt.recv() => log::warn!("stopped at once"),
    }
    Ok(())
}

/// The store, with its schema up to date; or, while the database is out of reach, as soon as it is not.
fn open(config: &ServeConfig) -> Result<Store, OpenError> {
    let store = config.database.open()?;
    match store.migrate() {
        Err(error) if error.is_out_of_reach() => {
            log::warn!("not ready: the database will be looked for until it is there");
            let later = store.clone();
            actix_web::rt::spawn(async move { migrate_when_reached(later).await });
            Ok(store)
        }
        migrated => migrated.map(|_| store),
    }
}

async fn migrate_when_reached(store: Store) {
    loop {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let store = store.clone();
        match web::block(move || store.migrate()).await {
            Ok(Ok(_)) => break log::info!("ready: the database's schema is up to date"),
            Ok(Err(error)) if error.is_out_of_reach() => {}
            Ok(Err(error)) => log::error!("not ready: {error}"),
            Err(error) => log::error!("not ready: {error}"),
        }
    }
}

pub(crate) fn verifier(config: &ServeConfig, dev: Option<&DevKey>) -> Result<TokenVerifier, StartError> {
    if let Some(key) = dev {
        return Ok(TokenVerifier::new(
            vec![key.verification_key().map_err(StartError::Secret)?],
            TokenRules::default(),
        ));
    }
    let mut keys = Vec::new();
    if let Some(secret) = &config.token.jwt_secret {
        keys.push(VerificationKey::hs256(secret.as_bytes()).map_err(StartError::Secret)?);
    }
    if let Some(path) = &config.jwt_public_key_file {
        let shown = path.display().to_string();
        let pem = std::fs::read(path).map_err(|error| StartError::KeyFileUnread(shown.clone(), error))?;
        keys.push(VerificationKey::from_pem(&pem).map_err(|error| StartError::KeyFile(shown, error))?);
    }
    let jwks = config.jwt_jwks.as_deref().map(Jwks::open).transpose()?;
    if keys.is_empty() && jwks.is_none() {
        return Err(StartError::NoKey);
    }
    let rules = TokenRules {
        issuer: config.token.jwt_issuer.clone(),
        audience: config.token.jwt_audience.clone(),
        user_id_claim: config.token.jwt_user_id_claim.clone(),
        role_claim: config.token.jwt_role_claim.clone(),
        leeway: config.jwt_leeway,
        max_lifetime: config.jwt_max_lifetime,
    };
    let mut verifier = TokenVerifier::new(keys, rules);
    if let Some(jwks) = jwks {
        verifier = verifier.with_jwks(jwks);
    }
    if let Some(path) = &config.jwt_revoked_file {
        verifier = verifier.with_revoked(RevokedTokens::open(path)?);
    }
    Ok(verifier)
}

fn tls(config: &ServeConfig) -> Result<Option<Tls>, TlsError> {
    let tls = Tls::of(config.tls_cert_file.as_deref(), config.tls_key_file.as_deref())?;
    if config.dev && tls.is_some() {
        return Err(TlsError::Dev);
    }
    Ok(tls)
}

fn listen(config: &ServeConfig) -> Result<TcpListener, StartError> {
    let listener = TcpListener::bind(&config.bind).map_err(|error| StartError::Bind(config.bind.clone(), error))?;
    // Clients that come all at once wait here, where the standard library has room for few.
    rustix::net::listen(&listener, BACKLOG).map_err(|error| StartError::Bind(config.bind.clone(), error.into()))?;
    let address = listener.local_addr()?;
    if config.dev && !address.ip().is_loopback() {
        return Err(StartError::DevBind(address));
    }
    Ok(listener)
}

fn api(
    config: &ServeConfig,
    store: Store,
    verifier: TokenVerifier,
    metrics: Metrics,
) -> Result<LivenessApi, BuildErrors> {
    let users: Arc<dyn UserDirectory> = Arc::new(StoredUsers::new(
        store.clone(),
        Arc::new(SystemClock),
        config.provision_users,
    ));
    let settings = Settings {
        max_image_bytes: config.max_image_bytes,
        status_rule: config.status_rule,
    };
    let bus = bus(store, Arc::clone(&users), settings)
        .observer(metrics.clone())
        .build()?;
    let api = LivenessApi::builder(bus, verifier, users)
        .trusted_proxies(config.trusted_proxies.clone())
        .max_image_bytes(config.max_image_bytes)
        .rate_limit(config.rate_limit)
        .max_requests_in_flight(config.max_requests_in_flight)
        .body_memory(config.body_memory)
        .metrics(metrics);
    Ok(api.build())
}

/// The messages of the host.
pub(crate) fn bus(store: Store, users: Arc<dyn UserDirectory>, settings: Settings) -> BusBuilder {
    let module = liveness::module(Liveness::new(store.clone(), users, settings));
    Bus::builder().module(module).audit_sink(store)
}

/// The actix server, on connections with deadlines of our own, and TLS where there is a certificate.
fn server(
    (listener, tls): (TcpListener, Option<Tls>),
    config: &ServeConfig,
    (api, health, metrics, docs): (LivenessApi, Health, Metrics, Docs),
) -> Result<Server, std::io::Error> {
    // Of each worker: there is one a core.
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    let connections = fd_limit::connections(config.max_connections).div_ceil(workers);
    let builder: ServerBuilder = Server::build().max_concurrent_connections(connections);
    let stopping = builder.graceful_shutdown_signal();
    let builder = builder
        .disable_signals()
        .shutdown_timeout(config.shutdown_grace.as_secs());
    let builder = builder.listen("http", listener, move || {
        let (api, health, docs) = (api.clone(), health.clone(), docs.clone());
        let (metrics, stopping) = (metrics.clone(), stopping.clone());
        let connections = metrics.connections.clone();
        let app = App::new()
            .wrap(from_fn(timeout_stream::watch))
            .configure(|app| api.configure(app))
            .configure(|app| health.configure(app))
            .configure(admin::configure)
            .configure(|app| metrics.configure(app))
            .configure(|app| docs.configure(app))
            .default_service(web::to(no_route));
        let app = app
            .into_factory()
            .map_err(|error: actix_web::Error| error.error_response());
        let http = HttpService::build()
            .keep_alive(KeepAlive::Timeout(KEEP_ALIVE))
            .client_request_timeout(Duration::ZERO)
            .client_disconnect_timeout(LINGER)
            .on_connect_ext(move |stream: &GuardedStream, data| {
                data.insert(stream.state().clone());
                data.insert(Raised::by(1, &connections));
            })
            .graceful_shutdown_signal(move || {
                let stopping = stopping.clone();
                async move { stopping.notified().await }
            })
            .finish(map_config(app, |_| AppConfig::default()));
        let tls = tls.clone();
        let guarded = move |stream: TcpStream| {
            let tls = tls.clone();
            async move {
                let peer = stream.peer_addr().ok();
                stream.set_nodelay(true)?;
                let stream = GuardedStream::accept(stream, tls.as_ref()).await?;
                Ok((stream, Protocol::Http1, peer))
            }
        };
        fn_service(guarded).and_then(http)
    })?;
    Ok(builder.run())
}
