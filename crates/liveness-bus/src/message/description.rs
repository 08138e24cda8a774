//! What a message looks like on the wire, for a host that documents its messages, for example as OpenAPI.
//!
//! Nothing here is used while a message is handled.

use schemars::{Schema, SchemaGenerator};
use serde::Deserialize;
use serde_json::Value;

use crate::error::BusError;

/// The schemas, the examples and the own refusals of a message: [`Message::description`](crate::Message::description).
///
/// ```
/// use liveness_bus::schemars::JsonSchema;
/// use liveness_bus::validator::Validate;
/// use liveness_bus::{Access, Audit, BusError, Description, Kind, Message};
///
/// /// Greets a person.
/// #[derive(serde::Deserialize, Validate, JsonSchema)]
/// #[validate(crate = "liveness_bus::validator")]
/// #[schemars(crate = "liveness_bus::schemars")]
/// struct GreetQuery {
///     #[validate(length(min = 1, max = 40))]
///     name: String,
/// }
///
/// impl Message for GreetQuery {
///     const NAME: &'static str = "GreetQuery";
///     const KIND: Kind = Kind::Query;
///     const ACCESS: Access = Access::Role("teller");
///     const AUDIT: Audit = Audit::LogOnly;
///     type Reply = String;
///
///     fn description() -> Option<Description> {
///         let examples = r#"[{"title": "Jane", "request": {"name": "Jane"}, "answer": {"data": "Hello, Jane!"}}]"#;
///         Some(Description::of::<Self>(examples).refusals([BusError::NotFound("there is nobody of that name")]))
///     }
/// }
///
/// let description = GreetQuery::description().unwrap();
/// let request = description.request(&mut Default::default());
/// assert_eq!(request.to_value()["$ref"], "#/$defs/GreetQuery");
/// assert_eq!(description.examples().unwrap()[0].answer.data, "Hello, Jane!");
/// ```
#[derive(Debug)]
pub struct Description {
    request: fn(&mut SchemaGenerator) -> Schema,
    reply: fn(&mut SchemaGenerator) -> Schema,
    examples: &'static str,
    refusals: Vec<BusError>,
}

/// An example of a request and its answer.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Example {
    /// What the example shows.
    pub title: String,
    /// The body of the request.
    pub request: Value,
    /// The answer.
    pub answer: Answer,
}

/// The answer to a message that succeeded.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Answer {
    /// [`Message::summary`](crate::Message::summary)
    pub message: Option<String>,
    /// The reply.
    pub data: Value,
}

impl Description {
    pub(super) fn new(
        request: fn(&mut SchemaGenerator) -> Schema,
        reply: fn(&mut SchemaGenerator) -> Schema,
        examples: &'static str,
    ) -> Self {
        Self {
            request,
            reply,
            examples,
            refusals: Vec::new(),
        }
    }

    /// Adds refusals that only this message has. Refusals that every message can have are not listed.
    #[must_use]
    pub fn refusals(mut self, refusals: impl IntoIterator<Item = BusError>) -> Self {
        self.refusals.extend(refusals);
        self
    }

    /// The schema of the body.
    pub fn request(&self, generator: &mut SchemaGenerator) -> Schema {
        (self.request)(generator)
    }

    /// The schema of the reply.
    pub fn reply(&self, generator: &mut SchemaGenerator) -> Schema {
        (self.reply)(generator)
    }

    /// The examples.
    ///
    /// # Errors
    ///
    /// The examples are not valid JSON, or not examples.
    pub fn examples(&self) -> Result<Vec<Example>, serde_json::Error> {
        if self.examples.is_empty() {
            return Ok(Vec::new());
        }
        serde_json::from_str(self.examples)
    }

    /// The refusals that only this message has.
    pub fn into_refusals(self) -> Vec<BusError> {
        self.refusals
    }
}
