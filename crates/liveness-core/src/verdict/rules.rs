//! The rules, one file for each family. A rule is a pure function that says what it saw, or nothing.
//!
//! `judging.rs` asks them. `docs/api.md#verdict` says of each rule when it speaks, and what it cannot tell.

pub(super) mod alarms;
pub(super) mod attestation;
pub(super) mod challenges;
pub(super) mod claim;
pub(super) mod image;
pub(super) mod light;
#[cfg(test)]
pub(super) mod sample;
pub(super) mod session;
pub(super) mod time;

use serde_json::Value;

/// What a rule that speaks has seen.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Seen {
    /// What it saw: a number, a text or a list. Durations are milliseconds.
    pub(super) saw: Value,
    /// The bound that this is beyond, of the same unit. `null` if the rule has none.
    pub(super) bound: Value,
}

impl Seen {
    /// Something that a rule without a bound speaks about.
    fn of(saw: impl Into<Value>) -> Self {
        Self::beyond(saw, Value::Null)
    }

    /// Something that is beyond a bound.
    fn beyond(saw: impl Into<Value>, bound: impl Into<Value>) -> Self {
        Self {
            saw: saw.into(),
            bound: bound.into(),
        }
    }
}
