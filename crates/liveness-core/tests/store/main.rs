//! The store as its callers see it, on databases of its own. What a test cannot ask the store it reads by SQL.

mod completion;
mod database;
mod idempotency;
mod pages;
mod recording;
mod sessions;
mod users;
