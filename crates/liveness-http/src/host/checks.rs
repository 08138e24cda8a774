//! What a server needs of its database and its files. `doctor` prints what is found, and `serve` does not start on a danger.

pub(crate) mod database;
pub(crate) mod events;
pub(crate) mod faces;
pub(crate) mod files;
pub(crate) mod findings;
pub(crate) mod trail;
pub(crate) mod verdicts;
pub(crate) mod webhooks;
