//! A value of a body that is read into a type, where a value that is wrong does not end the reading.
//!
//! It does what serde_json does not: names match without case, a known name is given once, a whole number is exact however
//! it is written, and a wrong value is noted and replaced, so that one reading finds all wrong fields.

use serde::de::{DeserializeSeed, Deserializer};

use super::findings::Findings;
use super::path::Path;

/// By this name a type asks for the JSON as it is, and reads it by itself: [`Received`](super::Received).
pub(super) const AS_IT_IS: &str = "liveness_bus: JSON as it is";

/// One value of a body. `json` is where serde_json reads it.
pub(super) struct Reader<'a, D> {
    pub(super) json: D,
    pub(super) path: Path<'a>,
    pub(super) findings: &'a mut Findings,
    /// It is the value of an `Option`.
    pub(super) is_optional: bool,
}

/// Reads a value with a [`Reader`].
pub(super) struct Seed<'a, S> {
    pub(super) seed: S,
    pub(super) path: Path<'a>,
    pub(super) findings: &'a mut Findings,
}

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for Seed<'_, S> {
    type Value = S::Value;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<S::Value, D::Error> {
        let read = self.seed.deserialize(Reader {
            json,
            path: self.path,
            findings: &mut *self.findings,
            is_optional: false,
        });
        self.findings.noting_error(self.path, &[], read)
    }
}
