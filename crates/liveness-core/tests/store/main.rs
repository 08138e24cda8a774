//! The store as its callers see it, on databases of its own. What a test cannot ask the store it reads by SQL.

mod completion;
mod connection;
mod database;
mod host_pool;
mod idempotency;
mod pages;
mod recording;
mod schema;
mod sessions;
mod url;
mod users;
