//! Why a keeper of keys refuses.

use super::key_id::KeyId;

/// Why a keeper could not do what it was asked. No message holds a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeeperError {
    /// The key-encryption key was destroyed, or is of another keeper.
    #[error("the key-encryption key {0} is not there")]
    NoSuchKey(KeyId),
    /// The wrapped key does not unwrap: it was changed, or bound to something else.
    #[error("a wrapped key was changed, or put in another's place")]
    Changed,
    /// The keeper itself cannot be used.
    #[error("{problem}; {mend}")]
    Unusable {
        /// What is wrong.
        problem: String,
        /// What would mend it.
        mend: String,
    },
}
