//! Why webhooks cannot be sent as the settings say.

use std::io;

use super::signing::WebhookSecretError;

/// Why webhooks cannot be sent as the settings say, as one line for the operator. It names no secret.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WebhookError {
    /// Nothing may be sent there.
    #[error(
        "LIVENESS_WEBHOOK_URL: must be an https:// URL without a password, or an http:// URL of this machine (loopback), with a \
         port from 1 to 65535 if it has one"
    )]
    Url,
    /// It is no proxy that can be used.
    #[error("LIVENESS_WEBHOOK_PROXY: must be the http:// or https:// URL of a proxy that knows CONNECT")]
    Proxy,
    /// There is no secret.
    #[error(
        "LIVENESS_WEBHOOK_URL: webhooks are signed: set LIVENESS_WEBHOOK_SECRET_FILE to a file with a secret, whsec_ and \
         Base64 of 24 to 64 bytes"
    )]
    NoSecret,
    /// There is nowhere to send anything.
    #[error("{0}: it has no meaning without LIVENESS_WEBHOOK_URL")]
    NoUrl(&'static str),
    /// There are two settings of the secret.
    #[error("LIVENESS_WEBHOOK_SECRET and LIVENESS_WEBHOOK_SECRET_FILE ({0}): set one of them")]
    Twice(String),
    /// The secret is none.
    #[error("LIVENESS_WEBHOOK_SECRET: {0}")]
    Secret(#[source] WebhookSecretError),
    /// The file holds no secret.
    #[error("LIVENESS_WEBHOOK_SECRET_FILE: {0}: {1}")]
    SecretFile(String, #[source] WebhookSecretError),
    /// The file cannot be read.
    #[error("LIVENESS_WEBHOOK_SECRET_FILE: cannot read {0}: {1}")]
    Unread(String, #[source] io::Error),
    /// The URL has an address in place of a name, and nothing may be sent there.
    #[error(
        "LIVENESS_WEBHOOK_URL: its address is not public: if it is meant to be in a network of yours, name that in \
         LIVENESS_WEBHOOK_NETWORKS"
    )]
    Address,
}
