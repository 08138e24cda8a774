//! What OpenTelemetry is told of the store's work: how long a call waited, and how long the database took.
//!
//! A call that was sent within a span that is sampled gets a span here, and so does the work that a thread does for it. Without
//! the feature `opentelemetry`, these types hold nothing and do nothing.

#[cfg(not(feature = "opentelemetry"))]
mod disabled;
#[cfg(feature = "opentelemetry")]
mod enabled;

#[cfg(not(feature = "opentelemetry"))]
pub(crate) use self::disabled::{BatchSpans, Origin, Span};
#[cfg(feature = "opentelemetry")]
pub(crate) use self::enabled::{BatchSpans, Origin, Span};

/// A call that waits to read and then reads.
pub(crate) const STORE_READ: &str = "store read";
/// A call that waits to write, and then until what it wrote is durable.
pub(crate) const STORE_WRITE: &str = "store write";
/// What the database does for a read.
pub(crate) const QUERY: &str = "query";
/// A transaction, from its first statement until it is durable.
pub(crate) const COMMIT: &str = "commit";
