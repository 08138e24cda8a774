//! The elements of an array and the entries of an object with any keys.

use std::borrow::Cow;

use liveness_core::is_forbidden_control;
use serde::de::{DeserializeSeed, MapAccess, SeqAccess};

use super::findings::Findings;
use super::map_key::MapKey;
use super::path::Path;
use super::reader::Seed;

/// The elements of an array.
pub(super) struct Elements<'a, A> {
    elements: A,
    array: &'a Path<'a>,
    findings: &'a mut Findings,
    index: usize,
}

impl<'a, A> Elements<'a, A> {
    pub(super) fn new(elements: A, array: &'a Path<'a>, findings: &'a mut Findings) -> Self {
        Self {
            elements,
            array,
            findings,
            index: 0,
        }
    }
}

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for Elements<'_, A> {
    type Error = A::Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, A::Error> {
        let path = Path::Element(self.array, self.index);
        self.index += 1;
        self.elements.next_element_seed(Seed {
            seed,
            path,
            findings: &mut *self.findings,
        })
    }

    fn size_hint(&self) -> Option<usize> {
        self.elements.size_hint()
    }
}

/// The entries of an object with any keys.
pub(super) struct Entries<'a, A> {
    entries: A,
    object: &'a Path<'a>,
    findings: &'a mut Findings,
    key: String,
}

impl<'a, A> Entries<'a, A> {
    pub(super) fn new(entries: A, object: &'a Path<'a>, findings: &'a mut Findings) -> Self {
        Self {
            entries,
            object,
            findings,
            key: String::new(),
        }
    }
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Entries<'_, A> {
    type Error = A::Error;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, A::Error> {
        let Some(key) = self.entries.next_key::<Cow<'de, str>>()? else {
            return Ok(None);
        };
        look_at_key(&key, self.object, self.findings);
        self.key = key.into_owned();
        let read = seed.deserialize(MapKey::new(&self.key));
        self.findings.noting_error(*self.object, &[], read).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, A::Error> {
        self.entries.next_value_seed(Seed {
            seed,
            path: Path::Entry(self.object, &self.key),
            findings: &mut *self.findings,
        })
    }
}

/// Notes a key that has a forbidden control character.
pub(super) fn look_at_key(key: &str, object: &Path<'_>, findings: &mut Findings) {
    if findings.has_control && key.contains(is_forbidden_control) {
        findings.control_character(*object);
    }
}
