//! Hands a JSON value to the visitor of a type if it has the JSON type that was asked for. Otherwise it notes that, and hands
//! over an empty value.

use std::fmt;

use liveness_core::is_forbidden_control;
use serde::de::value::{MapDeserializer, SeqDeserializer};
use serde::de::{Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::entries::{Elements, Entries};
use super::findings::Findings;
use super::path::Path;
use super::reader::Reader;
use super::struct_entries::StructEntries;

/// The JSON type that a type is read from.
#[derive(Debug, Clone, Copy)]
pub(super) enum Shape {
    Boolean,
    Text,
    Null,
    Array,
    /// An object with any keys.
    Map,
    /// An object with these fields.
    Struct(&'static [&'static str]),
}

impl Shape {
    const fn must_be(self) -> &'static str {
        match self {
            Self::Boolean => "must be a boolean",
            Self::Text => "must be a string",
            Self::Null => "must be null",
            Self::Array => "must be an array",
            Self::Map | Self::Struct(_) => "must be an object",
        }
    }

    const fn fields(self) -> &'static [&'static str] {
        match self {
            Self::Struct(fields) => fields,
            _ => &[],
        }
    }
}

/// The visitor of a type that is read from one JSON type.
pub(super) struct Typed<'a, V> {
    pub(super) visitor: V,
    pub(super) shape: Shape,
    pub(super) path: Path<'a>,
    pub(super) findings: &'a mut Findings,
    pub(super) is_optional: bool,
}

impl<'de, V: Visitor<'de>> Typed<'_, V> {
    /// Notes a value of another JSON type, and gives the visitor an empty value of the right one.
    fn mismatch<E: Error>(self) -> Result<V::Value, E> {
        let shape = self.shape;
        self.findings.wrong_type(self.path, shape.must_be(), self.is_optional);
        let read = match shape {
            Shape::Boolean => self.visitor.visit_bool(false),
            Shape::Text => self.visitor.visit_str(""),
            Shape::Null => self.visitor.visit_unit(),
            Shape::Array => self.visitor.visit_seq(SeqDeserializer::new([(); 0].into_iter())),
            Shape::Map | Shape::Struct(_) => self.visitor.visit_map(MapDeserializer::new([((), ()); 0].into_iter())),
        };
        if read.is_err() {
            // The type refuses an empty value too. What is wrong is noted already.
            self.findings.stop_here(self.path);
        }
        read
    }

    fn simple<E: Error>(self, fits: bool, visit: impl FnOnce(V) -> Result<V::Value, E>) -> Result<V::Value, E> {
        if !fits {
            return self.mismatch();
        }
        let read = visit(self.visitor);
        self.findings.noting_error(self.path, &[], read)
    }

    fn text<E: Error>(self, text: &str, visit: impl FnOnce(V) -> Result<V::Value, E>) -> Result<V::Value, E> {
        if !matches!(self.shape, Shape::Text) {
            return self.mismatch();
        }
        if self.findings.has_control && text.contains(is_forbidden_control) {
            self.findings.control_character(self.path);
        }
        if self.findings.has_half_surrogate && text.contains(char::REPLACEMENT_CHARACTER) {
            self.findings.half_surrogate(self.path);
        }
        if self.is_optional && text.is_empty() {
            self.findings.empty_text(self.path);
        }
        let read = visit(self.visitor);
        self.findings.noting_error(self.path, &[], read)
    }
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Typed<'_, V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.visitor.expecting(f)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<V::Value, E> {
        let fits = matches!(self.shape, Shape::Boolean);
        self.simple(fits, |visitor| visitor.visit_bool(value))
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<V::Value, E> {
        self.mismatch()
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<V::Value, E> {
        self.mismatch()
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<V::Value, E> {
        self.mismatch()
    }

    fn visit_unit<E: Error>(self) -> Result<V::Value, E> {
        let fits = matches!(self.shape, Shape::Null);
        self.simple(fits, V::visit_unit)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<V::Value, E> {
        self.text(text, |visitor| visitor.visit_str(text))
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<V::Value, E> {
        self.text(text, |visitor| visitor.visit_borrowed_str(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<V::Value, A::Error> {
        if !matches!(self.shape, Shape::Array) {
            while elements.next_element::<IgnoredAny>()?.is_some() {}
            return self.mismatch();
        }
        let read = self
            .visitor
            .visit_seq(Elements::new(elements, &self.path, &mut *self.findings));
        self.findings.noting_error(self.path, &[], read)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<V::Value, A::Error> {
        let Self {
            visitor,
            shape,
            path,
            findings,
            ..
        } = self;
        let read = match shape {
            Shape::Struct(fields) => visitor.visit_map(StructEntries::new(entries, fields, &path, &mut *findings)),
            Shape::Map => visitor.visit_map(Entries::new(entries, &path, &mut *findings)),
            _ => {
                while entries.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                let typed = Typed {
                    visitor,
                    shape,
                    path,
                    findings,
                    is_optional: self.is_optional,
                };
                return typed.mismatch();
            }
        };
        findings.noting_error(path, shape.fields(), read)
    }
}

/// The visitor of an `Option`.
pub(super) struct OptionReader<'a, V> {
    pub(super) visitor: V,
    pub(super) path: Path<'a>,
    pub(super) findings: &'a mut Findings,
}

impl<'de, V: Visitor<'de>> Visitor<'de> for OptionReader<'_, V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.visitor.expecting(f)
    }

    fn visit_none<E: Error>(self) -> Result<V::Value, E> {
        let read = self.visitor.visit_none();
        self.findings.noting_error(self.path, &[], read)
    }

    fn visit_unit<E: Error>(self) -> Result<V::Value, E> {
        self.visit_none()
    }

    fn visit_some<D: Deserializer<'de>>(self, json: D) -> Result<V::Value, D::Error> {
        let read = self.visitor.visit_some(Reader {
            json,
            path: self.path,
            findings: &mut *self.findings,
            is_optional: true,
        });
        self.findings.noting_error(self.path, &[], read)
    }
}
