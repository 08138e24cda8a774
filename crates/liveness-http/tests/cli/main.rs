//! The command line as operators meet it: the real binary, real files, a database of its own for each test.
//!
//! A test that is a function of an `Engine` is listed at the end of its file, to run on each.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up ends")]
#![expect(unreachable_pub, reason = "what the tests share stands in modules of one binary")]

mod access;
mod backup;
mod binary;
mod checks_csv;
mod checks_export;
#[path = "../../../liveness-core/tests/store/cluster.rs"]
mod cluster;
mod doctor;
mod empty_variables;
#[path = "../api/engine.rs"]
mod engine;
mod examples;
mod faces;
mod faces_on_a_token;
mod file_trouble;
mod jobs;
mod migrate;
mod papers;
mod policy;
#[path = "../softhsm/token.rs"]
mod soft_token;
mod terminal;
mod token;
mod trail;
#[path = "../trail_key/file.rs"]
mod trail_key_file;
mod usage;
mod users_import;
mod users_quotes;
mod users_rebind;
mod webhooks;
