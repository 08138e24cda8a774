//! The two policies that a word names. A file begins with one of them, and says what differs.

/// What a policy file starts from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Base {
    /// Records everything, and refuses nothing for the policy's sake. The default.
    Record,
    /// Refuses what the evidence speaks against.
    Enforce,
}

impl Base {
    /// The word, as in the file.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Record => "record",
            Self::Enforce => "enforce",
        }
    }

    /// The base of a word.
    pub fn of_word(word: &str) -> Option<Self> {
        [Self::Record, Self::Enforce]
            .into_iter()
            .find(|base| base.as_str() == word)
    }

    /// The value that this base has, of the two.
    pub(super) fn choose<T>(self, record: T, enforce: T) -> T {
        match self {
            Self::Record => record,
            Self::Enforce => enforce,
        }
    }
}
