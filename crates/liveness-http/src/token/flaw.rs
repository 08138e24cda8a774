//! What is wrong with a token. Operators see it in metrics and logs; the sender of the token is never told.

use std::fmt;

use jsonwebtoken::errors::{Error, ErrorKind};

/// A token that is not valid. `Display` says only that. Do not show the [`flaw`](Self::flaw) to the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("invalid_token")]
pub struct InvalidToken(pub(super) TokenFlaw);

impl InvalidToken {
    /// What is wrong with it.
    pub fn flaw(self) -> TokenFlaw {
        self.0
    }
}

/// The classes of bad tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TokenFlaw {
    /// It is not a JWT of at most 8 KB, or not an access token, or has a critical extension.
    Malformed,
    /// No key has the algorithm that it names.
    Algorithm,
    /// It names an unknown key, or it names none and several keys are possible.
    Key,
    /// Its signature does not match the key.
    Signature,
    /// It is past its `exp`.
    Expired,
    /// It was revoked.
    Revoked,
    /// A claim is missing or has the wrong type, or the token is for another audience, issuer or time.
    Claims,
}

impl TokenFlaw {
    /// All classes.
    pub const ALL: [Self; 7] = [
        Self::Malformed,
        Self::Algorithm,
        Self::Key,
        Self::Signature,
        Self::Expired,
        Self::Revoked,
        Self::Claims,
    ];

    /// A word for labels and log fields, such as `expired`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::Algorithm => "algorithm",
            Self::Key => "key",
            Self::Signature => "signature",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
            Self::Claims => "claims",
        }
    }
}

impl fmt::Display for TokenFlaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl From<TokenFlaw> for InvalidToken {
    fn from(flaw: TokenFlaw) -> Self {
        Self(flaw)
    }
}

impl From<Error> for TokenFlaw {
    fn from(error: Error) -> Self {
        match error.kind() {
            ErrorKind::InvalidSignature => Self::Signature,
            ErrorKind::ExpiredSignature => Self::Expired,
            ErrorKind::MissingRequiredClaim(_)
            | ErrorKind::InvalidClaimFormat(_)
            | ErrorKind::InvalidIssuer
            | ErrorKind::InvalidAudience
            | ErrorKind::InvalidSubject
            | ErrorKind::ImmatureSignature => Self::Claims,
            ErrorKind::InvalidAlgorithm | ErrorKind::UnsupportedAlgorithm => Self::Algorithm,
            _ => Self::Malformed,
        }
    }
}
