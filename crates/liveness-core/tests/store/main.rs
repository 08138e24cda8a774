//! The store as its callers see it, on databases of its own. What a test cannot ask the store it reads by SQL.
//!
//! A test is a function of a [`Database`](database::Database), or of a [`Place`](database::Place) where there is nothing
//! yet; at the end of its file it is listed, to run on either engine. A test of one engine says so by itself.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on ends there")]

mod attempts;
mod citus;
mod cluster;
mod completion;
mod connection;
mod database;
mod dating;
mod decisions;
mod diagnosis;
mod erasures;
mod event_delivery;
mod events;
#[cfg(feature = "s3")]
mod face_places;
mod file;
mod group_commit;
mod holds;
mod host_pool;
mod host_schema;
mod idempotency;
mod ids;
mod image_reuse;
mod issued_sessions;
mod job_keys;
mod job_leases;
mod job_runner;
mod look_limit;
mod migrations;
mod pages;
mod queue;
mod receipts;
mod record_erasures;
mod recording;
mod samples;
mod schema;
mod sealed_faces;
mod searches;
mod server;
mod sessions;
mod signer;
mod span;
mod standby;
mod stats;
mod totals;
mod trail;
mod unfinished_erasures;
mod unused_face_keys;
mod url;
mod user_erasures;
mod users;
mod watching;
