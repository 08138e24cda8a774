//! What a message declares: its name, its kind, who may send it, how it is audited and what it answers.

mod description;

use schemars::{JsonSchema, SchemaGenerator};
use validator::Validate;

use crate::access::Access;
use crate::error::BusError;

pub use self::description::{Answer, Description, Example};

/// Whether a message changes data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It changes data. Once it has begun it is finished, even if its caller stops waiting.
    Command,
    /// It only reads. It is abandoned at the deadline of its context.
    Query,
}

/// How a message is audited. Every message also has a line in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audit {
    /// The handler writes the entry in the same transaction as its record: [`Call::audit_entry`](crate::Call::audit_entry).
    /// If the message is refused, or the handler has written no entry, the bus writes one.
    WithRecord,
    /// The bus writes an entry, and it is durable before the caller gets the reply. If it cannot be written, there is no
    /// reply.
    BeforeReply,
    /// No entry, only the line in the log.
    LogOnly,
}

/// A command or a query, with what it declares about itself.
///
/// The rules for its fields are those of [`Validate`]. The gate checks them before the handler gets the message.
#[diagnostic::on_unimplemented(
    note = "a message says NAME, KIND, ACCESS, AUDIT and Reply, and derives `liveness_bus::validator::Validate`"
)]
pub trait Message: Validate + Send + Sync + Sized + 'static {
    /// The name on the wire: letters, digits, `_`, `-` and `.`.
    const NAME: &'static str;
    /// Whether it changes data.
    const KIND: Kind;
    /// Who may send it. There is no default.
    const ACCESS: Access;
    /// How it is audited. There is no default.
    const AUDIT: Audit;
    /// What its sender gets back.
    type Reply: Send + 'static;

    /// Whether its sender may wait for its answer to change: [`Call::wait_for`](crate::Call::wait_for). Only queries may.
    const WAITS: bool = false;

    /// The id of the user whose data it reads or changes, if the message itself names one.
    fn concerns(&self) -> Option<i64> {
        None
    }

    /// Declines the message before its fields are validated. Its sender is told of this and not of wrong fields.
    ///
    /// # Errors
    ///
    /// The reason for declining it.
    fn decline(&self) -> Result<(), BusError> {
        Ok(())
    }

    /// A sentence for people that says what the reply means.
    fn summary(_reply: &Self::Reply) -> Option<&'static str> {
        None
    }

    /// What it looks like on the wire, for the documentation that a host gives its callers. Without a description, the
    /// documentation has only the name and who may send it.
    fn description() -> Option<Description> {
        None
    }
}

/// What a message declares, as values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Meta {
    name: &'static str,
    kind: Kind,
    access: Access,
    audit: Audit,
    waits: bool,
}

impl Meta {
    /// The declarations of `M`.
    pub const fn of<M: Message>() -> Self {
        Self {
            name: M::NAME,
            kind: M::KIND,
            access: M::ACCESS,
            audit: M::AUDIT,
            waits: M::WAITS && matches!(M::KIND, Kind::Query),
        }
    }

    /// The name on the wire.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Whether it changes data.
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// Who may send it.
    pub const fn access(&self) -> Access {
        self.access
    }

    /// How it is audited.
    pub const fn audit(&self) -> Audit {
        self.audit
    }

    /// Whether its sender may wait for its answer to change.
    pub const fn waits(&self) -> bool {
        self.waits
    }
}

impl Description {
    /// The description of `M`. `examples` is a JSON array of [`Example`]s, or an empty text.
    pub fn of<M: Message + JsonSchema>(examples: &'static str) -> Self
    where
        M::Reply: JsonSchema,
    {
        Self::new(
            SchemaGenerator::subschema_for::<M>,
            SchemaGenerator::subschema_for::<M::Reply>,
            examples,
        )
    }
}
