//! What the refusals of a token mean.

use cryptoki::error::{Error, RvError};

use crate::faces::KeeperError;

/// Why work on a token ended.
pub(super) enum Refusal {
    /// The token, or its library, has refused.
    Token(Error),
    /// We have.
    Keeper(KeeperError),
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self::Token(error)
    }
}

impl From<KeeperError> for Refusal {
    fn from(error: KeeperError) -> Self {
        Self::Keeper(error)
    }
}

impl Refusal {
    /// Whether the session, or what was found in it, is no more: the token was taken out and put in again, somebody has
    /// ended the session, or a key was destroyed just now. A new session may do.
    pub(super) fn is_of_session(&self) -> bool {
        let Self::Token(Error::Pkcs11(code, _)) = self else {
            return false;
        };
        matches!(
            code,
            RvError::SessionHandleInvalid
                | RvError::SessionClosed
                | RvError::DeviceError
                | RvError::DeviceRemoved
                | RvError::TokenNotPresent
                | RvError::TokenNotRecognized
                | RvError::UserNotLoggedIn
                | RvError::OperationActive
                | RvError::ObjectHandleInvalid
                | RvError::KeyHandleInvalid
        )
    }
}

/// Whether a token says that what it was to decrypt is wrong.
pub(super) fn is_of_data(error: &Error) -> bool {
    let Error::Pkcs11(code, _) = error else { return false };
    matches!(
        code,
        RvError::EncryptedDataInvalid
            | RvError::EncryptedDataLenRange
            | RvError::DataInvalid
            | RvError::DataLenRange
            | RvError::SignatureInvalid
            | RvError::SignatureLenRange
    )
}

/// Whether a token says that a PIN is not the one of its user.
pub(super) fn is_of_pin(error: &Error) -> bool {
    let Error::Pkcs11(code, _) = error else { return false };
    matches!(
        code,
        RvError::PinIncorrect | RvError::PinInvalid | RvError::PinLenRange | RvError::PinExpired
    )
}

/// A refusal in short: which function, and the name of the code. The texts of PKCS#11 are paragraphs.
pub(super) fn in_short(error: &Error) -> String {
    match error {
        Error::Pkcs11(code, function) => format!("C_{function:?} says {code:?}"),
        other => other.to_string(),
    }
}
