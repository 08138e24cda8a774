//! Who sends a message.

use liveness_core::User;

/// Who sends a message: nobody known, or a subject with roles and perhaps a user of ours behind it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    subject: Option<String>,
    roles: Vec<String>,
    user: Option<User>,
}

impl Principal {
    /// Nobody known.
    pub const fn anonymous() -> Self {
        Self {
            subject: None,
            roles: Vec::new(),
            user: None,
        }
    }

    /// Somebody who has shown who they are.
    pub fn new(subject: impl Into<String>) -> Self {
        Self {
            subject: Some(subject.into()),
            ..Self::anonymous()
        }
    }

    /// The same with one role more. Roles are compared without case.
    #[must_use]
    pub fn with_role(mut self, role: impl AsRef<str>) -> Self {
        let role = role.as_ref().to_ascii_lowercase();
        if !self.roles.contains(&role) {
            self.roles.push(role);
        }
        self
    }

    /// The same with a user of ours behind it.
    #[must_use]
    pub fn with_user(mut self, user: User) -> Self {
        self.user = Some(user);
        self
    }

    /// Whether nothing is known of them.
    pub const fn is_anonymous(&self) -> bool {
        self.subject.is_none()
    }

    /// Who they are, as the token says.
    pub fn subject(&self) -> &str {
        self.subject.as_deref().unwrap_or("anonymous")
    }

    /// Whether they hold the role.
    pub fn has_role(&self, role: &str) -> bool {
        self.roles.iter().any(|held| held.eq_ignore_ascii_case(role))
    }

    /// The roles they hold, in lower case.
    pub fn roles(&self) -> &[String] {
        &self.roles
    }

    /// The user of ours behind them.
    pub const fn user(&self) -> Option<&User> {
        self.user.as_ref()
    }
}
