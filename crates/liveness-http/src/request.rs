//! One request for a message: from its head and its body to the bus, and back as one envelope.
//!
//! [`api`] mounts the route, and `dispatch` shows the steps of a request in their order.

mod api;
mod api_state;
mod authentication;
mod client_address;
mod dispatch;
mod expectation;
mod limits;
mod message_headers;
mod quoted;
mod request_span;
mod trace_headers;

pub(crate) mod body;
pub(crate) mod connection_state;
pub(crate) mod cors;
pub(crate) mod envelope;
pub(crate) mod failure;
pub(crate) mod pace;
pub(crate) mod path;
pub(crate) mod prefer;
pub(crate) mod request_id;
pub(crate) mod sliced_body;
pub(crate) mod unrouted;
pub(crate) mod upgrade;

pub use self::api::{LivenessApi, LivenessApiBuilder};
pub use self::client_address::{ForwardedHeader, TrustedProxies};
pub use self::cors::CorsOrigins;
pub use self::limits::rate_limit::RateLimit;

pub(crate) use self::api::max_command_bytes;
pub(crate) use self::prefer::LONGEST_WAIT;
