#![doc = include_str!("../README.md")]
//!
//! # Where to begin
//!
//! - [`Message`] is what a command or a query declares, [`Handler`] does its work, and a [`Module`] holds both.
//! - [`Bus::builder`] makes a [`Bus`]. [`Bus::send`] takes a typed message, [`Bus::dispatch`] a name and JSON.
//! - [`Context`] is what a message is sent with, [`Call`] is a message on its way, [`BusError`] says why it was not done.
//! - An [`Event`] tells what happened, a [`Subscription`] gets it by its [`Subscriber`]s.
//! - [`AuditSink`] takes the audit entries. [`Middleware`] wraps the handling, [`Observer`] is told of the outcome.
#![cfg_attr(feature = "liveness", doc = "- [`liveness`] has the messages of the liveness check.")]
#![cfg_attr(feature = "testing", doc = "- [`testing::TestBus`] is a bus with them for tests.")]
//!
//! # A message that does not say who may send it does not compile
//!
//! ```compile_fail,E0046
//! # use liveness_bus::{Access, Audit, Kind, Message};
//! # #[derive(liveness_bus::validator::Validate)]
//! # struct PeekQuery {}
//! impl Message for PeekQuery {
//!     const NAME: &'static str = "PeekQuery";
//!     const KIND: Kind = Kind::Query;
//!     const AUDIT: Audit = Audit::LogOnly;
//!     type Reply = ();
//! }
//! ```
//!
//! A message that does not say how it is audited does not compile either:
//!
//! ```compile_fail,E0046
//! # use liveness_bus::{Access, Audit, Kind, Message};
//! # #[derive(liveness_bus::validator::Validate)]
//! # struct PeekQuery {}
//! impl Message for PeekQuery {
//!     const NAME: &'static str = "PeekQuery";
//!     const KIND: Kind = Kind::Query;
//!     const ACCESS: Access = Access::Public;
//!     type Reply = ();
//! }
//! ```
//!
//! With both, it compiles:
//!
//! ```
//! # use liveness_bus::{Access, Audit, Kind, Message};
//! # #[derive(liveness_bus::validator::Validate)]
//! # struct PeekQuery {}
//! impl Message for PeekQuery {
//!     const NAME: &'static str = "PeekQuery";
//!     const KIND: Kind = Kind::Query;
//!     const ACCESS: Access = Access::Public;
//!     const AUDIT: Audit = Audit::LogOnly;
//!     type Reply = ();
//! }
//! ```
//!
//! # Features
//!
//! - `liveness` (default) adds the messages in the module `liveness`. Without it the crate is only the bus.
//! - `opentelemetry` makes a span of each message, by the API of OpenTelemetry.
//! - `testing` adds `testing::TestBus`.

mod access;
mod audit;
mod bus;
mod call;
mod context;
mod decode;
mod error;
mod event;
mod gate;
mod handler;
mod message;
mod middleware;
mod observability;
mod pipeline;
mod span;
mod validation;

#[cfg(feature = "liveness")]
pub mod liveness;
#[cfg(any(test, feature = "testing"))]
pub mod testing;

pub use async_trait::async_trait;
pub use liveness_core::events::{Event as PublishedEvent, EventId, NewEvent};
pub use liveness_core::{AuditEntry, AuditSubject, IdempotencyKey, Shown};
pub use schemars;
pub use validator;

pub use access::Access;
pub use audit::AuditSink;
pub use bus::{BuildErrors, Bus, BusBuilder, Mistake, Module, ReplyWriter};
pub use call::Call;
pub use context::{Context, ContextBuilder, EndOfWaits, Principal, RequestId, TraceContext, Wait};
pub use decode::{Received, replace_half_surrogates};
pub use error::{BusError, Cause, FieldError};
pub use event::{Delivery, DeliveryError, Event, MemoryEvents, Subscriber, Subscription};
pub use handler::Handler;
pub use message::{Answer, Audit, Description, Example, Kind, Message, Meta};
pub use middleware::{Frame, Middleware, Next};
pub use observability::Observer;
pub use validation::{violation, violation_of};
