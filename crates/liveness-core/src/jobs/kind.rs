//! The name of a kind of jobs.

use std::fmt;

/// The name of a kind of jobs: 1 to 64 of `a-z`, `0-9`, `.`, `_` and `-`, such as `faces.rotate`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct JobKind(&'static str);

impl JobKind {
    /// A kind. Names are constants of the program, so a wrong one does not compile where this is a `const`.
    ///
    /// ```
    /// use liveness_core::jobs::JobKind;
    ///
    /// const DELIVER: JobKind = JobKind::new("webhook.deliver");
    /// assert_eq!(DELIVER.name(), "webhook.deliver");
    /// ```
    ///
    /// # Panics
    ///
    /// When the name has no form of a kind.
    pub const fn new(name: &'static str) -> Self {
        assert!(is_name(name), "a kind of jobs is 1 to 64 of a-z, 0-9, '.', '_' and '-'");
        Self(name)
    }

    /// The name.
    pub const fn name(self) -> &'static str {
        self.0
    }
}

impl fmt::Display for JobKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

const fn is_name(name: &str) -> bool {
    let bytes = name.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        if !matches!(bytes[at], b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'-') {
            return false;
        }
        at += 1;
    }
    !bytes.is_empty() && bytes.len() <= 64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_a_short_name_in_lower_case() {
        for (name, is_kind) in [
            ("faces.rotate", true),
            ("faces.sweep-keys", true),
            ("a_1", true),
            ("", false),
            ("Faces", false),
            ("faces rotate", false),
            ("é", false),
        ] {
            assert_eq!(is_name(name), is_kind, "{name:?}");
        }
        assert!(is_name(&"k".repeat(64)) && !is_name(&"k".repeat(65)));
    }
}
