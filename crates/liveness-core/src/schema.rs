//! The rules of the values as JSON Schema, for hosts that describe their input. Limits come from the same constants.
//!
//! JSON Schema cannot express all of a rule, such as a size in bytes or a length after trimming. The value's own type
//! checks the rest. Patterns use only the syntax that ECMA-262 and Rust's regular expressions share.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use crate::{
    Challenge, ChallengeCount, Challenges, FaceImage, ImagePath, LightingValue, Reason, ReceivedObject,
    SessionDuration, SessionId, Timestamp,
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
        "pattern": trimmed(),
    });
    Reason: json_schema!({
        "type": "string",
        "minLength": 1,
        "maxLength": Self::MAX_CHARS,
        "pattern": trimmed(),
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

/// A text that is not empty and has no control character after trimming.
fn trimmed() -> String {
    format!(r"^[\t\n\r]*[^{CONTROL}]*[^\s{CONTROL}][^{CONTROL}]*[\t\n\r]*$")
}

/// A path whose segments are all different from `..`.
fn image_path() -> String {
    let segment = format!(r"(\.?|\.\.\.+|\.*[^./\\{CONTROL}][^/\\{CONTROL}]*)");
    format!(r"^{segment}([/\\]{segment})*$")
}

/// Base64 that begins with the signature of a JPEG, a PNG or a WebP, with or without the head of a data URI. White space
/// may stand anywhere, and the alphabets may be mixed. The padding may be left out, all of it or a part. What follows the signature is not checked.
fn face_image() -> String {
    const SPACE: &str = r"[\t\n\r ]*";
    const ANY: &str = "[A-Za-z0-9+/_-]";
    // White space may follow each letter.
    let letters = |letters: &[&str]| {
        letters
            .iter()
            .map(|letter| format!("{letter}{SPACE}"))
            .collect::<String>()
    };
    let each = |text: &str| letters(&text.split("").filter(|letter| !letter.is_empty()).collect::<Vec<_>>());
    let slash = "[/_]";
    let jpeg = letters(&[slash, "9", "j", slash]);
    let png = each("iVBORw0KGg") + &letters(&["[o-r]", ANY]);
    // The size of the file stands between RIFF and WEBP.
    let webp = each("UklGR") + &letters(&["[g-v]", ANY, ANY, ANY, ANY, "[BFJNRVZdhlptx159]"]) + &each("XRUJQ");
    let any = letters(&[ANY]);
    let padding = letters(&["="]);
    let last_byte = letters(&[ANY, "[AQgw]"]) + &format!("({padding}({padding})?)?");
    let last_bytes = letters(&[ANY, ANY, "[AEIMQUYcgkosw048]"]) + &format!("({padding})?");
    let head = ignoring_case("data:", SPACE) + &format!("[^{FORBIDDEN}]*;{SPACE}") + &ignoring_case("base64", SPACE);
    format!("^{SPACE}({head},{SPACE})?({jpeg}|{png}|{webp})(({any}){{4}})*({last_byte}|{last_bytes})?$")
}

/// The letters in upper or lower case, with `between` after each.
fn ignoring_case(text: &str, between: &str) -> String {
    let either = |letter: char| match letter.is_ascii_alphabetic() {
        true => format!("[{}{letter}]{between}", letter.to_ascii_uppercase()),
        false => format!("{letter}{between}"),
    };
    text.chars().map(either).collect()
}

#[cfg(test)]
mod tests {
    use regex::Regex;

    use super::*;
    use crate::ImageError;

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
        let reason = pattern::<Reason>();
        for text in texts {
            assert_eq!(
                session_id.is_match(text),
                SessionId::parse(text).is_ok(),
                "session id {text:?}"
            );
            assert_eq!(reason.is_match(text), Reason::parse(text).is_ok(), "reason {text:?}");
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
            b"\x89PNG\r\n\x1A\n\0",
            b"RIFF\x10\x02\xF3\x01WEBP",
            b"GIF89a",
            b"RIFF\0\0\0\0WAVE",
            b"\x89PNG\n\n",
        ];
        for head in heads {
            for tail in [&b""[..], b"\0", b"\xFB\xFF", b"abc", b"1234567"] {
                let text = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, [head, tail].concat());
                let lines: Vec<&str> = text.split_inclusive('8').collect();
                for text in [
                    text.clone(),
                    text.trim_end_matches('=').to_owned(),
                    text.strip_suffix('=').unwrap_or(&text).to_owned(),
                    text.replace('/', "_").replace('+', "-"),
                    lines.join("\r\n") + "\n",
                    format!("data:image/png;base64,{text}"),
                    format!(" DATA:image/png;x=\"a,b\"; Base64 ,\n{text}"),
                ] {
                    let has_signature = FaceImage::from_base64(&text) == Err(ImageError::Header);
                    assert_eq!(face.is_match(&text), has_signature, "{text}");
                }
            }
        }
        for bad in [
            "",
            "/9j/4AB=",
            "/9j/4AA==",
            "/9j/4AA=AAAA",
            "/9j/A",
            "/9j/\u{b}4AAA",
            "data:image/jpeg,/9j/4AA=",
        ] {
            let refused = FaceImage::from_base64(bad).unwrap_err();
            assert!(!face.is_match(bad) && refused != ImageError::Header, "{bad}");
        }
    }
}
