//! The users behind the tokens, and the directory that knows them.

use async_trait::async_trait;

use crate::text::CONTROL;
use crate::{AuditEntry, Violation};

/// A self-service user, as an administrator sees one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct User {
    /// `SelfServiceUser.Id`, from 1.
    pub id: i64,
    /// `SelfServiceUser.UserId`, such as `USR-00001234`.
    pub user_id: String,
    /// The pre-registration that the user came from.
    pub pre_registration_id: Option<i64>,
    /// Electronic mail address.
    pub email_address: Option<String>,
    /// Given name.
    pub first_name: Option<String>,
    /// Family name.
    pub last_name: Option<String>,
    /// Middle name.
    pub middle_name: Option<String>,
    /// The name to show.
    pub display_name: Option<String>,
}

impl User {
    /// The most characters of each text about a user.
    pub const MAX_CHARS: usize = 255;

    /// Checks a text about a user, such as a name: at most 255 characters, without control characters.
    ///
    /// # Errors
    ///
    /// `length` or `control_character`.
    pub fn check_text(text: &str) -> Result<(), Violation> {
        if text.contains(char::is_control) {
            return Err(CONTROL);
        }
        if text.chars().count() > Self::MAX_CHARS {
            return Err(Violation::new("length", "must have at most 255 characters"));
        }
        Ok(())
    }
}

/// How a token names the user behind it: `docs/api.md#access`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UserReference {
    /// `SelfServiceUser.Id`.
    Id(i64),
    /// `SelfServiceUser.UserId`.
    UserId(String),
}

impl UserReference {
    /// Reads a claim. A decimal number from 1 in its canonical form is an id. Anything else is a `UserId`.
    ///
    /// ```
    /// use liveness_core::UserReference;
    ///
    /// assert_eq!(UserReference::parse("1234"), UserReference::Id(1234));
    /// assert_eq!(UserReference::parse("007"), UserReference::UserId("007".into()));
    /// assert_eq!(UserReference::parse("USR-00001234"), UserReference::UserId("USR-00001234".into()));
    /// ```
    pub fn parse(claim: &str) -> Self {
        match claim.parse::<i64>() {
            Ok(id) if id >= 1 && id.to_string() == claim => Self::Id(id),
            _ => Self::UserId(claim.to_owned()),
        }
    }
}

/// The claims of a token about the user behind it, as the token has them. [`check`](Self::check) says whether they may be
/// stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claims {
    /// The id or the `UserId` of the user.
    pub reference: UserReference,
    /// `email`, unless the token says that the address is not verified.
    pub email: Option<String>,
    /// `given_name`
    pub given_name: Option<String>,
    /// `family_name`
    pub family_name: Option<String>,
    /// `middle_name`
    pub middle_name: Option<String>,
    /// `name`
    pub name: Option<String>,
    /// `preRegistrationId`
    pub pre_registration_id: Option<i64>,
}

impl Claims {
    /// Claims with a reference to the user and nothing else.
    pub fn of(reference: UserReference) -> Self {
        Self {
            reference,
            email: None,
            given_name: None,
            family_name: None,
            middle_name: None,
            name: None,
            pre_registration_id: None,
        }
    }

    /// Checks every text by [`User::check_text`]. A directory does this before it stores them.
    ///
    /// # Errors
    ///
    /// The first claim that breaks a rule.
    pub fn check(&self) -> Result<(), ClaimError> {
        let texts = [
            ("email", &self.email),
            ("given_name", &self.given_name),
            ("family_name", &self.family_name),
            ("middle_name", &self.middle_name),
            ("name", &self.name),
        ];
        for (claim, text) in texts {
            User::check_text(text.as_deref().unwrap_or_default())
                .map_err(|violation| ClaimError { claim, violation })?;
        }
        Ok(())
    }

    /// The new user for an id that is seen for the first time.
    ///
    /// Its `UserId` is `USR-` and the id, padded with zeros to eight digits. Its `DisplayName` is the `name` claim, or
    /// else the given name and the family name, cut at 255 characters.
    pub fn to_user(&self, id: i64) -> User {
        let names = [&self.given_name, &self.family_name];
        let full_name = names
            .into_iter()
            .flatten()
            .map(String::as_str)
            .collect::<Vec<_>>()
            .join(" ");
        let full_name: String = full_name.chars().take(User::MAX_CHARS).collect();
        // The cut may be behind a space, which no name ends with.
        let full_name = full_name.trim_end().to_owned();
        User {
            id,
            user_id: format!("USR-{id:08}"),
            pre_registration_id: self.pre_registration_id,
            email_address: self.email.clone(),
            first_name: self.given_name.clone(),
            last_name: self.family_name.clone(),
            middle_name: self.middle_name.clone(),
            display_name: self.name.clone().or((!full_name.is_empty()).then_some(full_name)),
        }
    }
}

/// A claim about the user that cannot be stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the claim {claim} {violation}")]
pub struct ClaimError {
    /// The name of the claim.
    pub claim: &'static str,
    /// The rule that it breaks.
    #[source]
    pub violation: Violation,
}

/// Why a user was not added.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProvisionError {
    /// The token says something about the user that cannot be stored.
    #[error(transparent)]
    Claim(#[from] ClaimError),
    /// The directory cannot be asked.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
}

/// The directory could not be asked. The user may exist or not.
#[derive(Debug, thiserror::Error)]
#[error("the user directory is out of reach")]
pub struct DirectoryError(#[source] pub Box<dyn std::error::Error + Send + Sync>);

/// Knows the users. The store has a directory. An embedding backend brings its own.
#[async_trait]
pub trait UserDirectory: Send + Sync {
    /// The user behind a customer's token, or `None` when there is none.
    ///
    /// # Errors
    ///
    /// [`DirectoryError`] when the directory cannot be asked. The message is then answered as not available.
    async fn identify(&self, claims: &Claims) -> Result<Option<User>, DirectoryError>;

    /// Adds the user behind a customer's token, whom [`identify`](Self::identify) did not find. Returns the user, or
    /// `None` when nobody is added.
    ///
    /// `entry` is the audit entry of it. A directory writes it in the transaction that adds the user. If the user is there
    /// by now, it writes no entry.
    ///
    /// The default adds nobody.
    ///
    /// # Errors
    ///
    /// [`ProvisionError::Claim`] when a claim cannot be stored. The message is then refused. [`ProvisionError::Directory`]
    /// as for [`identify`](Self::identify).
    async fn provision(&self, _claims: &Claims, _entry: AuditEntry) -> Result<Option<User>, ProvisionError> {
        Ok(None)
    }

    /// The users with these ids, in any order. Ids without a user are left out.
    ///
    /// # Errors
    ///
    /// [`DirectoryError`] when the directory cannot be asked.
    async fn find(&self, ids: &[i64]) -> Result<Vec<User>, DirectoryError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_canonical_numbers_from_one_are_ids() {
        for text in ["0", "-1", "+1", "01", " 1", "1.0", "9223372036854775808", "", "１"] {
            assert_eq!(UserReference::parse(text), UserReference::UserId(text.into()));
        }
        assert_eq!(UserReference::parse("9223372036854775807"), UserReference::Id(i64::MAX));
    }

    #[test]
    fn a_user_is_made_of_claims() {
        let mut claims = Claims::of(UserReference::Id(1234));
        assert_eq!(claims.to_user(1234).display_name, None);

        claims.given_name = Some("Jane".into());
        claims.family_name = Some("Doe".into());
        let user = claims.to_user(1234);
        assert_eq!(
            (user.user_id.as_str(), user.display_name.as_deref()),
            ("USR-00001234", Some("Jane Doe"))
        );

        claims.name = Some("J. Doe".into());
        assert_eq!(claims.to_user(123_456_789).display_name.as_deref(), Some("J. Doe"));
        assert_eq!(claims.to_user(123_456_789).user_id, "USR-123456789");
    }

    #[test]
    fn a_name_that_is_put_together_is_no_longer_than_others() {
        let mut claims = Claims::of(UserReference::Id(1));
        claims.given_name = Some("é".repeat(255));
        claims.family_name = Some("Doe".into());

        assert_eq!(claims.to_user(1).display_name, Some("é".repeat(255)));
        claims.given_name = Some("é".repeat(254));
        assert_eq!(claims.to_user(1).display_name, Some("é".repeat(254)));
    }

    #[test]
    fn every_text_of_the_claims_is_bounded() {
        type Field = fn(&mut Claims) -> &mut Option<String>;
        let fields: [(&str, Field); 5] = [
            ("email", |claims| &mut claims.email),
            ("given_name", |claims| &mut claims.given_name),
            ("family_name", |claims| &mut claims.family_name),
            ("middle_name", |claims| &mut claims.middle_name),
            ("name", |claims| &mut claims.name),
        ];
        for (claim, field) in fields {
            let checked = |text: &str| {
                let mut claims = Claims::of(UserReference::Id(1));
                *field(&mut claims) = Some(text.to_owned());
                claims.check().map_err(|error| (error.claim, error.violation.code()))
            };
            assert_eq!(checked(&"é".repeat(255)), Ok(()));
            assert_eq!(checked(&"é".repeat(256)), Err((claim, "length")));
            for control in ["a\nb", "a\tb", "a\u{0}b", "\u{85}"] {
                assert_eq!(checked(control), Err((claim, "control_character")), "{control:?}");
            }
        }
    }
}
