//! Finds every wrong field of a body that does not fit its type. This is slow, and only used after parsing has failed.

use std::borrow::Cow;

use liveness_core::is_forbidden_control;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_path_to_error::{Path, Segment};

use crate::error::{BusError, FieldError, MAX_FIELD_ERRORS};

/// The largest number of bytes that are parsed again, over all rounds.
const MAX_REREAD: usize = 64 * 1024 * 1024;
/// The beginning of serde's error text for a missing field.
const MISSING: &str = "missing field `";

/// The result of decoding a body.
#[derive(Debug)]
pub(super) struct Decoded<M> {
    /// The message without the fields that are in `problems`. `None` if it cannot be made without them.
    pub(super) message: Option<M>,
    /// The fields that could not be decoded.
    pub(super) problems: Vec<FieldError>,
}

/// Finds every wrong field of a body that is JSON.
///
/// It parses the body in rounds. Each round finds one wrong value, replaces it, and parses the body again.
pub(super) fn find_field_errors<M: DeserializeOwned>(text: &str, has_control: bool) -> Result<Decoded<M>, BusError> {
    let mut value: Value = serde_json::from_str(text).map_err(|error| not_json(&error))?;
    // Errors are reported in the order of the fields' names.
    value.sort_all_objects();
    let mut problems = Vec::new();
    find_controls(&value, &mut String::new(), &mut problems);
    if has_control && problems.is_empty() {
        // The control character is in a field that is given twice. Only the last value of such a field is in `value`.
        problems.push(control_problem(""));
    }

    let controls = problems.len();
    let mut message = None;
    let mut last_path = String::new();
    // A wrong value is replaced at most twice: by null, then by a placeholder. A large body gets fewer rounds.
    let rounds = (MAX_REREAD / text.len().max(1)).clamp(8, 2 * MAX_FIELD_ERRORS);
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
        let replacement = if is_repeated {
            placeholder_of(&text)
        } else {
            Value::Null
        };
        let replaced = replace(&mut value, error.path(), quoted_after(&text, MISSING), replacement);
        if !problems.iter().any(|known: &FieldError| known.field == problem.field) {
            problems.push(problem);
        }
        if !replaced || problems.len() - controls >= MAX_FIELD_ERRORS {
            break;
        }
        last_path = path;
    }

    if problems.is_empty() {
        return find_duplicate_field(text, message);
    }
    problems.truncate(MAX_FIELD_ERRORS);
    Ok(Decoded { message, problems })
}

/// Finds a field that is given twice. This is the remaining possibility if no value is wrong.
///
/// `message` was decoded with the last value of that field.
fn find_duplicate_field<M: DeserializeOwned>(text: &str, message: Option<M>) -> Result<Decoded<M>, BusError> {
    let error = match serde_path_to_error::deserialize(&mut serde_json::Deserializer::from_str(text)) {
        Ok(message) => {
            return Ok(Decoded {
                message: Some(message),
                problems: Vec::new(),
            });
        }
        Err(error) => error,
    };
    match quoted_after(&error.inner().to_string(), "duplicate field `") {
        Some(field) => {
            let path = join_path(&error.path().to_string(), field);
            let problems = vec![FieldError::new(path, "duplicate", "must be given once")];
            Ok(Decoded { message, problems })
        }
        None => Err(BusError::Malformed("the body does not fit the message".into())),
    }
}

/// The error for a body that is not JSON. The text of a syntax error comes from serde_json, which never quotes the body.
pub(super) fn not_json(error: &serde_json::Error) -> BusError {
    BusError::Malformed(format!("the body is not valid JSON: {error}").into())
}

fn join_path(path: &str, field: &str) -> String {
    if path == "." {
        field.to_owned()
    } else {
        format!("{path}.{field}")
    }
}

fn quoted_after<'t>(text: &'t str, prefix: &str) -> Option<&'t str> {
    text.strip_prefix(prefix)?.split('`').next()
}

/// Turns an error of serde into an error of a field, without the value.
///
/// serde quotes the value in its text before ", expected ". The rest of the text was written by a programmer.
fn type_problem(path: &str, text: &str) -> FieldError {
    if let Some(field) = quoted_after(text, MISSING) {
        return FieldError::new(join_path(path, field), "required", "must be given");
    }
    let is_type = ["invalid type: ", "invalid value: ", "invalid length "]
        .iter()
        .any(|kind| text.starts_with(kind));
    let expected = text
        .rsplit_once(", expected ")
        .map(|(_, expected)| expected)
        .filter(|_| is_type);
    let message: Cow<'static, str> = match expected {
        Some(expected) => format!("must be {}", type_in_words(expected)).into(),
        None => "is not as it should be".into(),
    };
    FieldError::new(path, "type", message)
}

fn type_in_words(expected: &str) -> &str {
    match expected {
        "i8" | "i16" | "i32" | "i64" | "u8" | "u16" | "u32" | "u64" | "usize" => "an integer",
        "f32" | "f64" => "a number",
        "a sequence" => "an array",
        "a map" => "an object",
        other if other.starts_with("struct ") => "an object",
        other => other,
    }
}

/// A value of the expected type, so that the next round gets past this field.
fn placeholder_of(text: &str) -> Value {
    match text
        .rsplit_once(", expected ")
        .map(|(_, expected)| type_in_words(expected))
    {
        Some("a string") => Value::String(String::new()),
        Some("a boolean") => Value::Bool(false),
        Some("an integer" | "a number") => Value::from(0),
        Some("an array") => Value::Array(Vec::new()),
        _ => Value::Object(serde_json::Map::new()),
    }
}

/// Puts `replacement` at the path. If `missing` names a field, it is added to the object at the path.
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
    if problems.len() >= MAX_FIELD_ERRORS {
        return;
    }
    let length = path.len();
    match value {
        Value::String(text) if text.contains(is_forbidden_control) => problems.push(control_problem(path)),
        Value::Array(elements) => {
            for (index, element) in elements.iter().enumerate() {
                path.push_str(&format!("[{index}]"));
                find_controls(element, path, problems);
                path.truncate(length);
            }
        }
        Value::Object(fields) => {
            if fields.keys().any(|key| key.contains(is_forbidden_control)) {
                problems.push(control_problem(path));
            }
            for (key, field) in fields {
                let dot = if path.is_empty() { "" } else { "." };
                path.push_str(dot);
                path.push_str(printable_key(key));
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

/// The key as it may be reported. A key comes from the caller, so one that does not look like a field's name becomes `?`.
fn printable_key(key: &str) -> &str {
    let plain = key.len() <= 64
        && key
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
    if plain { key } else { "?" }
}
