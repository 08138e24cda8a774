//! A JSON object that is kept exactly as it was received, together with its known fields.

use std::borrow::Cow;
use std::fmt;
use std::sync::OnceLock;

use liveness_core::{ReceivedObject, Violation};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer, IgnoredAny, Visitor};
use serde_json::value::RawValue;
use validator::{Validate, ValidationError, ValidationErrors, ValidationErrorsKind};

use super::decode;
use super::reader::AS_IT_IS;
use crate::error::{BusError, FieldError};
use crate::validation::{camel_case, is_same_or_within, violation};

/// A JSON object exactly as it was received, together with its known fields as a `T`.
///
/// The known fields are decoded when they are first asked for. [`Validate`] reports those that could not be decoded,
/// together with the rules that `T` itself breaks.
#[derive(Clone)]
pub struct Received<T> {
    object: Result<ReceivedObject, Violation>,
    decoded: OnceLock<Known<T>>,
}

#[derive(Clone)]
struct Known<T> {
    fields: T,
    unreadable: Vec<FieldError>,
}

impl<T: DeserializeOwned + Default> Received<T> {
    /// Takes an object.
    ///
    /// # Errors
    ///
    /// [`BusError::Malformed`] if the text is not a JSON object, is nested too deep, or has too many values.
    pub fn from_json(json: &str) -> Result<Self, BusError> {
        decode::<IgnoredAny>(json.as_bytes())?;
        let raw = RawValue::from_string(json.to_owned());
        Ok(Self::of(raw.map_err(|_| BusError::Malformed("not valid JSON".into()))?))
    }

    fn of(raw: Box<RawValue>) -> Self {
        Self {
            object: ReceivedObject::parse(raw),
            decoded: OnceLock::new(),
        }
    }

    /// The known fields. A field that cannot be decoded is left out, or is empty.
    pub fn known(&self) -> &T {
        &self.decoded().fields
    }

    fn decoded(&self) -> &Known<T> {
        self.decoded.get_or_init(|| {
            // An object that is too long is not decoded: an array of millions of strings would be built for nothing.
            let decoded = self
                .object
                .as_ref()
                .ok()
                .map(|object| decode::<T>(object.as_json().as_bytes()));
            let (fields, unreadable) = match decoded {
                None => (None, Vec::new()),
                Some(Ok(decoded)) => (decoded.message, decoded.problems),
                Some(Err(error)) => (None, vec![FieldError::new("", "type", error.to_string())]),
            };
            Known {
                fields: fields.unwrap_or_default(),
                unreadable,
            }
        })
    }
}

impl<T> Received<T> {
    /// The object as it was received.
    ///
    /// # Errors
    ///
    /// The rule that the object breaks. There is no error after validation.
    pub fn object(&self) -> Result<&ReceivedObject, Violation> {
        self.object.as_ref().map_err(|violation| *violation)
    }
}

/// That of `T`, which has room for more.
impl<T: JsonSchema> JsonSchema for Received<T> {
    fn inline_schema() -> bool {
        T::inline_schema()
    }

    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }

    fn schema_id() -> Cow<'static, str> {
        T::schema_id()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
}

impl<T> fmt::Debug for Received<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Received").field(&self.object).finish()
    }
}

impl<'de, T: DeserializeOwned + Default> Deserialize<'de> for Received<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AsItIs;

        impl<'de> Visitor<'de> for AsItIs {
            type Value = Box<RawValue>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_newtype_struct<D: Deserializer<'de>>(self, json: D) -> Result<Box<RawValue>, D::Error> {
                Box::deserialize(json)
            }
        }

        let raw = deserializer.deserialize_newtype_struct(AS_IT_IS, AsItIs)?;
        // A value that is no object breaks a rule, like an object that is too long.
        Ok(Self::of(raw))
    }
}

impl<T: Validate + DeserializeOwned + Default> Validate for Received<T> {
    fn validate(&self) -> Result<(), ValidationErrors> {
        let Known { fields, unreadable } = self.decoded();
        let mut errors = fields.validate().err().unwrap_or_default();
        let broken = errors.errors().iter();
        let broken = broken.filter(|entry| matches!(entry.1, ValidationErrorsKind::Field(_)));
        let broken: Vec<String> = broken.map(|(name, _)| camel_case(name).into_owned()).collect();
        // A number out of bounds is told by the rule of its field, which is narrower than its type.
        let is_told = |problem: &&FieldError| problem.code == "range" && broken.contains(&problem.field);
        let unreadable: Vec<&FieldError> = unreadable.iter().filter(|problem| !is_told(problem)).collect();
        // A list with an element that could not be decoded has a placeholder instead, so its rules say nothing.
        let is_whole = |name: &str| {
            !unreadable
                .iter()
                .any(|problem| is_same_or_within(&camel_case(name), &problem.field))
        };
        errors
            .errors_mut()
            .retain(|name, kind| !matches!(kind, ValidationErrorsKind::Field(_)) || is_whole(name));
        errors.errors_mut().reserve(unreadable.len());
        for problem in unreadable {
            let error = ValidationError {
                code: problem.code.clone(),
                message: Some(problem.message.clone()),
                params: Default::default(),
            };
            errors
                .errors_mut()
                .insert(problem.field.clone().into(), ValidationErrorsKind::Field(vec![error]));
        }
        if let Err(broken) = self.object {
            errors.add("", violation(broken));
        }
        if errors.is_empty() { Ok(()) } else { Err(errors) }
    }
}
