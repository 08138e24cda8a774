//! From JSON bytes to a message: `docs/api.md#transport`.
//!
//! The usual way is one parse into the type. Only when that fails is the body looked at again, to tell
//! every field that is wrong, by name and without its value.

use std::borrow::Cow;

use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_path_to_error::{Path, Segment};

use crate::{BusError, FieldError};

const MAX_DEPTH: usize = 64;
/// Most values in a body, at all levels together.
const MAX_VALUES: usize = 10_000;
/// Most bytes that are read again to find all that is wrong with a body.
const MAX_REREAD: usize = 64 * 1024 * 1024;
/// Most field errors in one answer.
pub(crate) const MAX_PROBLEMS: usize = 100;
/// How serde says that a field is missing.
const MISSING: &str = "missing field `";

/// What a body came to.
#[derive(Debug)]
pub(crate) struct Decoded<M> {
    /// The message, as far as it could be read: what is named in `problems` is not in it.
    pub(crate) message: Option<M>,
    /// What could not be read.
    pub(crate) problems: Vec<FieldError>,
}

/// Reads a message.
///
/// # Errors
///
/// [`BusError::Malformed`] when the body is no JSON object at all; else the problems are in what is returned.
pub(crate) fn decode<M: DeserializeOwned>(body: &[u8]) -> Result<Decoded<M>, BusError> {
    let text = if body.is_empty() { "{}" } else { utf8(body)? };
    if !text.trim_ascii_start().starts_with('{') {
        return Err(BusError::Malformed("the body must be a JSON object".into()));
    }
    let scan = Scan::of(text);
    if scan.depth > MAX_DEPTH {
        return Err(BusError::Malformed("the body is nested deeper than 64 levels".into()));
    }
    if scan.values > MAX_VALUES {
        return Err(BusError::Malformed("the body holds more than 10000 values".into()));
    }
    if scan.has_lone_surrogate {
        return Err(BusError::Malformed("the body holds half of a surrogate pair".into()));
    }
    if scan.has_control {
        return explain(text, true);
    }
    match serde_json::from_str(text) {
        Ok(message) => Ok(Decoded {
            message: Some(message),
            problems: Vec::new(),
        }),
        Err(error) if error.is_data() => explain(text, false),
        Err(error) => Err(not_json(&error)),
    }
}

fn utf8(body: &[u8]) -> Result<&str, BusError> {
    std::str::from_utf8(body).map_err(|_| BusError::Malformed("the body is not UTF-8".into()))
}

/// A syntax error's text is serde_json's own and never quotes the body.
fn not_json(error: &serde_json::Error) -> BusError {
    BusError::Malformed(format!("the body is not valid JSON: {error}").into())
}

/// What parsing into a type does not tell, for what no field of the type names is skipped unread.
#[derive(Debug, Default)]
struct Scan {
    depth: usize,
    /// Objects, arrays, and what follows a comma: all values but the first of each object or array, and a few more.
    values: usize,
    has_control: bool,
    has_lone_surrogate: bool,
}

impl Scan {
    fn of(text: &str) -> Self {
        let bytes = text.as_bytes();
        let (mut scan, mut depth, mut at) = (Self::default(), 0_usize, 0);
        while let Some(byte) = bytes.get(at) {
            match byte {
                b'"' => at = scan.skip_string(bytes, at + 1),
                b'{' | b'[' => {
                    depth += 1;
                    scan.depth = scan.depth.max(depth);
                    scan.values += 1;
                }
                b',' => scan.values += 1,
                b'}' | b']' => depth = depth.saturating_sub(1),
                _ => {}
            }
            at += 1;
        }
        scan
    }

    /// Goes from behind the opening quote to the closing one.
    fn skip_string(&mut self, bytes: &[u8], start: usize) -> usize {
        let mut at = start;
        while let Some(found) = memchr::memchr3(b'"', b'\\', 0x7F, &bytes[at..]) {
            at += found;
            match bytes[at..] {
                [b'"', ..] => break,
                [b'\\', ref escape @ ..] => {
                    self.has_control |= is_control_escape(escape);
                    at += self.escape_length(escape);
                }
                _ => {
                    self.has_control = true;
                    at += 1;
                }
            }
            at = at.min(bytes.len());
        }
        // U+0080 to U+009F are two bytes, the first of them C2.
        let string = &bytes[start..at];
        let mut starts = memchr::memchr_iter(0xC2, string);
        self.has_control |= starts.any(|c2| matches!(string.get(c2 + 1), Some(0x80..=0x9F)));
        at
    }

    /// How far to go from a backslash, with `escape` behind it, so that no escaped character is left out.
    fn escape_length(&mut self, escape: &[u8]) -> usize {
        match code_unit(escape) {
            Some(0xD800..=0xDBFF) if is_low_surrogate(&escape[5..]) => 12,
            Some(0xD800..=0xDFFF) => {
                self.has_lone_surrogate = true;
                2
            }
            _ => 2,
        }
    }
}

/// The UTF-16 code unit that `uXXXX` stands for.
fn code_unit(escape: &[u8]) -> Option<u32> {
    let hex = std::str::from_utf8(escape.strip_prefix(b"u")?.get(..4)?).ok()?;
    u32::from_str_radix(hex, 16).ok()
}

fn is_low_surrogate(text: &[u8]) -> bool {
    let escape = text.strip_prefix(b"\\");
    escape
        .and_then(code_unit)
        .is_some_and(|unit| (0xDC00..=0xDFFF).contains(&unit))
}

/// `\b`, `\f`, or `\uXXXX` of a control character other than tab, line feed and carriage return.
fn is_control_escape(escape: &[u8]) -> bool {
    match escape {
        [b'b' | b'f', ..] => true,
        [b'u', b'0', ..] => code_unit(escape).and_then(char::from_u32).is_some_and(is_forbidden),
        _ => false,
    }
}

fn is_forbidden(c: char) -> bool {
    c.is_control() && !matches!(c, '\t' | '\n' | '\r')
}

/// Finds all that is wrong with a body that is JSON.
///
/// A value that does not fit is named and taken away, and the rest is tried again.
fn explain<M: DeserializeOwned>(text: &str, has_control: bool) -> Result<Decoded<M>, BusError> {
    let mut value: Value = serde_json::from_str(text).map_err(|error| not_json(&error))?;
    let mut problems = Vec::new();
    find_controls(&value, &mut String::new(), &mut problems);
    if has_control && problems.is_empty() {
        // It stands in a value that another one of the same name, behind it, has taken the place of.
        problems.push(control_problem(""));
    }

    let controls = problems.len();
    let mut message = None;
    let mut last_path = String::new();
    // Each value is tried twice at most: taken away, then in its neutral form. A large body is read fewer times.
    let rounds = (MAX_REREAD / text.len().max(1)).clamp(8, 2 * MAX_PROBLEMS);
    for _ in 0..rounds {
        let error = match serde_path_to_error::deserialize(&value) {
            Ok(read) => {
                message = Some(read);
                break;
            }
            Err(error) => error,
        };
        let path = error.path().to_string();
        let text = error.inner().to_string();
        let is_repeated = path == last_path;
        let problem = type_problem(&path, &text);
        let replacement = if is_repeated { neutral(&text) } else { Value::Null };
        let replaced = replace(&mut value, error.path(), quoted(&text, MISSING), replacement);
        if !problems.iter().any(|known: &FieldError| known.field == problem.field) {
            problems.push(problem);
        }
        if !replaced || problems.len() - controls >= MAX_PROBLEMS {
            break;
        }
        last_path = path;
    }

    if problems.is_empty() {
        return as_it_stands(text, message);
    }
    problems.truncate(MAX_PROBLEMS);
    Ok(Decoded { message, problems })
}

/// Nothing was wrong with the values, so it is with the body as a whole: a field that stands in it twice.
///
/// `message` is the body with the last of the two.
fn as_it_stands<M: DeserializeOwned>(text: &str, message: Option<M>) -> Result<Decoded<M>, BusError> {
    let error = match serde_path_to_error::deserialize(&mut serde_json::Deserializer::from_str(text)) {
        Ok(message) => {
            return Ok(Decoded {
                message: Some(message),
                problems: Vec::new(),
            });
        }
        Err(error) => error,
    };
    match quoted(&error.inner().to_string(), "duplicate field `") {
        Some(field) => {
            let path = inside(&error.path().to_string(), field);
            let problems = vec![FieldError::new(path, "duplicate", "must be given once")];
            Ok(Decoded { message, problems })
        }
        None => Err(BusError::Malformed("the body does not fit the message".into())),
    }
}

fn inside(path: &str, field: &str) -> String {
    if path == "." {
        field.to_owned()
    } else {
        format!("{path}.{field}")
    }
}

fn quoted<'t>(text: &'t str, prefix: &str) -> Option<&'t str> {
    text.strip_prefix(prefix)?.split('`').next()
}

/// serde's text quotes the value before ", expected "; what stands behind it was written by a programmer.
fn type_problem(path: &str, text: &str) -> FieldError {
    if let Some(field) = quoted(text, MISSING) {
        return FieldError::new(inside(path, field), "required", "must be given");
    }
    let is_type = ["invalid type: ", "invalid value: ", "invalid length "]
        .iter()
        .any(|kind| text.starts_with(kind));
    let expected = text
        .rsplit_once(", expected ")
        .map(|(_, expected)| expected)
        .filter(|_| is_type);
    let message: Cow<'static, str> = match expected {
        Some(expected) => format!("must be {}", in_words(expected)).into(),
        None => "is not as it should be".into(),
    };
    FieldError::new(path, "type", message)
}

fn in_words(expected: &str) -> &str {
    match expected {
        "i8" | "i16" | "i32" | "i64" | "u8" | "u16" | "u32" | "u64" | "usize" => "an integer",
        "f32" | "f64" => "a number",
        "a sequence" => "an array",
        "a map" => "an object",
        other if other.starts_with("struct ") => "an object",
        other => other,
    }
}

/// Some value of the expected type, so that reading can go on behind it.
fn neutral(text: &str) -> Value {
    match text.rsplit_once(", expected ").map(|(_, expected)| in_words(expected)) {
        Some("a string") => Value::String(String::new()),
        Some("a boolean") => Value::Bool(false),
        Some("an integer" | "a number") => Value::from(0),
        Some("an array") => Value::Array(Vec::new()),
        _ => Value::Object(serde_json::Map::new()),
    }
}

/// Puts `replacement` at the path, or into the object there where the field is missing from it.
fn replace(value: &mut Value, path: &Path, missing: Option<&str>, replacement: Value) -> bool {
    let mut at = value;
    for segment in path {
        let next = match segment {
            Segment::Map { key } => at.get_mut(key.as_str()),
            Segment::Seq { index } => at.get_mut(*index),
            Segment::Enum { .. } | Segment::Unknown => None,
        };
        let Some(next) = next else { return false };
        at = next;
    }
    match (missing, at.as_object_mut()) {
        (Some(field), Some(object)) => object.insert(field.to_owned(), replacement).is_none(),
        (Some(_), None) => false,
        (None, _) if path.iter().next().is_none() => false,
        (None, _) => {
            *at = replacement;
            true
        }
    }
}

fn find_controls(value: &Value, path: &mut String, problems: &mut Vec<FieldError>) {
    if problems.len() >= MAX_PROBLEMS {
        return;
    }
    let length = path.len();
    match value {
        Value::String(text) if text.contains(is_forbidden) => problems.push(control_problem(path)),
        Value::Array(elements) => {
            for (index, element) in elements.iter().enumerate() {
                path.push_str(&format!("[{index}]"));
                find_controls(element, path, problems);
                path.truncate(length);
            }
        }
        Value::Object(fields) => {
            if fields.keys().any(|key| key.contains(is_forbidden)) {
                problems.push(control_problem(path));
            }
            for (key, field) in fields {
                let dot = if path.is_empty() { "" } else { "." };
                path.push_str(dot);
                path.push_str(shown(key));
                find_controls(field, path, problems);
                path.truncate(length);
            }
        }
        _ => {}
    }
}

fn control_problem(path: &str) -> FieldError {
    let field = if path.is_empty() { "." } else { path };
    FieldError::new(
        field,
        "control_character",
        "must not contain control characters but tab, line feed and carriage return",
    )
}

/// A key comes from the caller too: one that does not look like a field's name is not repeated.
fn shown(key: &str) -> &str {
    let plain = key.len() <= 64
        && key
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
    if plain { key } else { "?" }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(rename_all = "camelCase")]
    struct Order {
        customer: String,
        item_count: u8,
        note: Option<String>,
        tags: Option<Vec<String>>,
        address: Option<Address>,
    }

    #[derive(Debug, Deserialize, PartialEq)]
    struct Address {
        street: Option<String>,
        number: Option<i64>,
    }

    fn problems(json: &str) -> Vec<(String, String)> {
        let decoded = decode::<Order>(json.as_bytes()).unwrap();
        decoded
            .problems
            .into_iter()
            .map(|problem| (problem.field, problem.code.into_owned()))
            .collect()
    }

    fn malformed(body: &[u8]) -> String {
        decode::<Order>(body).map(|_| ()).unwrap_err().to_string()
    }

    #[test]
    fn a_good_body_is_read_and_unknown_fields_are_ignored() {
        let json =
            br#" {"customer":"a\tb\\b","itemCount":2,"x":{"y":[1,{"z":"\\u0000"}]},"note":"\u00e9\ud83d\uDE00"}"#;
        let decoded = decode::<Order>(json).unwrap();
        assert_eq!(decoded.problems, []);
        assert_eq!(decoded.message.unwrap().customer, "a\tb\\b");
    }

    #[test]
    fn every_wrong_field_is_named_at_once() {
        let json = r#"{"customer":5,"itemCount":"two","note":false,"tags":["a",1,"b",2],"address":{"street":[],"number":1.5}}"#;
        let expected = [
            "address.number",
            "address.street",
            "customer",
            "itemCount",
            "note",
            "tags[1]",
            "tags[3]",
        ];
        assert_eq!(
            problems(json),
            expected.map(|field| (field.to_owned(), "type".to_owned()))
        );
    }

    #[test]
    fn what_is_missing_and_what_is_wrong_are_told_together() {
        let found = problems(r#"{"note":1,"address":7}"#);
        let expected = [
            ("address", "type"),
            ("note", "type"),
            ("customer", "required"),
            ("itemCount", "required"),
        ];
        assert_eq!(found, expected.map(|(field, code)| (field.to_owned(), code.to_owned())));
    }

    #[test]
    fn no_value_is_echoed() {
        let json = r#"{"customer":{"secret-value":1},"itemCount":"secret-value, expected secret-value","tags":"secret-value"}"#;
        let decoded = decode::<Order>(json.as_bytes()).unwrap();
        assert_eq!(decoded.problems.len(), 3);
        assert!(!format!("{:?}", decoded.problems).contains("secret-value"));
    }

    #[test]
    fn control_characters_are_found_wherever_they_stand() {
        let cases = [
            (r#"{"customer":"a\u0000","itemCount":1}"#, "customer"),
            (r#"{"customer":"\b","itemCount":1}"#, "customer"),
            ("{\"customer\":\"\u{7f}\",\"itemCount\":1}", "customer"),
            ("{\"customer\":\"\u{85}\",\"itemCount\":1}", "customer"),
            (r#"{"customer":"a","itemCount":1,"x":[{"y":"\u001B"}]}"#, "x[0].y"),
            (r#"{"customer":"a","itemCount":1,"x":{"\u0007":1}}"#, "x"),
            (r#"{"customer":"a","itemCount":1,"ä ö":"\f"}"#, "?"),
        ];
        for (json, field) in cases {
            assert_eq!(
                problems(json),
                [(field.to_owned(), "control_character".to_owned())],
                "{json}"
            );
        }
    }

    #[test]
    fn a_field_given_twice_is_an_error() {
        let found = problems(r#"{"customer":"a","customer":"b","itemCount":1}"#);
        assert_eq!(found, [("customer".to_owned(), "duplicate".to_owned())]);
    }

    #[test]
    fn what_is_no_json_object_is_malformed() {
        let deep = format!("{{\"x\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
        let many = format!("{{\"x\":[{}0]}}", "0,".repeat(10_000));
        let cases: [(&[u8], &str); 13] = [
            (br#"["a",1]"#, "the body must be a JSON object"),
            (b"null", "the body must be a JSON object"),
            (b"\xEF\xBB\xBF{}", "the body must be a JSON object"),
            (b"{\"x\":\"\xFF\"}", "the body is not UTF-8"),
            (
                br#"{"customer":"a","#,
                "the body is not valid JSON: EOF while parsing a value at line 1 column 16",
            ),
            (
                br#"{"customer":"a""#,
                "the body is not valid JSON: EOF while parsing an object at line 1 column 15",
            ),
            (
                br#"{"x":1e400}"#,
                "the body is not valid JSON: number out of range at line 1 column 10",
            ),
            (
                b"{} {}",
                "the body is not valid JSON: trailing characters at line 1 column 4",
            ),
            (deep.as_bytes(), "the body is nested deeper than 64 levels"),
            (many.as_bytes(), "the body holds more than 10000 values"),
            (br#"{"x":"\uD83D"}"#, "the body holds half of a surrogate pair"),
            (br#"{"x":["\ud83d\u0041"]}"#, "the body holds half of a surrogate pair"),
            (br#"{"\uDE00\uD83D":1}"#, "the body holds half of a surrogate pair"),
        ];
        for (body, expected) in cases {
            assert_eq!(malformed(body), expected);
        }
    }

    #[test]
    fn unfinished_strings_and_escapes_do_not_panic() {
        for body in [
            r#"{"a"#,
            r#"{"a\"#,
            r#"{"a\u"#,
            r#"{"a\u00"#,
            r#"{"a\ud83d"#,
            r#"{"a\ud83d\"#,
            r#"{"a\ud83d\ud"#,
            "{\"\u{7f}",
            "{\"é",
            "{\"\u{80}",
        ] {
            assert!(decode::<Order>(body.as_bytes()).is_err(), "{body:?}");
        }
    }
}
