//! What a message declares: its name, its kind, who may send it, how it is audited and what it answers.

mod description;

use schemars::{JsonSchema, SchemaGenerator};
use validator::Validate;

use crate::access::Access;
use crate::error::BusError;

pub use self::description::{Answer, Description, Example};

/// Whether a message changes anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It does. Once begun it is finished, whether its caller waits or not.
    Command,
    /// It does not. It may be abandoned at the context's deadline.
    Query,
}

/// Which trace a message leaves. Every message leaves a line in the log besides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audit {
    /// An entry in the transaction of what the handler records (see [`Call::audit_entry`](crate::Call::audit_entry)); when it is refused,
    /// or the handler wrote none, an entry of its own.
    WithRecord,
    /// An entry that is durable before the reply is released; when it cannot be written, there is no reply.
    BeforeReply,
    /// The line in the log only.
    LogOnly,
}

/// A command or a query: its name, its rules and its reply.
///
/// Its own rules are those of [`Validate`]; the gate asks them before the handler sees the message.
#[diagnostic::on_unimplemented(
    note = "a message says NAME, KIND, ACCESS, AUDIT and Reply, and derives `liveness_bus::validator::Validate`"
)]
pub trait Message: Validate + Send + Sync + Sized + 'static {
    /// The name on the wire: letters, digits, `_`, `-` and `.`.
    const NAME: &'static str;
    /// Whether it changes anything.
    const KIND: Kind;
    /// Who may send it. There is no default.
    const ACCESS: Access;
    /// Which trace it leaves. There is no default.
    const AUDIT: Audit;
    /// What it answers.
    type Reply: Send + 'static;

    /// The id of the user whose data it touches, where the message itself names one.
    fn concerns(&self) -> Option<i64> {
        None
    }

    /// A refusal that outranks whatever else is wrong with the fields.
    ///
    /// # Errors
    ///
    /// The refusal.
    fn decline(&self) -> Result<(), BusError> {
        Ok(())
    }

    /// A sentence that tells a person what the reply means.
    fn summary(_reply: &Self::Reply) -> Option<&'static str> {
        None
    }

    /// What it looks like on the wire, for a host that tells its callers. Without it they are told the name, and who may
    /// send it.
    fn description() -> Option<Description> {
        None
    }
}

/// What the registry knows of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Meta {
    name: &'static str,
    kind: Kind,
    access: Access,
    audit: Audit,
}

impl Meta {
    /// What `M` declares.
    pub const fn of<M: Message>() -> Self {
        Self {
            name: M::NAME,
            kind: M::KIND,
            access: M::ACCESS,
            audit: M::AUDIT,
        }
    }

    /// The name on the wire.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Whether it changes anything.
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// Who may send it.
    pub const fn access(&self) -> Access {
        self.access
    }

    /// Which trace it leaves.
    pub const fn audit(&self) -> Audit {
        self.audit
    }
}

impl Description {
    /// That of `M`, with examples: a JSON array of [`Example`]s, or nothing.
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
