//! Everything that is not a message: the review page, the privacy page, the API's document, health, metrics, the key of receipts.
//!
//! No page asks for a token, and none shows personal data.

pub mod admin;
pub(crate) mod openapi;
pub mod privacy;

pub(crate) mod docs;
pub(crate) mod health;
pub(crate) mod receipt_keys;

mod get_route;
mod metrics;
mod static_files;
