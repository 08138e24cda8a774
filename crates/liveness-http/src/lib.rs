#![doc = include_str!("../README.md")]
//!
//! # Where to begin
//!
//! [`LivenessApi`] mounts onto any actix application. [`serve`](serve::serve) runs a server of its own. A request is turned into a context,
//! its bearer token into a principal, and a failure into one envelope: what a message means is the bus's business. `docs/api.md` says what
//! callers may rely on. The modules build on each other in one direction: `cli`, `server`, `host`, `pages`, `request`, `token`.

pub mod cli;
pub mod config;
pub mod log_format;
pub mod token;

mod accepted_dangers;
mod environment;
mod face_keys;
mod face_place;
mod face_sealing;
mod file_watcher;
mod host;
mod http_client;
mod metrics;
mod operator;
mod pages;
mod policy_source;
mod request;
mod server;
mod signals;
#[cfg(feature = "opentelemetry")]
mod span_export;
mod text_file;
mod trail_key;
mod url_file;
mod webhooks;
mod witness;

pub use host::start_error::TlsError;
pub use metrics::Metrics;
pub use pages::admin;
pub use pages::privacy;
pub use policy_source::{PolicyConfig, PolicyError, PolicySource};
pub use request::{CorsOrigins, ForwardedHeader, LivenessApi, LivenessApiBuilder, RateLimit, TrustedProxies};
#[cfg(feature = "opentelemetry")]
pub use span_export::SpanExportError;
pub use webhooks::{WebhookConfig, WebhookError, WebhookNetworks, WebhookSecretError};
pub use witness::{WitnessAddress, WitnessAddressError};

/// Runs the standalone host as a server.
pub mod serve {
    pub use crate::host::start_error::StartError;
    pub use crate::server::serve;
}

/// The OpenAPI 3.1 document of the messages on a bus.
pub mod openapi {
    pub use crate::host::host_document;
    pub use crate::pages::openapi::{Endpoints, document};
}
