//! Where a JWKS is read from: a file or a URL.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ureq::http::Uri;

use crate::http_client::{self, NoAuthorities};
use crate::text_file::remove_byte_order_mark;

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
        // Over plain HTTP, anybody on the network could send keys of their own.
        let url = http_client::allowed_url(location).ok_or(JwksError::Location)?;
        let agent = http_client::agent(&url, FETCH_TIMEOUT).map_err(|NoAuthorities| JwksError::NoAuthorities)?;
        Ok(Self::Url(agent, url))
    }

    pub(super) fn is_file(&self) -> bool {
        matches!(self, Self::File(_))
    }

    /// The document as it is now, or one line that says why there is none.
    pub(super) fn read(&self) -> Result<Vec<u8>, String> {
        let mut document = match self {
            Self::File(path) => read_file(path),
            Self::Url(agent, uri) => fetch(agent, uri),
        }?;
        remove_byte_order_mark(&mut document).map_err(|error| error.to_string())?;
        Ok(document)
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
