//! The HTTP host of the liveness check: a thin layer between actix-web and the bus.
//!
//! It turns a bearer token into a principal, a request into a context, a failure into one envelope; what a
//! message means is the bus's business. [`LivenessApi`] mounts onto any actix application; [`serve`] runs one
//! of its own. `docs/api.md` says what callers may rely on.

pub mod cli;
pub mod config;
pub mod log_format;
pub mod token;

mod file_watcher;
mod metrics;
mod pages;
mod request;
mod server;

pub use metrics::Metrics;
pub use pages::{admin, openapi};
pub use request::{LivenessApi, LivenessApiBuilder, RateLimit, TrustedProxies};
pub use server::tls::TlsError;

/// Runs a host of its own.
pub mod serve {
    pub use crate::server::{StartError, serve};
}
