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

mod api;
mod body;
mod capacity;
mod client_address;
mod connection;
mod dev;
mod dispatch;
mod envelope;
mod file_watcher;
mod metrics;
mod open_files;
mod pages;
mod rate_limit;
mod tls;

pub use api::{LivenessApi, LivenessApiBuilder};
pub use client_address::TrustedProxies;
pub use metrics::Metrics;
pub use pages::{admin, openapi};
pub use rate_limit::RateLimit;
pub use tls::TlsError;
