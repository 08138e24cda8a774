//! The span of a request, for OpenTelemetry.
//!
//! Without the feature `opentelemetry`, it holds nothing and does nothing.

#[cfg(not(feature = "opentelemetry"))]
mod disabled;
#[cfg(feature = "opentelemetry")]
mod enabled;

#[cfg(not(feature = "opentelemetry"))]
pub(super) use self::disabled::{RequestSpan, within};
#[cfg(feature = "opentelemetry")]
pub(super) use self::enabled::{RequestSpan, within};
