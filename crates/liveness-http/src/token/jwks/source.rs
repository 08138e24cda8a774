//! Where a JWKS is read from: a file or a URL.

use std::fs::File;
use std::io::Read as _;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rustls::crypto::aws_lc_rs;
use ureq::http::Uri;
use ureq::tls::{Certificate, RootCerts, TlsConfig};

const MAX_BYTES: u64 = 256 * 1024;
/// Requests stop waiting long before, so a fetch may take this long.
const FETCH_TIMEOUT: Duration = Duration::from_secs(10);

/// Why a JWKS cannot be used, as one line for the operator.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JwksError {
    /// It is neither a file nor an allowed URL.
    #[error("it must be a file, an https:// URL without a password, or an http:// URL of this machine (loopback)")]
    Location,
    /// This machine has no certificate authorities to verify the provider's certificate.
    #[error(
        "there are no certificate authorities to verify the provider by: install ca-certificates, or name a file \
         of them in SSL_CERT_FILE"
    )]
    NoAuthorities,
    /// The file is not a JWKS, or holds no key that can be used.
    #[error("{0}: {1}")]
    File(String, String),
    /// The operating system gives the process no other thread.
    #[error("cannot start the thread that fetches the keys: {0}")]
    Thread(#[source] std::io::Error),
}

#[derive(Debug)]
pub(super) enum Source {
    File(PathBuf),
    Url(ureq::Agent, Uri),
}

impl Source {
    pub(super) fn parse(location: &str) -> Result<Self, JwksError> {
        if !location.contains("://") {
            return Ok(Self::File(location.into()));
        }
        let uri: Uri = location.parse().map_err(|_| JwksError::Location)?;
        let authority = uri.authority().ok_or(JwksError::Location)?;
        let is_plain = match uri.scheme_str() {
            Some("https") => false,
            Some("http") => true,
            _ => return Err(JwksError::Location),
        };
        // Over plain HTTP, anybody on the network could send keys of their own.
        if authority.as_str().contains('@') || (is_plain && !is_loopback(authority.host())) {
            return Err(JwksError::Location);
        }
        Ok(Self::Url(agent(is_plain)?, uri))
    }

    pub(super) fn is_file(&self) -> bool {
        matches!(self, Self::File(_))
    }

    /// The document as it is now, or one line that says why there is none.
    pub(super) fn read(&self) -> Result<Vec<u8>, String> {
        match self {
            Self::File(path) => read_file(path),
            Self::Url(agent, uri) => fetch(agent, uri),
        }
    }
}

fn read_file(path: &Path) -> Result<Vec<u8>, String> {
    let file = File::open(path).map_err(|error| format!("it cannot be read: {error}"))?;
    let mut document = Vec::new();
    let read = file.take(MAX_BYTES + 1).read_to_end(&mut document);
    read.map_err(|error| format!("it cannot be read: {error}"))?;
    if document.len() as u64 > MAX_BYTES {
        return Err("it is larger than 256 KiB".to_owned());
    }
    Ok(document)
}

fn fetch(agent: &ureq::Agent, uri: &Uri) -> Result<Vec<u8>, String> {
    let response = agent.get(uri.clone()).call().map_err(|error| error.to_string())?;
    if response.status() != ureq::http::StatusCode::OK {
        return Err(format!("the provider answered {}", response.status().as_u16()));
    }
    let body = response.into_body().into_with_config().limit(MAX_BYTES);
    body.read_to_vec().map_err(|error| error.to_string())
}

/// Whether a host in a URL is this machine: plain HTTP is good enough there.
pub(crate) fn is_loopback(host: &str) -> bool {
    let address: Result<IpAddr, _> = host.trim_start_matches('[').trim_end_matches(']').parse();
    address.map_or_else(
        |_| host.eq_ignore_ascii_case("localhost"),
        |address| address.is_loopback(),
    )
}

fn agent(is_plain: bool) -> Result<ureq::Agent, JwksError> {
    let config = ureq::Agent::config_builder()
        .https_only(!is_plain)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .http_status_as_error(false)
        .timeout_global(Some(FETCH_TIMEOUT))
        // The time between two fetches is too long to keep a connection open.
        .max_idle_connections(0)
        .user_agent(concat!("liveness-http/", env!("CARGO_PKG_VERSION")));
    if is_plain {
        return Ok(config.proxy(None).build().new_agent());
    }
    let authorities = rustls_native_certs::load_native_certs().certs;
    if authorities.is_empty() {
        return Err(JwksError::NoAuthorities);
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
