//! One request for a message: from its head and its body to the bus, and back as one envelope.

mod api;
mod rate_limit;

pub(crate) mod admission;
pub(crate) mod body;
pub(crate) mod client_address;
pub(crate) mod dispatch;
pub(crate) mod envelope;

pub use self::api::{LivenessApi, LivenessApiBuilder};
pub use self::client_address::TrustedProxies;
pub use self::rate_limit::RateLimit;

pub(crate) use self::api::max_command_bytes;
