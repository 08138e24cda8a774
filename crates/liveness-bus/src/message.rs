//! What a message declares, and what handles it.

mod description;

use std::future::Future;

use validator::Validate;

use crate::{BusError, Call, Principal};

pub use self::description::{Answer, Description, Example};

pub(crate) const NO_USER: &str = "there is no self-service user behind the token";

/// Whether a message changes anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It does. Once begun it is finished, whether its caller waits or not.
    Command,
    /// It does not. It may be abandoned at the context's deadline.
    Query,
}

/// Who may send a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Anybody, known or not.
    Public,
    /// Anybody who is known.
    Authenticated,
    /// Who holds this role.
    Role(&'static str),
    /// Who holds this role and has a user of ours behind the token.
    UserWithRole(&'static str),
}

impl Access {
    /// Whether the principal has to have a user of ours behind it.
    pub const fn needs_user(self) -> bool {
        matches!(self, Self::UserWithRole(_))
    }

    /// Whether the principal holds the role, whatever user is behind it.
    ///
    /// # Errors
    ///
    /// [`BusError::Unauthenticated`] or [`BusError::Forbidden`].
    pub fn check_role(self, principal: &Principal) -> Result<(), BusError> {
        match self {
            Self::Public => Ok(()),
            _ if principal.is_anonymous() => Err(BusError::Unauthenticated),
            Self::Authenticated => Ok(()),
            Self::Role(role) | Self::UserWithRole(role) if principal.has_role(role) => Ok(()),
            Self::Role(_) | Self::UserWithRole(_) => {
                Err(BusError::Forbidden("the token does not hold the role for this"))
            }
        }
    }

    /// Whether the principal may.
    ///
    /// # Errors
    ///
    /// [`BusError::Unauthenticated`] or [`BusError::Forbidden`].
    pub fn check(self, principal: &Principal) -> Result<(), BusError> {
        self.check_role(principal)?;
        if self.needs_user() && principal.user().is_none() {
            return Err(BusError::Forbidden(NO_USER));
        }
        Ok(())
    }

    /// The rule in words, for the access matrix.
    pub fn describe(self) -> String {
        match self {
            Self::Public => "anybody".to_owned(),
            Self::Authenticated => "anybody with a token".to_owned(),
            Self::Role(role) => role.to_owned(),
            Self::UserWithRole(role) => format!("{role} with a user"),
        }
    }
}

/// Which trace a message leaves. Every message leaves a line in the log besides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audit {
    /// An entry in the transaction of what the handler records (see [`Call::audit_entry`]); when it is refused,
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

/// Does the work of a message that has passed the gate.
pub trait Handler<M: Message>: Send + Sync + 'static {
    /// Handles one message.
    ///
    /// # Errors
    ///
    /// What the caller is told; it is audited by its [code](BusError::code).
    fn handle(&self, message: M, call: &Call<'_>) -> impl Future<Output = Result<M::Reply, BusError>> + Send;
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
