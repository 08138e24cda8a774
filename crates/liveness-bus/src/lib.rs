//! A typed command/query bus with access, validation and audit built in, and the messages of the liveness check.
//!
//! A message declares its name, who may send it, how it is audited and the type of its reply. If one of these is missing,
//! the message does not compile. A handler does the work. There are two ways to send a message, and both run the same
//! pipeline: [`Bus::send`] takes a typed message, [`Bus::dispatch`] takes a name and JSON.
//!
//! ```text
//! middleware around  ->  gate: access, decode, validate  ->  middleware inside  ->  handler
//!          then: audit entry, log line, reply
//! ```
//!
//! # Example
//!
//! ```
//! use liveness_bus::{Access, Audit, Bus, BusError, Call, Context, Handler, Kind, Message, Module, Principal};
//! use liveness_bus::validator::Validate;
//!
//! #[derive(serde::Deserialize, Validate)]
//! #[validate(crate = "liveness_bus::validator")]
//! struct GreetQuery {
//!     #[validate(length(min = 1, max = 40))]
//!     name: String,
//! }
//!
//! impl Message for GreetQuery {
//!     const NAME: &'static str = "GreetQuery";
//!     const KIND: Kind = Kind::Query;
//!     const ACCESS: Access = Access::Role("teller");
//!     const AUDIT: Audit = Audit::LogOnly;
//!     type Reply = String;
//! }
//!
//! struct Greeter;
//!
//! impl Handler<GreetQuery> for Greeter {
//!     async fn handle(&self, query: GreetQuery, _: &Call<'_>) -> Result<String, BusError> {
//!         Ok(format!("Hello, {}!", query.name))
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let bus = Bus::builder().module(Module::new("greetings").handle::<GreetQuery>(Greeter)).build()?;
//! let teller = Context::builder(Principal::new("t-1").with_role("teller")).build();
//!
//! assert_eq!(bus.send(GreetQuery { name: "Jane".into() }, &teller).await?, "Hello, Jane!");
//!
//! let mut json = Vec::new();
//! bus.dispatch("GreetQuery", br#"{"name":"Jane"}"#, &teller, &mut json).await?;
//! assert_eq!(json, br#""Hello, Jane!""#);
//!
//! let stranger = Context::builder(Principal::anonymous()).build();
//! let refused = bus.dispatch("GreetQuery", b"not even read", &stranger, &mut json).await;
//! assert!(matches!(refused, Err(BusError::Unauthenticated)));
//! # Ok(())
//! # }
//! ```
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
//! - `liveness` (default) adds the messages in the module [`liveness`]. Without it the crate is only the bus.
//! - `opentelemetry` makes a span of each message, by the API of OpenTelemetry.
//! - `testing` adds [`testing::TestBus`].

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
