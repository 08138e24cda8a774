//! The host against bad tokens, bad requests and slow clients, many of them as bytes that no HTTP client would send.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up ends")]
#![expect(unreachable_pub, reason = "what the tests share stands in modules of one binary")]

mod client_address;
#[path = "../../../liveness-core/tests/store/cluster.rs"]
mod cluster;
mod collector;
mod connections;
mod cors;
#[path = "../api/engine.rs"]
mod engine;
mod jwks;
mod keys;
mod logs;
mod memory;
mod metrics;
mod oidc;
#[path = "../oidc/provider.rs"]
mod oidc_provider;
mod overload;
mod provider;
mod rate_limits;
mod requests;
#[path = "../api/server.rs"]
mod server;
mod serving;
mod slow_clients;
mod static_files;
mod tls;
#[path = "../tls_identity/identity.rs"]
mod tls_identity;
mod tokens;
mod traces;
#[path = "../trail_key/file.rs"]
mod trail_key_file;
mod waiting;
mod wire;
