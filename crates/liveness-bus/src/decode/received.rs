//! A JSON object that is kept exactly as it was received, together with its known fields.

use std::borrow::Cow;
use std::fmt;

use liveness_core::{ReceivedObject, Violation};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer, Error as _, Unexpected};
use serde_json::value::RawValue;
use validator::{Validate, ValidationError, ValidationErrors, ValidationErrorsKind};

use super::decode;
use super::field_errors::Decoded;
use crate::error::BusError;
use crate::validation::{camel_case, is_same_or_within, violation};

/// A JSON object exactly as it was received, together with its known fields as a `T`.
///
/// [`Validate`] reports the fields of `T` that could not be decoded, together with the rules that `T` itself breaks.
#[derive(Clone)]
pub struct Received<T> {
    object: Result<ReceivedObject, Violation>,
    known: T,
    unreadable: Vec<(String, ValidationError)>,
}

impl<T: DeserializeOwned + Default> Received<T> {
    /// Decodes an object.
    ///
    /// # Errors
    ///
    /// [`BusError::Malformed`] if the text is not a JSON object.
    pub fn from_json(json: &str) -> Result<Self, BusError> {
        let raw = RawValue::from_string(json.to_owned());
        Self::of(raw.map_err(|_| BusError::Malformed("not valid JSON".into()))?)
    }

    fn of(raw: Box<RawValue>) -> Result<Self, BusError> {
        let object = ReceivedObject::parse(raw);
        // An object that is too long is not decoded: an array of millions of strings would be built for nothing.
        let Decoded { message, problems } = match &object {
            Ok(object) => decode::<T>(object.as_json().as_bytes())?,
            Err(_) => Decoded {
                message: None,
                problems: Vec::new(),
            },
        };
        let to_error = |code, message| ValidationError {
            code,
            message: Some(message),
            params: Default::default(),
        };
        let unreadable = problems
            .into_iter()
            .map(|problem| (problem.field, to_error(problem.code, problem.message)));
        Ok(Self {
            unreadable: unreadable.collect(),
            object,
            known: message.unwrap_or_default(),
        })
    }

    /// The known fields.
    pub fn known(&self) -> &T {
        &self.known
    }

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
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        if raw.get().starts_with('{') {
            Self::of(raw).map_err(D::Error::custom)
        } else {
            Err(D::Error::invalid_type(Unexpected::Other("another value"), &"an object"))
        }
    }
}

impl<T: Validate> Validate for Received<T> {
    fn validate(&self) -> Result<(), ValidationErrors> {
        let mut errors = self.known.validate().err().unwrap_or_default();
        // A list with an element that could not be decoded has a placeholder instead, so its rules say nothing.
        let is_whole = |name: &str| {
            !self
                .unreadable
                .iter()
                .any(|(field, _)| is_same_or_within(&camel_case(name), field))
        };
        errors
            .errors_mut()
            .retain(|name, kind| !matches!(kind, ValidationErrorsKind::Field(_)) || is_whole(name));
        for (field, error) in &self.unreadable {
            errors
                .errors_mut()
                .insert(field.clone().into(), ValidationErrorsKind::Field(vec![error.clone()]));
        }
        if let Err(broken) = self.object {
            errors.add("", violation(broken));
        }
        if errors.is_empty() { Ok(()) } else { Err(errors) }
    }
}
