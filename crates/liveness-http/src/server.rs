//! Runs the host as a server: listens, answers, and shuts down gracefully.

mod address_shares;
mod connection_tracking;
mod fd_limit;
mod http_server;
mod listener;
mod malformed_head;
mod maybe_tls_stream;
mod process_memory;
mod spans;
mod strict_transport;
mod timeout_stream;

pub(crate) mod settings_checks;
pub(crate) mod tls;

use std::net::TcpListener;
use std::time::{Duration, Instant};

use actix_server::ServerHandle;
use tokio::signal::unix::Signal;

use self::fd_limit::allowed_connections;
use self::http_server::{Site, http_server};
use self::listener::listen;
use self::spans::Spans;
use self::tls::Tls;
use crate::config::ServeConfig;
use crate::host::checks::findings::Findings;
use crate::host::dev_mode::{DevKey, with_dev_faces};
use crate::host::start_error::{StartError, TlsError};
use crate::host::verifier::configured_verifier;
use crate::host::{Host, check_body_memory};
use crate::signals::Signals;

/// Serves until SIGTERM or SIGINT. Then it answers the requests that have begun, within the grace period.
///
/// # Errors
///
/// [`StartError`], when the host does not start.
pub async fn serve(config: ServeConfig) -> Result<(), StartError> {
    if !config.dev {
        process_memory::keep_private();
    }
    let mut signals = Signals::listen()?;
    let config = if config.dev { with_dev_faces(config)? } else { config };
    let config = ServeConfig {
        max_connections: allowed_connections(config.max_connections),
        ..config
    };
    let dev_key = config.dev.then(DevKey::random).transpose()?;
    let verifier = match &dev_key {
        Some(key) => key.verifier()?,
        None => configured_verifier(&config)?,
    };
    let revoked = verifier.revoked().cloned();
    check_body_memory(&config)?;
    let policy = config.policy.load()?;
    let tls = load_tls(&config)?;
    let webhooks = config.webhooks.configured()?;
    let findings = check_settings(&config)?;
    let spans = Spans::start()?;
    let host = tokio::select! {
        host = Host::open(&config, &policy, verifier, webhooks.as_ref()) => host?,
        // Nothing has begun: another node may migrate for long.
        () = signals.any() => return Ok(()),
    };
    findings.log_warnings();
    spans.show_in(host.metrics());

    let listener = listen("LIVENESS_BIND", &config.bind, config.dev)?;
    let operations = operations_listener(&config)?;
    let address = listener.local_addr()?;
    let server = http_server(listener, Site::public(&config, tls.clone()), &config, host.clone())?;
    let handle = server.handle();
    let mut running = actix_web::rt::spawn(server);
    log::info!("the policy is {}", policy.version());
    log::info!("listening on http{}://{address}", if tls.is_some() { "s" } else { "" });
    if let Some(listener) = operations {
        log::info!("health and metrics are on http://{}", listener.local_addr()?);
        actix_web::rt::spawn(http_server(listener, Site::operations(), &config, host.clone())?);
    }
    if let Some(tls) = tls {
        host.metrics().show_stale_file("LIVENESS_TLS_CERT_FILE", tls.is_stale());
        actix_web::rt::spawn(tls.watch_files());
    }
    if let Some(revoked) = revoked {
        actix_web::rt::spawn(revoked.follow_file());
    }
    if let Some(webhooks) = webhooks {
        actix_web::rt::spawn(webhooks.follow_file());
    }
    if let Some(key) = dev_key {
        key.print_script(address, config.database.url())?;
    }

    tokio::select! {
        () = signals.any() => {}
        _ = &mut running => return Err(StartError::Server(std::io::Error::other("it ended by itself"))),
    }
    let end = Instant::now() + config.shutdown_grace;
    shut_down(&host, &handle, config.shutdown_grace, &mut signals.interrupt).await;
    spans.finish(end.saturating_duration_since(Instant::now())).await;
    Ok(())
}

/// How long the end waits for others who use the database file.
const CLOSING: Duration = Duration::from_millis(500);

/// Takes no new requests, and waits for the answers to those that have begun. A SIGINT ends the wait.
async fn shut_down(host: &Host, server: &ServerHandle, grace: Duration, interrupt: &mut Signal) {
    log::info!("stopping: answering what has begun");
    host.begin_shutdown();
    // A little less, so that the database is closed and the process has ended when the grace period is over.
    let end = Instant::now() + grace.saturating_sub(CLOSING / 2);
    let grace = grace.saturating_sub(CLOSING);
    let stopping = async {
        let answering = tokio::time::timeout(grace, server.stop(true));
        tokio::join!(answering, host.stop_webhooks(grace)).0
    };
    tokio::select! {
        stopped = stopping => match stopped {
            Ok(()) => log::info!("stopped"),
            Err(_) => log::warn!("stopped with requests unanswered: their clients were too slow"),
        },
        _ = interrupt.recv() => log::warn!("stopped at once"),
    }
    host.close(end.saturating_duration_since(Instant::now()).min(CLOSING))
        .await;
}

/// What should be fixed in the settings. Dangers are refused.
fn check_settings(config: &ServeConfig) -> Result<Findings, StartError> {
    let mut findings = Findings::accepting(&config.accept);
    settings_checks::check(config, &mut findings);
    match findings.refusal() {
        Some(dangers) => Err(StartError::Danger(dangers)),
        None => Ok(findings),
    }
}

/// The second address, where health and metrics are if it is configured.
fn operations_listener(config: &ServeConfig) -> Result<Option<TcpListener>, StartError> {
    let bind = config.operations_bind.as_deref();
    bind.map(|bind| listen("LIVENESS_OPERATIONS_BIND", bind, config.dev))
        .transpose()
}

fn load_tls(config: &ServeConfig) -> Result<Option<Tls>, TlsError> {
    let tls = Tls::load(config.tls_cert_file.as_deref(), config.tls_key_file.as_deref())?;
    if config.dev && tls.is_some() {
        return Err(TlsError::Dev);
    }
    Ok(tls)
}
