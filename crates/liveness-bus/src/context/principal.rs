//! Who sends a message.

use liveness_core::{Claims, User};

/// Who sends a message: either anonymous, or a subject with roles and perhaps a self-service user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    issuer: Option<String>,
    subject: Option<String>,
    actor: Option<String>,
    roles: Vec<String>,
    user: Option<User>,
    user_claims: Option<Claims>,
}

impl Principal {
    /// An anonymous principal: nothing is known about it.
    pub const fn anonymous() -> Self {
        Self {
            issuer: None,
            subject: None,
            actor: None,
            roles: Vec::new(),
            user: None,
            user_claims: None,
        }
    }

    /// A principal that has proved who it is. `subject` is its name, such as the token's `sub`.
    pub fn new(subject: impl Into<String>) -> Self {
        Self {
            subject: Some(subject.into()),
            ..Self::anonymous()
        }
    }

    /// Sets who vouches for the subject, such as the token's `iss`. Two issuers may have the same name for different people.
    #[must_use]
    pub fn with_issuer(mut self, issuer: impl Into<String>) -> Self {
        self.issuer = Some(issuer.into());
        self
    }

    /// Sets who acts for the subject, if it is somebody else, such as the token's `act` (RFC 8693, section 4.1).
    #[must_use]
    pub fn with_actor(mut self, actor: impl Into<String>) -> Self {
        self.actor = Some(actor.into());
        self
    }

    /// Adds a role. Upper and lower case are the same.
    #[must_use]
    pub fn with_role(mut self, role: impl AsRef<str>) -> Self {
        let role = role.as_ref().to_ascii_lowercase();
        if !self.roles.contains(&role) {
            self.roles.push(role);
        }
        self
    }

    /// Sets the self-service user.
    #[must_use]
    pub fn with_user(mut self, user: User) -> Self {
        self.user = Some(user);
        self
    }

    /// Sets how the principal names its self-service user, who is not looked up. Somebody of the staff may be a user too.
    #[must_use]
    pub fn with_user_claims(mut self, claims: Claims) -> Self {
        self.user_claims = Some(claims);
        self
    }

    /// Whether nothing is known about the principal.
    pub const fn is_anonymous(&self) -> bool {
        self.subject.is_none()
    }

    /// Who vouches for the subject. `None` if nobody does.
    pub fn issuer(&self) -> Option<&str> {
        self.issuer.as_deref()
    }

    /// The name of the principal. It is `anonymous` if nothing is known.
    pub fn subject(&self) -> &str {
        self.subject.as_deref().unwrap_or("anonymous")
    }

    /// Who acts for the subject. `None` if it is the subject itself.
    pub fn actor(&self) -> Option<&str> {
        self.actor.as_deref()
    }

    /// Whether the principal has the role.
    pub fn has_role(&self, role: &str) -> bool {
        self.roles.iter().any(|held| held.eq_ignore_ascii_case(role))
    }

    /// The roles of the principal, in lower case.
    pub fn roles(&self) -> &[String] {
        &self.roles
    }

    /// The self-service user of the principal.
    pub const fn user(&self) -> Option<&User> {
        self.user.as_ref()
    }

    /// How the principal names its self-service user. The user may not be there.
    pub const fn user_claims(&self) -> Option<&Claims> {
        self.user_claims.as_ref()
    }
}
