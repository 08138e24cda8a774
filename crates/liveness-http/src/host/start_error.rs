//! Why a host does not start.

use std::net::SocketAddr;

use liveness_bus::BuildErrors;
use liveness_core::store::OpenError;

use crate::face_keys::FaceKeysError;
use crate::face_place::FacePlaceError;
use crate::pages::admin::SignInError;
use crate::policy_source::PolicyError;
#[cfg(feature = "opentelemetry")]
use crate::span_export::SpanExportError;
use crate::token::{JwksError, KeyError, RevokedTokensError};
use crate::trail_key::TrailKeyError;
use crate::webhooks::WebhookError;

/// Why the host does not start, as one line that says what would be right.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// There is nothing to verify tokens by.
    #[error(
        "there is no key to verify tokens by: set LIVENESS_JWT_SECRET or LIVENESS_JWT_SECRET_FILE (HS256, \
         at least 32 bytes), LIVENESS_JWT_PUBLIC_KEY_FILE (PEM; RS256, ES256 or EdDSA) or LIVENESS_JWT_JWKS (an identity provider's keys: \
         URL or file), or try it out with `serve --dev`"
    )]
    NoKey,
    /// The secret is too short.
    #[error("LIVENESS_JWT_SECRET: {0}")]
    Secret(#[source] KeyError),
    /// The file holds no usable secret.
    #[error("LIVENESS_JWT_SECRET_FILE: {0}: {1}")]
    SecretFile(String, #[source] KeyError),
    /// The file of the secret cannot be read.
    #[error("LIVENESS_JWT_SECRET_FILE: cannot read {0}: {1}")]
    SecretFileUnread(String, #[source] std::io::Error),
    /// There are two secrets.
    #[error("LIVENESS_JWT_SECRET and LIVENESS_JWT_SECRET_FILE ({0}): set one of them")]
    SecretTwice(String),
    /// The file holds no usable key.
    #[error("LIVENESS_JWT_PUBLIC_KEY_FILE: {0}: {1}")]
    KeyFile(String, #[source] KeyError),
    /// The file cannot be read.
    #[error("LIVENESS_JWT_PUBLIC_KEY_FILE: cannot read {0}: {1}")]
    KeyFileUnread(String, #[source] std::io::Error),
    /// The identity provider's keys cannot be used.
    #[error("LIVENESS_JWT_JWKS: {0}")]
    Jwks(#[from] JwksError),
    /// The identity provider's tokens for other services would be good here.
    #[error("LIVENESS_JWT_JWKS: an identity provider signs tokens for other services too; set {0}")]
    Provider(String),
    /// The list of revoked tokens cannot be used.
    #[error("LIVENESS_JWT_REVOKED_FILE: {0}")]
    RevokedTokens(#[from] RevokedTokensError),
    /// The certificate or its key cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// Reviewers cannot sign in like that.
    #[error(transparent)]
    SignIn(#[from] SignInError),
    /// The address cannot be listened on.
    #[error("{0}: cannot listen on {1}: {2}")]
    Bind(&'static str, String, #[source] std::io::Error),
    /// `serve --dev` prints its tokens on the terminal, so it serves this machine only.
    #[error("{0}: `serve --dev` listens on a loopback address only, and {1} is none")]
    DevBind(&'static str, SocketAddr),
    /// There would be no memory for a single body.
    #[error(
        "LIVENESS_BODY_MEMORY: must be at least {0}, the bytes of one body with an image of LIVENESS_MAX_IMAGE_BYTES"
    )]
    BodyMemory(usize),
    /// The database, or the key store of the faces, cannot be opened.
    #[error("{setting}: {0}", setting = database_setting(.0))]
    Database(#[from] OpenError),
    /// There is no key of the audit trail.
    #[error(transparent)]
    TrailKey(#[from] TrailKeyError),
    /// Faces cannot be sealed.
    #[error(transparent)]
    FaceKeys(#[from] FaceKeysError),
    /// Webhooks cannot be sent.
    #[error(transparent)]
    Webhooks(#[from] WebhookError),
    /// There is no policy.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// Faces cannot be kept where the setting says.
    #[error(transparent)]
    FacePlace(#[from] FacePlaceError),
    /// Records could be lost or given away.
    #[error("records could be lost or given away: {0}")]
    Danger(String),
    /// Spans cannot be exported as the environment says.
    #[cfg(feature = "opentelemetry")]
    #[error(transparent)]
    SpanExport(#[from] SpanExportError),
    /// The messages of the bus do not fit together.
    #[error("the bus: {0}")]
    Bus(#[from] BuildErrors),
    /// The operating system does not let the process run as a server.
    #[error("cannot start the server: {0}")]
    Server(#[from] std::io::Error),
}

/// The setting that names the database of which the error tells.
fn database_setting(error: &OpenError) -> &'static str {
    if error.is_of_key_store() {
        "LIVENESS_KEYS_URL"
    } else {
        "LIVENESS_DATABASE_URL"
    }
}

/// Why TLS cannot be used, as one line for the operator.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// Only one of the two settings is set.
    #[error("LIVENESS_TLS_CERT_FILE and LIVENESS_TLS_KEY_FILE: set both, or none for plain HTTP")]
    Incomplete,
    /// The file of the certificate cannot be used.
    #[error("LIVENESS_TLS_CERT_FILE: {0}: it must hold a certificate in PEM, with its chain: {1}")]
    Certificate(String, String),
    /// The file of the key cannot be used.
    #[error("LIVENESS_TLS_KEY_FILE: {0}: it must hold a private key in PEM: {1}")]
    Key(String, String),
    /// The key does not belong to the certificate.
    #[error("LIVENESS_TLS_KEY_FILE: {0}: it does not belong to the certificate in LIVENESS_TLS_CERT_FILE: {1}")]
    Pair(String, String),
    /// The TLS library refuses its configuration.
    #[error("TLS: {0}")]
    Library(#[from] rustls::Error),
    /// `serve --dev` prints lines for curl, and curl would not trust the certificate.
    #[error("LIVENESS_TLS_CERT_FILE: `serve --dev` speaks plain HTTP, on this machine only; leave it out")]
    Dev,
}
