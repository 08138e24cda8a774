//! The span of a message on its way through the bus, for OpenTelemetry.
//!
//! Without the feature `opentelemetry`, it holds nothing and does nothing.

#[cfg(not(feature = "opentelemetry"))]
mod not_told;
#[cfg(feature = "opentelemetry")]
mod told;

#[cfg(not(feature = "opentelemetry"))]
pub(crate) use self::not_told::Span;
#[cfg(feature = "opentelemetry")]
pub(crate) use self::told::Span;
