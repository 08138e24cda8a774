//! The entries of an object that is read into a struct: names match without case, and each is given once.

use std::borrow::Cow;
use std::fmt;

use serde::de::value::UnitDeserializer;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, IntoDeserializer as _, MapAccess, Visitor};

use super::entries::look_at_key;
use super::findings::Findings;
use super::path::Path;
use super::reader::Seed;

/// The entries of an object that is read into a struct.
///
/// A name matches a field without regard to ASCII case. What is given twice is noted, and the first counts.
pub(super) struct StructEntries<'a, A> {
    entries: A,
    fields: &'static [&'static str],
    object: &'a Path<'a>,
    findings: &'a mut Findings,
    /// The fields that were there, as bits. A struct of more fields finds the others by itself.
    seen: u128,
    current: Current,
}

/// The entry whose value is read next.
enum Current {
    Field(&'static str),
    /// The struct has no such field.
    Unknown(String),
    /// The struct needs the field, and it is not there.
    Missing(&'static str),
}

impl<'a, A> StructEntries<'a, A> {
    pub(super) fn new(
        entries: A,
        fields: &'static [&'static str],
        object: &'a Path<'a>,
        findings: &'a mut Findings,
    ) -> Self {
        Self {
            entries,
            fields,
            object,
            findings,
            seen: 0,
            current: Current::Unknown(String::new()),
        }
    }

    /// Takes the field for seen. Returns whether it was before.
    fn see(&mut self, index: usize) -> bool {
        let bit = u32::try_from(index)
            .ok()
            .and_then(|index| 1_u128.checked_shl(index))
            .unwrap_or(0);
        let was_seen = self.seen & bit != 0;
        self.seen |= bit;
        was_seen
    }

    /// A field that the struct needs and that was not there, after all that were.
    fn next_missing(&mut self) -> Option<&'static str> {
        if !self.findings.knows_required() {
            return None;
        }
        (0..self.fields.len()).find_map(|index| {
            let field = self.fields[index];
            (self.findings.is_required(self.fields, field) && !self.see(index)).then_some(field)
        })
    }
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for StructEntries<'_, A> {
    type Error = A::Error;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, A::Error> {
        loop {
            let Some(key) = self.entries.next_key_seed(Name(self.fields))? else {
                let Some(field) = self.next_missing() else {
                    return Ok(None);
                };
                self.current = Current::Missing(field);
                return seed.deserialize(field.into_deserializer()).map(Some);
            };
            let index = match key {
                Key::Field(index) => index,
                Key::Unknown(key) => {
                    look_at_key(&key, self.object, self.findings);
                    let read = seed.deserialize((&*key).into_deserializer()).map(Some);
                    self.current = Current::Unknown(key.into_owned());
                    return read;
                }
            };
            let field = self.fields[index];
            let path = Path::Field(self.object, field);
            if self.see(index) {
                self.findings.duplicate(path);
            } else if !self.findings.is_passed_over(path) {
                self.current = Current::Field(field);
                return seed.deserialize(field.into_deserializer()).map(Some);
            }
            self.entries.next_value::<IgnoredAny>()?;
        }
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, A::Error> {
        let findings = &mut *self.findings;
        let path = match &self.current {
            Current::Field(name) => Path::Field(self.object, name),
            Current::Unknown(key) => Path::Entry(self.object, key),
            Current::Missing(name) => {
                let path = Path::Field(self.object, name);
                findings.missing(path);
                return Seed { seed, path, findings }.deserialize(UnitDeserializer::new());
            }
        };
        self.entries.next_value_seed(Seed { seed, path, findings })
    }
}

/// Reads the name of one of these fields.
struct Name(&'static [&'static str]);

enum Key<'de> {
    Field(usize),
    Unknown(Cow<'de, str>),
}

impl Name {
    fn find(&self, key: &str) -> Option<usize> {
        let is_exact = |field: &&str| *field == key;
        let is_other_case = |field: &&str| field.eq_ignore_ascii_case(key);
        let exact = self.0.iter().position(is_exact);
        exact.or_else(|| self.0.iter().position(is_other_case))
    }
}

impl<'de> DeserializeSeed<'de> for Name {
    type Value = Key<'de>;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Key<'de>, D::Error> {
        json.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Name {
    type Value = Key<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a field")
    }

    fn visit_borrowed_str<E: Error>(self, key: &'de str) -> Result<Key<'de>, E> {
        Ok(self.find(key).map_or(Key::Unknown(Cow::Borrowed(key)), Key::Field))
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<Key<'de>, E> {
        Ok(self
            .find(key)
            .map_or_else(|| Key::Unknown(Cow::Owned(key.to_owned())), Key::Field))
    }
}
