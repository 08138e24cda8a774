//! Checks the fields of a message with `validator`, and reports them by their names on the wire.

use std::borrow::Cow;

use liveness_core::Violation;
use serde_json::Value;
use validator::{ValidationError, ValidationErrors, ValidationErrorsKind};

use crate::error::{FieldError, MAX_FIELD_ERRORS};
use crate::message::Message;

/// Converts a broken rule of the domain into an error of `validator`, for its `custom` functions.
pub fn violation(violation: Violation) -> ValidationError {
    ValidationError::new(violation.code()).with_message(violation.message().into())
}

/// The parameter of an error of a whole struct that names the field.
const FIELD: &str = "field";

/// Converts a broken rule of several fields into an error of `validator`, for its `schema` functions. The error is
/// reported for `field`, which is its name on the wire.
pub fn violation_of(field: &'static str, broken: Violation) -> ValidationError {
    let mut error = violation(broken);
    error.add_param(FIELD.into(), &field);
    error
}

/// Adds the broken rules of a message to `problems`, sorted by the fields' names.
///
/// Fields of `empty_texts` were there, but count as absent. If such a field is required, it is too short.
pub(crate) fn find_broken_rules<M: Message>(message: &M, empty_texts: &[String], problems: &mut Vec<FieldError>) {
    let Err(errors) = message.validate() else { return };
    let mut found = Vec::new();
    collect(&errors, "", &mut found);
    found.sort_by(|a, b| a.field.cmp(&b.field));
    for mut problem in found {
        if problem.code == "required" && empty_texts.contains(&problem.field) {
            problem = FieldError::new(problem.field, "length", "must not be empty");
        }
        // The rule of a field is narrower than its type.
        let is_same = |known: &&mut FieldError| known.field == problem.field && known.code == problem.code;
        if let Some(known) = problems.iter_mut().find(is_same) {
            *known = problem;
            continue;
        }
        // A field that could not be decoded is in `problems` already. It is empty in the message, so its rules say nothing.
        if problems.len() < MAX_FIELD_ERRORS
            && !problems
                .iter()
                .any(|known| is_same_or_within(&known.field, &problem.field))
        {
            problems.push(problem);
        }
    }
}

/// Whether one field path is the same as the other, or is a part of it.
pub(crate) fn is_same_or_within(known: &str, field: &str) -> bool {
    let (whole, part) = if known.len() < field.len() {
        (known, field)
    } else {
        (field, known)
    };
    matches!(part.as_bytes().get(whole.len()), None | Some(b'.' | b'[')) && part.starts_with(whole)
}

fn collect(errors: &ValidationErrors, parent: &str, found: &mut Vec<FieldError>) {
    for (name, kind) in errors.errors() {
        let path = path_of(parent, name);
        match kind {
            ValidationErrorsKind::Struct(nested) => collect(nested, &path, found),
            ValidationErrorsKind::List(elements) => {
                for (index, nested) in elements {
                    collect(nested, &format!("{path}[{index}]"), found);
                }
            }
            ValidationErrorsKind::Field(broken) => {
                let named = |error: &ValidationError| match error.params.get(FIELD).and_then(Value::as_str) {
                    Some(field) => path_of(parent, field),
                    None => path.clone(),
                };
                let of_field = |error| FieldError::new(named(error), error.code.clone(), text_of(error));
                found.extend(broken.iter().map(of_field));
            }
        }
    }
}

/// The path of a field. An error with an empty name belongs to the parent itself.
fn path_of(parent: &str, name: &str) -> String {
    match (parent, name) {
        (parent, "") => parent.to_owned(),
        ("", name) => camel_case(name).into_owned(),
        (parent, name) => format!("{parent}.{}", camel_case(name)),
    }
}

/// Turns the name of a field in Rust, `session_id`, into its name on the wire, `sessionId`.
pub(crate) fn camel_case(name: &str) -> Cow<'_, str> {
    if !name.contains('_') {
        return name.into();
    }
    let mut words = name.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    let camel = words.fold(first, |mut camel, word| {
        let mut letters = word.chars();
        camel.extend(letters.next().map(|letter| letter.to_ascii_uppercase()));
        camel.push_str(letters.as_str());
        camel
    });
    camel.into()
}

fn text_of(error: &ValidationError) -> Cow<'static, str> {
    if let Some(message) = &error.message {
        return message.clone();
    }
    let limit = |name: &str| error.params.get(name).map(ToString::to_string);
    match (&*error.code, limit("min"), limit("max")) {
        ("required", ..) => "must be given".into(),
        ("range", Some(min), Some(max)) => format!("must be {min} to {max}").into(),
        ("range", Some(min), None) => format!("must be {min} or more").into(),
        ("range", None, Some(max)) => format!("must be {max} or less").into(),
        ("length", Some(min), Some(max)) => format!("must have {min} to {max} characters").into(),
        ("length", Some(min), None) => format!("must have {min} characters or more").into(),
        ("length", None, Some(max)) => format!("must have {max} characters or less").into(),
        _ => "is not as it should be".into(),
    }
}
