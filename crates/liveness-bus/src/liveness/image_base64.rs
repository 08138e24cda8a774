//! The field `imageBase64`. It is decoded while the body is parsed, directly from the text into bytes.

use std::borrow::Cow;
use std::fmt;

use liveness_core::{FaceImage, ImageError};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::{Deserialize, Deserializer, Error, Visitor};
use serde_json::Value;
use validator::{Validate, ValidationErrors};

use crate::validation::violation;

/// White space as in Base64. A text of nothing else is no image.
const SPACES: [char; 4] = ['\t', '\n', '\r', ' '];

/// An image, no image (`null` or an empty text), or a text that is not an image: `docs/api.md#images`.
#[derive(Debug, Clone, Default)]
pub struct ImageBase64(Option<Result<FaceImage, ImageError>>);

impl ImageBase64 {
    /// The image, if there is one.
    ///
    /// # Errors
    ///
    /// The reason why the text is not an image. There is no error after validation.
    pub fn into_image(self) -> Result<Option<FaceImage>, ImageError> {
        self.0.transpose()
    }
}

impl From<FaceImage> for ImageBase64 {
    fn from(image: FaceImage) -> Self {
        Self(Some(Ok(image)))
    }
}

impl Validate for ImageBase64 {
    fn validate(&self) -> Result<(), ValidationErrors> {
        let Some(Err(error)) = self.0 else { return Ok(()) };
        let mut errors = ValidationErrors::new();
        errors.add("", violation(error.into()));
        Err(errors)
    }
}

impl JsonSchema for ImageBase64 {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "ImageBase64".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = Option::<FaceImage>::json_schema(generator);
        if let Some(Value::String(pattern)) = schema.get_mut("pattern") {
            pattern.insert_str(0, r"^[\t\n\r ]*$|");
        }
        schema
    }
}

impl<'de> Deserialize<'de> for ImageBase64 {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;

        impl<'de> Visitor<'de> for Text {
            type Value = ImageBase64;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_none<E: Error>(self) -> Result<ImageBase64, E> {
                Ok(ImageBase64(None))
            }

            fn visit_unit<E: Error>(self) -> Result<ImageBase64, E> {
                Ok(ImageBase64(None))
            }

            fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<ImageBase64, D::Error> {
                deserializer.deserialize_str(self)
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<ImageBase64, E> {
                let is_empty = text.trim_start_matches(SPACES).is_empty();
                Ok(ImageBase64((!is_empty).then(|| FaceImage::from_base64(text))))
            }
        }

        deserializer.deserialize_option(Text)
    }
}
