//! Why a message was not done, and which of its fields are wrong.

use std::borrow::Cow;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Serialize;

/// The cause of an error. It is for the log and never shown to a client.
pub type Cause = Box<dyn std::error::Error + Send + Sync>;

/// One field that breaks a rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct FieldError {
    /// The field's path, as on the wire: `metadata.lightingValue`.
    pub field: String,
    /// The rule, for programs: one of [`FieldError::CODES`], or of a host's own.
    #[schemars(description = "The rule, for programs.", extend("examples" = FieldError::CODES.map(|(code, _)| code)))]
    pub code: Cow<'static, str>,
    /// What would be right, for a person. The value is never in it.
    pub message: Cow<'static, str>,
}

/// The largest number of field errors in one answer.
pub(crate) const MAX_FIELD_ERRORS: usize = 100;

impl FieldError {
    /// The codes of our own rules, each with what it says about the field.
    pub const CODES: [(&str, &str); 13] = [
        ("required", "is missing"),
        ("type", "has another JSON type than it must have"),
        ("length", "is too short or too long"),
        (
            "range",
            "is a number outside its bounds, or a time before the one it has to follow",
        ),
        ("format", "is not written in the form that it must have, such as a time"),
        ("control_character", "holds a control character that it must not hold"),
        ("surrogate", "holds half of a surrogate pair (UTF-16)"),
        ("base64", "is not base64"),
        ("media_type", "is not an image of an accepted type"),
        (
            "image_header",
            "is an image whose header does not tell its width and height",
        ),
        ("pixels", "is an image of too many pixels"),
        ("duplicate", "appears more than once in its object"),
        ("path", "is a path with a `..` segment"),
    ];

    /// An error that says: `field` breaks the rule `code`.
    pub fn new(
        field: impl Into<String>,
        code: impl Into<Cow<'static, str>>,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            field: field.into(),
            code: code.into(),
            message: message.into(),
        }
    }
}

/// Why a message was not done. It says what a caller can act on, and knows nothing about HTTP.
///
/// It is exhaustive on purpose: a host maps every variant to its own answer. If a variant is added, the host does not
/// compile until it maps that one too.
#[derive(Debug, thiserror::Error)]
pub enum BusError {
    /// The principal is anonymous, and the message is not public.
    #[error("a valid bearer token is needed")]
    Unauthenticated,
    /// The principal may not send the message. The text says why.
    #[error("{0}")]
    Forbidden(&'static str),
    /// There is no message with that name.
    #[error("there is no such command or query")]
    UnknownMessage,
    /// The body cannot be read as a message. The text says why, without the content of the body.
    #[error("{0}")]
    Malformed(Cow<'static, str>),
    /// Fields break rules. All such fields are listed.
    #[error("not valid: {}", names(.0))]
    Invalid(Vec<FieldError>),
    /// The message is allowed and valid, but a rule of the domain declines it. The text says which.
    #[error("{0}")]
    Declined(&'static str),
    /// The message asks for something that does not exist.
    #[error("{0}")]
    NotFound(&'static str),
    /// What the message asks for was there, and was erased.
    #[error("{0}")]
    Gone(&'static str),
    /// The message conflicts with what is recorded.
    #[error("{0}")]
    Conflict(&'static str),
    /// The body, or a part of it, is larger than allowed.
    #[error("{0}")]
    TooLarge(Cow<'static, str>),
    /// The body arrived too slowly.
    #[error("the request was sent too slowly")]
    TooSlow,
    /// The body is in a format that is not accepted.
    #[error("{0}")]
    UnsupportedContent(&'static str),
    /// The caller is locked out until somebody unlocks them. The text says so, and of another way if there is one.
    #[error("{0}")]
    Locked(Cow<'static, str>),
    /// A user has tried or recorded too much, and may go on after a while. Unlike [`TooMany`](Self::TooMany), it is audited.
    #[error("{what}")]
    Exhausted {
        /// What was too much.
        what: &'static str,
        /// How long to wait before the next one.
        retry_after: Duration,
    },
    /// Too many requests came from the same caller.
    #[error("too many requests")]
    TooMany {
        /// How long to wait before the next one.
        retry_after: Duration,
    },
    /// Something that the message needs is unreachable or too busy. Nothing was done. A retry may succeed.
    #[error("the service is not available at the moment; nothing was recorded")]
    Unavailable(#[source] Cause),
    /// The commit failed, and it is not known whether the message was done.
    #[error("the outcome is unknown; a retry with the same Idempotency-Key is safe")]
    OutcomeUnknown(#[source] Cause),
    /// A bug or another internal failure.
    #[error("an internal error")]
    Internal(#[source] Cause),
}

impl BusError {
    /// An error for one field that breaks a rule.
    pub fn invalid(field: &str, violation: liveness_core::Violation) -> Self {
        Self::Invalid(vec![FieldError::new(field, violation.code(), violation.message())])
    }

    /// The two-digit response code of ISO 8583: `docs/api.md#status-codes`.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unauthenticated => "63",
            Self::Forbidden(_) => "57",
            Self::UnknownMessage => "12",
            Self::Malformed(_) | Self::Invalid(_) | Self::TooSlow | Self::UnsupportedContent(_) => "30",
            Self::Declined(_) => "05",
            Self::NotFound(_) | Self::Gone(_) => "25",
            Self::Conflict(_) => "94",
            Self::TooLarge(_) => "13",
            Self::Locked(_) => "62",
            Self::TooMany { .. } | Self::Exhausted { .. } => "65",
            Self::Unavailable(_) | Self::OutcomeUnknown(_) => "91",
            Self::Internal(_) => "96",
        }
    }
}

/// The names of the first fields, and how many more there are.
fn names(errors: &[FieldError]) -> String {
    const SHOWN: usize = 5;
    let shown: Vec<&str> = errors.iter().take(SHOWN).map(|error| error.field.as_str()).collect();
    let more = errors.len().saturating_sub(SHOWN);
    let rest = if more > 0 {
        format!(" and {more} more")
    } else {
        String::new()
    };
    shown.join(", ") + &rest
}

impl From<liveness_core::DirectoryError> for BusError {
    fn from(error: liveness_core::DirectoryError) -> Self {
        Self::Unavailable(error.into())
    }
}
