//! A rule that a value broke. It never quotes the value, so no face and no name ends up in an error.

use std::fmt;

/// Which rule of `docs/api.md#fields` a value broke.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Violation {
    code: &'static str,
    message: &'static str,
}

impl Violation {
    /// `code` is for programs (`length`, `range`, …). `message` tells a person how a valid value looks.
    pub const fn new(code: &'static str, message: &'static str) -> Self {
        Self { code, message }
    }

    /// The broken rule, for programs: one of the codes of `docs/api.md#envelope`.
    pub const fn code(&self) -> &'static str {
        self.code
    }

    /// How a valid value looks, for a person.
    pub const fn message(&self) -> &'static str {
        self.message
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message)
    }
}

impl std::error::Error for Violation {}
