//! The host as its callers meet it: the real binary, real HTTP, a database of its own for each test.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up ends")]
#![expect(
    unreachable_pub,
    reason = "what the tests share stands in modules of one binary, and so does the example"
)]

mod audit;
mod durability;
mod embedding;
mod in_process;
mod recording;
mod server;
mod specification;
mod start;
