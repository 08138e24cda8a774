//! The name of a key-encryption key.

use std::fmt;

/// The name of a key-encryption key: 1 to 64 of `A-Za-z0-9._-`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct KeyId(String);

impl KeyId {
    /// A name, if it is one.
    pub fn parse(name: &str) -> Option<Self> {
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        ((1..=64).contains(&name.len()) && name.bytes().all(is_allowed)).then(|| Self(name.to_owned()))
    }

    /// The name of a new key: its number, and a random one that keeps two keys of that number apart.
    pub(super) fn numbered(number: u64, random: u64) -> Self {
        Self(format!("{number:08}-{random:016x}"))
    }

    /// The number that the name begins with. A name of another form comes first, and is never that of the current key.
    pub(super) fn number(&self) -> u64 {
        let number = self.0.split('-').next();
        number.and_then(|number| number.parse().ok()).unwrap_or(0)
    }

    /// Puts names into the order of their numbers: the last one is that of the current key.
    pub(super) fn sort(ids: &mut [Self]) {
        ids.sort_by_key(|id| (id.number(), id.to_string()));
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
