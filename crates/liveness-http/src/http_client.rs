//! Asks other servers: an identity provider for its keys, a witness for its cosignature, and an object store. Sends webhooks.
//!
//! Over TLS, or over plain HTTP on this machine. Redirects are not followed, and the authorities are those of the machine.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::crypto::aws_lc_rs;
use ureq::config::ConfigBuilder;
use ureq::http::Uri;
use ureq::http::uri::Authority;
use ureq::tls::{Certificate, RootCerts, TlsConfig};
use ureq::typestate::AgentScope;
use ureq::unversioned::resolver::Resolver;
use ureq::unversioned::transport::DefaultConnector;

/// This machine has no certificate authorities to verify a server by.
#[derive(Debug)]
pub(crate) struct NoAuthorities;

/// The message for [`NoAuthorities`].
pub(crate) const NO_AUTHORITIES: &str = "there are no certificate authorities: install ca-certificates";

/// Reads a URL that may be asked: `https`, or `http` on this machine, and without a password.
pub(crate) fn allowed_url(text: &str) -> Option<Uri> {
    let url: Uri = text.parse().ok()?;
    let authority = url.authority()?;
    let is_allowed = match url.scheme_str() {
        Some("https") => true,
        Some("http") => is_loopback(authority.host()),
        _ => false,
    };
    (is_allowed && has_good_port(authority) && !authority.as_str().contains('@')).then_some(url)
}

/// Whether the port is one that can be dialled, if there is one. The library takes 99999 for no port at all, and so for 443.
pub(crate) fn has_good_port(authority: &Authority) -> bool {
    let after_host = authority
        .as_str()
        .rsplit_once(']')
        .map_or(authority.as_str(), |(_, rest)| rest);
    !after_host.contains(':') || authority.port_u16().is_some_and(|port| port > 0)
}

/// Whether a host in a URL is this machine: plain HTTP is good enough there.
pub(crate) fn is_loopback(host: &str) -> bool {
    let address: Result<IpAddr, _> = host.trim_start_matches('[').trim_end_matches(']').parse();
    address.map_or_else(
        |_| host.eq_ignore_ascii_case("localhost"),
        |address| address.is_loopback(),
    )
}

/// A client for the server of a URL. It keeps no connection open: the time between two requests is too long for that.
///
/// # Errors
///
/// When a server with TLS could not be verified.
pub(crate) fn agent(url: &Uri, timeout: Duration) -> Result<ureq::Agent, NoAuthorities> {
    let is_plain = url.scheme_str() == Some("http");
    let config = config(!is_plain, timeout).max_idle_connections(0);
    if is_plain {
        return Ok(config.proxy(None).build().new_agent());
    }
    Ok(config.tls_config(tls()?).build().new_agent())
}

/// A client for a server that is asked all the time, by many threads at once. It keeps connections open.
///
/// # Errors
///
/// When a server with TLS could not be verified, and plain HTTP is not allowed.
#[cfg(feature = "s3")]
pub(crate) fn pooling_agent(allows_plain: bool, timeout: Duration) -> Result<ureq::Agent, NoAuthorities> {
    let config = config(!allows_plain, timeout)
        .timeout_connect(Some(Duration::from_secs(1)))
        .max_idle_connections(64)
        .max_idle_connections_per_host(64);
    match tls() {
        Ok(tls) => Ok(config.tls_config(tls).build().new_agent()),
        Err(NoAuthorities) if allows_plain => Ok(config.build().new_agent()),
        Err(NoAuthorities) => Err(NoAuthorities),
    }
}

/// A client for the server of a URL, whose addresses a resolver of its own finds. Only those are dialled. It keeps connections open for
/// a short time. A proxy that is in the environment is not used, because it would dial what it finds itself.
///
/// # Errors
///
/// When a server with TLS could not be verified.
pub(crate) fn resolving_agent(
    url: &Uri,
    timeout: Duration,
    proxy: Option<ureq::Proxy>,
    resolver: impl Resolver,
) -> Result<ureq::Agent, NoAuthorities> {
    let is_plain = url.scheme_str() == Some("http");
    let mut config = config(!is_plain, timeout)
        .proxy(proxy)
        .max_idle_connections(16)
        .max_idle_connections_per_host(16)
        // Some receivers close idle connections after 5 s.
        .max_idle_age(Duration::from_secs(3));
    if !is_plain {
        config = config.tls_config(tls()?);
    }
    Ok(ureq::Agent::with_parts(
        config.build(),
        DefaultConnector::default(),
        resolver,
    ))
}

fn config(https_only: bool, timeout: Duration) -> ConfigBuilder<AgentScope> {
    ureq::Agent::config_builder()
        .https_only(https_only)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .http_status_as_error(false)
        .timeout_global(Some(timeout))
        .user_agent(concat!("liveness-http/", env!("CARGO_PKG_VERSION")))
}

/// TLS with the authorities of the machine.
fn tls() -> Result<TlsConfig, NoAuthorities> {
    let authorities = rustls_native_certs::load_native_certs().certs;
    if authorities.is_empty() {
        return Err(NoAuthorities);
    }
    let authorities = authorities
        .iter()
        .map(|authority| Certificate::from_der(authority.as_ref()).to_owned());
    Ok(TlsConfig::builder()
        .root_certs(RootCerts::Specific(Arc::new(authorities.collect())))
        .unversioned_rustls_crypto_provider(Arc::new(aws_lc_rs::default_provider()))
        .build())
}
