//! What is wrong with a token: for whoever runs the host, to count and to log, and never for whoever sent it.

use std::fmt;

use jsonwebtoken::errors::{Error, ErrorKind};

/// A token that is not good. `Display` says no more than that; [`flaw`](Self::flaw) is not for the caller.
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
    /// It is no JWT of at most 8 KB, or no access token, or has something critical in it.
    Malformed,
    /// No key verifies the algorithm that it names.
    Algorithm,
    /// It names a key that nobody knows, or none where several could be meant.
    Key,
    /// The key did not sign it.
    Signature,
    /// It is past its `exp`.
    Expired,
    /// It was revoked before.
    Revoked,
    /// A claim is missing, of the wrong type, or says that it is not for us or not for now.
    Claims,
}

impl TokenFlaw {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Malformed,
        Self::Algorithm,
        Self::Key,
        Self::Signature,
        Self::Expired,
        Self::Revoked,
        Self::Claims,
    ];

    /// A word for it, such as `expired`: a label, a field of a log line.
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
