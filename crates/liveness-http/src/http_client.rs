//! Asks other servers: an identity provider for its keys, and a witness for its cosignature.
//!
//! Over TLS, or over plain HTTP on this machine. Redirects are not followed, and the authorities are those of the machine.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::crypto::aws_lc_rs;
use ureq::http::Uri;
use ureq::tls::{Certificate, RootCerts, TlsConfig};

/// This machine has no certificate authorities to verify a server by.
#[derive(Debug)]
pub(crate) struct NoAuthorities;

/// Reads a URL that may be asked: `https`, or `http` on this machine, and without a password.
pub(crate) fn allowed_url(text: &str) -> Option<Uri> {
    let url: Uri = text.parse().ok()?;
    let authority = url.authority()?;
    let is_allowed = match url.scheme_str() {
        Some("https") => true,
        Some("http") => is_loopback(authority.host()),
        _ => false,
    };
    (is_allowed && !authority.as_str().contains('@')).then_some(url)
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
    let config = ureq::Agent::config_builder()
        .https_only(!is_plain)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .http_status_as_error(false)
        .timeout_global(Some(timeout))
        .max_idle_connections(0)
        .user_agent(concat!("liveness-http/", env!("CARGO_PKG_VERSION")));
    if is_plain {
        return Ok(config.proxy(None).build().new_agent());
    }
    let authorities = rustls_native_certs::load_native_certs().certs;
    if authorities.is_empty() {
        return Err(NoAuthorities);
    }
    let authorities = authorities
        .iter()
        .map(|authority| Certificate::from_der(authority.as_ref()).to_owned());
    let tls = TlsConfig::builder()
        .root_certs(RootCerts::Specific(Arc::new(authorities.collect())))
        .unversioned_rustls_crypto_provider(Arc::new(aws_lc_rs::default_provider()))
        .build();
    Ok(config.tls_config(tls).build().new_agent())
}
