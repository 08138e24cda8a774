//! The review page in a real browser, against the real binary: Chromium, driven through chromedriver.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up ends")]
#![expect(unreachable_pub, reason = "what the tests share stands in modules of one binary")]

#[path = "../../../liveness-core/tests/store/cluster.rs"]
mod cluster;
mod decision;
mod driver;
#[path = "../api/engine.rs"]
#[expect(dead_code, unused_imports, unused_macros, reason = "the page is tried on SQLite")]
mod engine;
mod face_view;
mod failures;
mod filters;
#[path = "../api/in_process.rs"]
mod in_process;
mod keyboard;
mod list;
mod looks;
mod officer;
mod oidc;
#[path = "../oidc/provider.rs"]
mod oidc_provider;
mod oidc_refusals;
mod oidc_reviewer;
mod policy;
mod purpose;
mod queue;
mod record;
mod reviewer;
mod screenshots;
#[path = "../api/server.rs"]
#[expect(dead_code, reason = "most is asked through the page")]
mod server;
mod sign_in;
mod strangers;
#[path = "../trail_key/file.rs"]
mod trail_key_file;
mod two_reviewers;
mod verdict;
