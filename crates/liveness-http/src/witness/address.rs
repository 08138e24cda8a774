//! The setting that names a witness, and how it is reached.

use std::str::FromStr;
use std::time::Duration;

use liveness_core::trail::{VkeyError, WitnessVerifier};
use ureq::http::Uri;

use crate::http_client::{self, NO_AUTHORITIES, NoAuthorities};

/// A witness answers in milliseconds, or is not asked now.
const TIMEOUT: Duration = Duration::from_secs(10);
/// The most bytes of an answer: a few signatures.
const MAX_BYTES: u64 = 64 * 1024;

/// The public key of a witness, and where it is: `VKEY URL`.
#[derive(Debug, Clone)]
pub struct WitnessAddress {
    verifier: WitnessVerifier,
    url: Uri,
}

/// Why a text names no witness, as one line for the operator.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WitnessAddressError {
    /// It is not two words.
    #[error("it must be the witness's vkey, a space, and the URL that add-checkpoint is below")]
    Form,
    /// The first word is no vkey of a witness.
    #[error("{0}")]
    Vkey(#[from] VkeyError),
    /// The second word is no allowed URL.
    #[error("{0} must be an https:// URL without a password, or an http:// URL of this machine (loopback)")]
    Url(String),
}

impl FromStr for WitnessAddress {
    type Err = WitnessAddressError;

    fn from_str(text: &str) -> Result<Self, WitnessAddressError> {
        let mut words = text.split_whitespace();
        let (Some(vkey), Some(prefix), None) = (words.next(), words.next(), words.next()) else {
            return Err(WitnessAddressError::Form);
        };
        let verifier = WitnessVerifier::parse(vkey)?;
        let refused = || WitnessAddressError::Url(prefix.to_owned());
        let url = format!("{}/add-checkpoint", prefix.trim_end_matches('/'));
        let url = http_client::allowed_url(&url).ok_or_else(refused)?;
        if url.query().is_some() {
            return Err(refused());
        }
        Ok(Self { verifier, url })
    }
}

impl WitnessAddress {
    /// The public key of the witness.
    pub(crate) fn verifier(&self) -> &WitnessVerifier {
        &self.verifier
    }

    /// Sends a request. Returns the status, the media type and the body of the answer, or one line that says why there is
    /// none. Blocks.
    pub(super) fn post(&self, request: String) -> Result<(u16, String, String), String> {
        // Authorities are read at each request: they change, and a witness is asked every ten seconds at most.
        let agent = http_client::agent(&self.url, TIMEOUT).map_err(|NoAuthorities| NO_AUTHORITIES)?;
        let sent = agent
            .post(self.url.clone())
            .header("Content-Type", "text/plain; charset=utf-8")
            .send(request);
        let answer = sent.map_err(|error| error.to_string())?;
        let status = answer.status().as_u16();
        let media_type = answer.headers().get("content-type");
        let media_type = media_type.and_then(|value| value.to_str().ok()).unwrap_or_default();
        let media_type = media_type.to_owned();
        let body = answer.into_body().into_with_config().limit(MAX_BYTES).read_to_vec();
        let body = body.map_err(|error| error.to_string())?;
        Ok((status, media_type, String::from_utf8_lossy(&body).into_owned()))
    }
}
