//! Everything that is not a message: the review page, the API's document, health, metrics.
//!
//! None of it asks for a token, and none of it shows a person's data.

pub mod admin;
pub mod openapi;

pub(crate) mod docs;
pub(crate) mod health;

mod static_files;
