//! The span of a message on its way through the bus, for OpenTelemetry.
//!
//! Without the feature `opentelemetry`, it holds nothing and does nothing.

#[cfg(not(feature = "opentelemetry"))]
mod disabled;
#[cfg(feature = "opentelemetry")]
mod enabled;

#[cfg(not(feature = "opentelemetry"))]
pub(crate) use self::disabled::Span;
#[cfg(feature = "opentelemetry")]
pub(crate) use self::enabled::Span;
