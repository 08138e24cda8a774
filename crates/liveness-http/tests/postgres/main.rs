//! The real binary on PostgreSQL servers that are stopped, killed, suspended and replaced, and on several nodes at once.
//!
//! Those that watch the time print what happened when: `.ci/test -p liveness-http --test postgres -- --nocapture`.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up ends")]
#![expect(clippy::print_stdout, reason = "a transcript of what happened when")]
#![expect(unreachable_pub, reason = "the example is a module here")]

#[path = "../../../liveness-core/tests/store/cluster.rs"]
mod cluster;
mod embedding;
mod failover;
mod hung;
mod load;
mod migrating;
mod node;
mod nodes;
mod pooler;
mod restart;
mod server_log;
mod start;
mod tls;
#[path = "../trail_key/file.rs"]
mod trail_key_file;
mod transcript;
mod two_roles;
