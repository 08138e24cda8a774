//! Finds the fields that hold a forbidden control character, also those that the type of the message does not have.

use std::fmt;

use liveness_core::is_forbidden_control;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::findings::Findings;
use super::path::Path;

/// Reads a value of any type, and notes each place in it where a string has a forbidden control character. A key with one
/// counts as a fault of its object.
pub(super) struct Place<'a> {
    pub(super) path: Path<'a>,
    pub(super) findings: &'a mut Findings,
}

impl Place<'_> {
    fn look_at(&mut self, text: &str) {
        if text.contains(is_forbidden_control) {
            self.findings.control_character(self.path);
        }
    }
}

impl<'de> DeserializeSeed<'de> for Place<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Place<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E: Error>(mut self, text: &str) -> Result<(), E> {
        self.look_at(text);
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<(), A::Error> {
        for index in 0.. {
            let element = Place {
                path: Path::Element(&self.path, index),
                findings: &mut *self.findings,
            };
            if elements.next_element_seed(element)?.is_none() {
                break;
            }
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut entries: A) -> Result<(), A::Error> {
        while let Some(key) = entries.next_key::<String>()? {
            self.look_at(&key);
            entries.next_value_seed(Place {
                path: Path::Entry(&self.path, &key),
                findings: &mut *self.findings,
            })?;
        }
        Ok(())
    }
}
