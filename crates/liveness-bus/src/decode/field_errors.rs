//! Finds all that is wrong with a body that did not fit its type. Slow, and only asked when something is.

use std::borrow::Cow;

use liveness_core::is_forbidden_control;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_path_to_error::{Path, Segment};

use crate::error::{BusError, FieldError, MAX_FIELD_ERRORS};

/// Most bytes that are read again.
const MAX_REREAD: usize = 64 * 1024 * 1024;
/// How serde says that a field is missing.
const MISSING: &str = "missing field `";

/// What a body came to.
#[derive(Debug)]
pub(super) struct Decoded<M> {
    /// The message, as far as it could be read: what is named in `problems` is not in it.
    pub(super) message: Option<M>,
    /// What could not be read.
    pub(super) problems: Vec<FieldError>,
}

/// Finds all that is wrong with a body that is JSON.
///
/// A value that does not fit is named and taken away, and the rest is tried again.
pub(super) fn find_field_errors<M: DeserializeOwned>(text: &str, has_control: bool) -> Result<Decoded<M>, BusError> {
    let mut value: Value = serde_json::from_str(text).map_err(|error| not_json(&error))?;
    // What is wrong is told in the order of the names.
    value.sort_all_objects();
    let mut problems = Vec::new();
    find_controls(&value, &mut String::new(), &mut problems);
    if has_control && problems.is_empty() {
        // It stands in a value that another one of the same name, behind it, has taken the place of.
        problems.push(control_problem(""));
    }

    let controls = problems.len();
    let mut message = None;
    let mut last_path = String::new();
    // Each value is tried twice at most: taken away, then replaced by a placeholder. A large body is read fewer times.
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

/// Nothing was wrong with the values, so it is with the body as a whole: a field that stands in it twice.
///
/// `message` is the body with the last of the two.
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

/// A syntax error's text is serde_json's own and never quotes the body.
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

/// serde's text quotes the value before ", expected "; what stands behind it was written by a programmer.
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

/// Some value of the expected type, so that reading can go on behind it.
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

/// A key comes from the caller too: one that does not look like a field's name is not repeated.
fn printable_key(key: &str) -> &str {
    let plain = key.len() <= 64
        && key
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
    if plain { key } else { "?" }
}
