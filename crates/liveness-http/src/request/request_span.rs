//! The span of a request, for OpenTelemetry.
//!
//! Without the feature `opentelemetry`, it holds nothing and does nothing.

#[cfg(not(feature = "opentelemetry"))]
mod not_told;
#[cfg(feature = "opentelemetry")]
mod told;

#[cfg(not(feature = "opentelemetry"))]
pub(super) use self::not_told::{RequestSpan, within};
#[cfg(feature = "opentelemetry")]
pub(super) use self::told::{RequestSpan, within};
