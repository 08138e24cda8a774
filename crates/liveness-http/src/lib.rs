//! The HTTP host of the liveness check: a thin layer between actix-web and the bus.
//!
//! It turns a bearer token into a principal, a request into a context, a failure into one envelope; what a
//! message means is the bus's business. [`LivenessApi`] mounts onto any actix application; [`serve`] runs one
//! of its own. `docs/api.md` says what callers may rely on.

pub mod cli;
pub mod config;
pub mod log_format;
pub mod serve;
pub mod token;

mod connection;
mod dev;
mod file_watcher;
mod metrics;
mod open_files;
mod pages;
mod request;
mod tls;

pub use metrics::Metrics;
pub use pages::{admin, openapi};
pub use request::{LivenessApi, LivenessApiBuilder, RateLimit, TrustedProxies};
pub use tls::TlsError;
