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
    /// It is longer than 8 KB.
    TooLarge,
    /// It is not a JWT, or not an access token, or has a critical extension.
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
    /// Its `iss` is not the configured one, or is no string; or it is missing, and the token is no customer's.
    Issuer,
    /// Its audience is not the configured one, or has the wrong type.
    Audience,
    /// Its `sub` is neither a string nor a whole number, is empty or too long, or is kept for the command line; or it is
    /// missing, and the token is no customer's.
    Subject,
    /// Another claim is missing or has the wrong type, or the token is for another time, or its `act` names nobody.
    Claims,
}

impl TokenFlaw {
    /// All classes.
    pub const ALL: [Self; 11] = [
        Self::TooLarge,
        Self::Malformed,
        Self::Algorithm,
        Self::Key,
        Self::Signature,
        Self::Expired,
        Self::Revoked,
        Self::Issuer,
        Self::Audience,
        Self::Subject,
        Self::Claims,
    ];

    /// A word for labels and log fields, such as `expired`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TooLarge => "too_large",
            Self::Malformed => "malformed",
            Self::Algorithm => "algorithm",
            Self::Key => "key",
            Self::Signature => "signature",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
            Self::Issuer => "issuer",
            Self::Audience => "audience",
            Self::Subject => "subject",
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

/// The library reads the header and checks the signature. The claims are not its matter: see `claims.rs`.
impl From<Error> for TokenFlaw {
    fn from(error: Error) -> Self {
        match error.kind() {
            ErrorKind::InvalidSignature => Self::Signature,
            ErrorKind::InvalidAlgorithm | ErrorKind::UnsupportedAlgorithm => Self::Algorithm,
            _ => Self::Malformed,
        }
    }
}
