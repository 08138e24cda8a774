//! Who may send a message: the rule, and the check of a principal against it.

use crate::context::Principal;
use crate::error::BusError;

pub(crate) const NO_USER: &str = "there is no self-service user behind the token";

/// Who may send a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Everyone, also an anonymous principal.
    Public,
    /// Every principal that is not anonymous.
    Authenticated,
    /// Principals with this role.
    Role(&'static str),
    /// Principals with this role that also have a self-service user.
    UserWithRole(&'static str),
}

impl Access {
    /// Whether the principal must have a self-service user.
    pub const fn needs_user(self) -> bool {
        matches!(self, Self::UserWithRole(_))
    }

    /// Checks the principal's role, but not its user.
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

    /// Checks whether the principal may send the message.
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

    /// The rule in words, as the access matrix shows it.
    pub fn describe(self) -> String {
        match self {
            Self::Public => "anybody".to_owned(),
            Self::Authenticated => "anybody with a token".to_owned(),
            Self::Role(role) => role.to_owned(),
            Self::UserWithRole(role) => format!("{role} with a user"),
        }
    }
}
