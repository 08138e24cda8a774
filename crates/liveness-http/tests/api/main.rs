//! The host as its callers meet it: the real binary, real HTTP, a database of its own for each test.
//!
//! A test that is a function of an `Engine` is listed at the end of its file, to run on each.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up ends")]
#![expect(
    unreachable_pub,
    reason = "what the tests share stands in modules of one binary, and so does the example"
)]

mod attacks;
mod audit;
#[path = "../../../liveness-core/tests/store/cluster.rs"]
mod cluster;
mod concurrency;
mod dangers;
mod decisions;
mod documents;
mod durability;
mod embedding;
mod engine;
mod erased_faces;
mod erasures;
#[cfg(feature = "s3")]
mod face_places;
mod faces_in_clear;
mod faces_on_a_token;
mod faults;
mod in_process;
mod nodes;
mod openapi;
mod policy;
mod provisioning;
mod recorded_run;
mod recording;
mod scratch;
mod secrets;
mod server;
mod sessions;
#[path = "../softhsm/token.rs"]
mod soft_token;
mod specification;
mod start;
#[path = "../tls_identity/identity.rs"]
mod tls_identity;
mod trail;
#[path = "../trail_key/file.rs"]
mod trail_key_file;
mod webhooks;
