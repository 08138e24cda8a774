//! The rules of the values as JSON Schema, for hosts that describe their input. Limits come from the same constants.
//!
//! JSON Schema cannot express all of a rule, such as a size in bytes or a length after trimming. The value's own type
//! checks the rest. Patterns use only the syntax that ECMA-262 and Rust's regular expressions share.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use crate::{
    Challenge, ChallengeCount, Challenges, FaceImage, ImagePath, LightingValue, ReceivedObject, SessionDuration,
    SessionId, Timestamp,
};

/// All control characters, for use inside the brackets of a character class.
const CONTROL: &str = r"\u0000-\u001f\u007f-\u009f";
/// The control characters that no string may contain: [`is_forbidden_control`](crate::is_forbidden_control).
const FORBIDDEN: &str = r"\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f";

macro_rules! inline {
    ($($value:ident: $schema:expr;)*) => {$(
        impl JsonSchema for $value {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                stringify!($value).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                $schema
            }
        }
    )*};
}

inline! {
    SessionId: json_schema!({
        "type": "string",
        "minLength": 1,
        "maxLength": Self::MAX_CHARS,
        "pattern": format!(r"^[\t\n\r]*[^{CONTROL}]*[^\s{CONTROL}][^{CONTROL}]*[\t\n\r]*$"),
    });
    ImagePath: json_schema!({ "type": "string", "maxLength": Self::MAX_CHARS, "pattern": image_path() });
    Challenge: json_schema!({
        "type": "string",
        "minLength": 1,
        "maxLength": Self::MAX_CHARS,
        "pattern": format!("^[^{FORBIDDEN}]*$"),
    });
    SessionDuration: json_schema!({
        "type": "integer", "format": "int32", "minimum": 0, "maximum": Self::MAX_MILLIS,
    });
    LightingValue: json_schema!({ "type": "number", "format": "double", "minimum": 0, "maximum": 1 });
    ChallengeCount: json_schema!({ "type": "integer", "format": "int32", "minimum": 0, "maximum": Self::MAX });
    Timestamp: json_schema!({
        "type": "string",
        "format": "date-time",
        // The pattern repeats `format`, because some validators ignore `format`.
        "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}",
    });
    FaceImage: json_schema!({ "type": "string", "pattern": face_image() });
    ReceivedObject: json_schema!({ "type": "object", "additionalProperties": true });
}

impl JsonSchema for Challenges {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Challenges".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "array",
            "items": generator.subschema_for::<Challenge>(),
            "maxItems": Self::MAX,
        })
    }
}

/// A path whose segments are all different from `..`.
fn image_path() -> String {
    let segment = format!(r"(\.?|\.\.\.+|\.*[^./\\{CONTROL}][^/\\{CONTROL}]*)");
    format!(r"^{segment}([/\\]{segment})*$")
}

/// Base64 that begins with the signature of a JPEG, a PNG or a WebP, with or without the head of a data URI.
fn face_image() -> String {
    const REST: &str = "([A-Za-z0-9+/]{4})*([A-Za-z0-9+/][AQgw](==)?|[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=?)?";
    let jpeg = "/9j/";
    let png = "iVBORw0KGg[o-r][A-Za-z0-9+/]";
    // The size of the file stands between RIFF and WEBP.
    let webp = "UklGR[g-v][A-Za-z0-9+/]{4}[BFJNRVZdhlptx159]XRUJQ";
    format!("^(data:[^,{FORBIDDEN}]*;base64,)?(({jpeg}|{png}|{webp}){REST}|iVBORw0KGgo=?)$")
}

#[cfg(test)]
mod tests {
    use regex::Regex;

    use super::*;

    fn pattern<T: JsonSchema>() -> Regex {
        let schema = T::json_schema(&mut SchemaGenerator::default());
        Regex::new(schema.get("pattern").unwrap().as_str().unwrap()).unwrap()
    }

    #[test]
    fn patterns_take_what_the_rules_take_and_nothing_else() {
        let texts = [
            "sdk-1",
            " sdk-1\n",
            "",
            " \t ",
            "\u{2003}",
            "a b",
            "a\tb",
            "a\u{0}b",
            "a\u{85}b",
            "é",
            "/uploads/a.jpg",
            "a..b/c",
            "../etc",
            "a/../b",
            r"a\..\b",
            "..",
            ".",
            "...",
            "./a",
            "..a",
            "a/..",
            "a//b",
            "\u{1b}[2J",
            "BLINK",
        ];
        let [session_id, image_path, challenge] =
            [pattern::<SessionId>(), pattern::<ImagePath>(), pattern::<Challenge>()];
        for text in texts {
            assert_eq!(
                session_id.is_match(text),
                SessionId::parse(text).is_ok(),
                "session id {text:?}"
            );
            assert_eq!(
                image_path.is_match(text),
                ImagePath::parse(text).is_ok(),
                "path {text:?}"
            );
            // The pattern does not check the length.
            let is_challenge = text.is_empty() || Challenge::parse(text).is_ok();
            assert_eq!(challenge.is_match(text), is_challenge, "challenge {text:?}");
        }
    }

    #[test]
    fn the_pattern_of_a_face_takes_what_is_read_as_one() {
        let face = pattern::<FaceImage>();
        let heads: [&[u8]; 6] = [
            b"\xFF\xD8\xFF",
            b"\x89PNG\r\n\x1A\n",
            b"RIFF\x10\x02\xF3\x01WEBP",
            b"GIF89a",
            b"RIFF\0\0\0\0WAVE",
            b"\x89PNG\n\n",
        ];
        for head in heads {
            for tail in [&b""[..], b"\0", b"\xFB\xFF", b"abc", b"1234567"] {
                let bytes = [head, tail].concat();
                let is_image = FaceImage::from_bytes(bytes.clone()).is_ok();
                let text = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, &bytes);
                for text in [
                    text.clone(),
                    text.trim_end_matches('=').to_owned(),
                    format!("data:image/png;base64,{text}"),
                ] {
                    assert_eq!(FaceImage::from_base64(&text).is_ok(), is_image, "{text}");
                    assert_eq!(face.is_match(&text), is_image, "{text}");
                }
            }
        }
        for bad in [
            "",
            "_9j_4AA=",
            "/9j/ 4AA=",
            "/9j/4AB=",
            "/9j/4AA==",
            "/9j/4AA=AAAA",
            "/9j/A",
            "data:image/jpeg,/9j/4AA=",
        ] {
            assert!(!face.is_match(bad) && FaceImage::from_base64(bad).is_err(), "{bad}");
        }
    }
}
