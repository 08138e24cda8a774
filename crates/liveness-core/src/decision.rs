//! What a person decided about a record.

/// A decision about a record. Decisions are added and never changed; the latest that counts is in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Decision {
    /// The record counts.
    Approve,
    /// The record does not count.
    Reject,
    /// The record does not count, and the user should try again.
    AskAgain,
}

impl Decision {
    /// All decisions.
    pub const ALL: [Self; 3] = [Self::Approve, Self::Reject, Self::AskAgain];

    /// The word, as in a message.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Approve => "approve",
            Self::Reject => "reject",
            Self::AskAgain => "ask_again",
        }
    }
}
