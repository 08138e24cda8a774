//! The host against bad tokens, bad requests and slow clients, many of them as bytes that no HTTP client would send.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot be set up ends")]

mod client_address;
mod keys;
mod rate_limits;
mod requests;
#[path = "../api/server.rs"]
mod server;
mod slow_clients;
mod tokens;
mod wire;
