//! The tables. Each has a file or a folder with its SQL and with the operations that the store offers on it.

pub(crate) mod checks;
pub(crate) mod dating;
pub(crate) mod distribution;
pub(crate) mod entry_writer;
pub(crate) mod erasure_rows;
pub(crate) mod erasures;
pub(crate) mod face_objects;
pub(crate) mod face_tools;
pub(crate) mod faces;
pub(crate) mod faces_in_clear;
pub(crate) mod job_change;
pub(crate) mod jobs;
pub(crate) mod look_limit;
pub(crate) mod questions;
pub(crate) mod recording;
pub(crate) mod row_counts;
pub(crate) mod schema;
pub(crate) mod sessions;
pub(crate) mod stored_check;
pub(crate) mod totals;
pub(crate) mod trail;
mod transaction;
pub(crate) mod user_changes;
pub(crate) mod user_directory;
pub(crate) mod users;
pub(crate) mod write;
