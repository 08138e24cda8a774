//! How a [`Reader`] reads each kind of type: a deserializer around that of serde_json.

use std::ops::RangeInclusive;

use serde::de::{Deserialize as _, DeserializeSeed as _, Deserializer, Error as _, Visitor};
use serde_json::value::RawValue;

use super::control_characters::Place;
use super::integer::{self, Integer};
use super::reader::{AS_IT_IS, Reader};
use super::typed::{OptionReader, Shape, Typed};
use super::variants::EnumReader;

/// How the names begin by which types of serde_json ask for what only it has.
const OF_SERDE_JSON: &str = "$serde_json::private::";

impl<'a, 'de, D: Deserializer<'de>> Reader<'a, D> {
    fn typed<V: Visitor<'de>>(self, shape: Shape, visitor: V) -> Result<V::Value, D::Error> {
        self.json.deserialize_any(Typed {
            visitor,
            shape,
            path: self.path,
            findings: self.findings,
            is_optional: self.is_optional,
        })
    }

    /// Reads a whole number within the bounds, and calls `visit` with it: with the nearest bound if it is beyond, so that the
    /// rules of the field say how far it may go, and with 0 if it is none.
    fn integer<T>(
        self,
        bounds: RangeInclusive<i128>,
        visit: impl FnOnce(i128) -> Result<T, D::Error>,
    ) -> Result<T, D::Error> {
        let json = Option::<&RawValue>::deserialize(self.json)?;
        let value = match json.and_then(|json| integer::parse(json.get())) {
            None => {
                self.findings
                    .wrong_type(self.path, "must be an integer", self.is_optional);
                0
            }
            Some(Integer::Value(value)) if bounds.contains(&value) => value,
            Some(Integer::Value(..0) | Integer::TooSmall) => {
                let least = *bounds.start();
                self.findings.beyond(self.path, format!("must be at least {least}"));
                least
            }
            Some(_) => {
                let most = *bounds.end();
                self.findings.beyond(self.path, format!("must be at most {most}"));
                most
            }
        };
        let read = visit(value);
        self.findings.noting_error(self.path, &[], read)
    }

    /// Reads a number, and calls `visit` with it, or with 0 if it is none.
    fn number<T>(self, visit: impl FnOnce(f64) -> Result<T, D::Error>) -> Result<T, D::Error> {
        let json = Option::<&RawValue>::deserialize(self.json)?;
        let is_number = |json: &&str| json.starts_with(|first: char| first == '-' || first.is_ascii_digit());
        let value = json
            .map(RawValue::get)
            .filter(is_number)
            .and_then(|json| json.parse().ok());
        let value = match value {
            None => {
                self.findings
                    .wrong_type(self.path, "must be a number", self.is_optional);
                0.0
            }
            Some(value) if !f64::is_finite(value) => {
                self.findings.too_large(self.path, self.is_optional);
                0.0
            }
            Some(value) => value,
        };
        let read = visit(value);
        self.findings.noting_error(self.path, &[], read)
    }

    /// The JSON of a value whose type takes any, after its strings have been looked at.
    fn looked_at(self) -> Result<&'de str, D::Error> {
        let json = Option::<&RawValue>::deserialize(self.json)?.map_or("null", RawValue::get);
        let place = Place {
            path: self.path,
            findings: self.findings,
        };
        let looked = place.deserialize(&mut serde_json::Deserializer::from_str(json));
        looked.map(|()| json).map_err(D::Error::custom)
    }
}

macro_rules! integers {
    ($($method:ident: $bounds:ty as $type:ty => $visit:ident),* $(,)?) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
            let bound = |bound: Result<i128, _>| bound.unwrap_or(i128::MAX);
            let bounds = bound(<$bounds>::MIN.try_into())..=bound(<$bounds>::MAX.try_into());
            self.integer(bounds, |value| visitor.$visit(<$type>::try_from(value).unwrap_or_default()))
        })*
    };
}

macro_rules! typed {
    ($($method:ident => $shape:expr),* $(,)?) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
            self.typed($shape, visitor)
        })*
    };
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Reader<'_, D> {
    type Error = D::Error;

    integers! {
        deserialize_i8: i8 as i64 => visit_i64,
        deserialize_i16: i16 as i64 => visit_i64,
        deserialize_i32: i32 as i64 => visit_i64,
        deserialize_i64: i64 as i64 => visit_i64,
        deserialize_i128: i128 as i128 => visit_i128,
        deserialize_u8: u8 as u64 => visit_u64,
        deserialize_u16: u16 as u64 => visit_u64,
        deserialize_u32: u32 as u64 => visit_u64,
        deserialize_u64: u64 as u64 => visit_u64,
        deserialize_u128: u128 as u128 => visit_u128,
    }

    typed! {
        deserialize_bool => Shape::Boolean,
        deserialize_char => Shape::Text,
        deserialize_str => Shape::Text,
        deserialize_string => Shape::Text,
        deserialize_unit => Shape::Null,
        deserialize_seq => Shape::Array,
        deserialize_map => Shape::Map,
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.number(|value| visitor.visit_f64(value))
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.number(|value| visitor.visit_f64(value))
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, D::Error> {
        self.typed(Shape::Null, visitor)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, D::Error> {
        self.typed(Shape::Array, visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.typed(Shape::Array, visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.typed(Shape::Struct(fields), visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.json.deserialize_option(OptionReader {
            visitor,
            path: self.path,
            findings: self.findings,
        })
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, D::Error> {
        if name == AS_IT_IS {
            let read = visitor.visit_newtype_struct(self.json);
            return self.findings.noting_error(self.path, &[], read);
        }
        if name.starts_with(OF_SERDE_JSON) {
            if !self.findings.has_control {
                return self.json.deserialize_newtype_struct(name, visitor);
            }
            let mut json = serde_json::Deserializer::from_str(self.looked_at()?);
            let read = json.deserialize_newtype_struct(name, visitor);
            return read.map_err(D::Error::custom);
        }
        let path = self.path;
        let read = visitor.visit_newtype_struct(Reader {
            findings: &mut *self.findings,
            ..self
        });
        self.findings.noting_error(path, &[], read)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        let reader = EnumReader {
            visitor,
            path: self.path,
            findings: self.findings,
        };
        self.json.deserialize_enum(name, variants, reader)
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        if !self.findings.has_control {
            return self.json.deserialize_any(visitor);
        }
        let mut json = serde_json::Deserializer::from_str(self.looked_at()?);
        json.deserialize_any(visitor).map_err(D::Error::custom)
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.json.deserialize_bytes(visitor)
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.json.deserialize_byte_buf(visitor)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.json.deserialize_identifier(visitor)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        if !self.findings.has_control {
            return self.json.deserialize_ignored_any(visitor);
        }
        let place = Place {
            path: self.path,
            findings: self.findings,
        };
        place.deserialize(self.json)?;
        visitor.visit_unit()
    }
}
