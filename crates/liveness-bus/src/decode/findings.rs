//! What is wrong with a body, as its fields are read. The value of a field is never in it.

use std::borrow::Cow;
use std::collections::HashSet;

use super::path::{Path, printable_key};
use crate::error::{FieldError, MAX_FIELD_ERRORS};

/// The beginning of serde's error text for a missing field.
const MISSING: &str = "missing field `";

/// The code of a number that is out of its bounds.
const BEYOND: &str = "range";

const MUST_BE_GIVEN: &str = "must be given";
const MUST_BE_GIVEN_ONCE: &str = "must be given once";

/// A struct of a message, known by the list of its fields' names, and one of these names.
type RequiredField = (&'static [&'static str], &'static str);

/// The wrong fields that were found, and what the next reading of the same body has to know.
#[derive(Debug, Default)]
pub(super) struct Findings {
    /// Every wrong field once.
    pub(super) problems: Vec<FieldError>,
    /// The names of the wrong fields.
    noted: HashSet<String>,
    /// Optional fields that hold an empty text, which counts as absent.
    pub(super) empty_texts: Vec<String>,
    /// Whether a string of the body has a forbidden control character.
    pub(super) has_control: bool,
    /// Whether a string of the body had half of a surrogate pair, which is U+FFFD now.
    pub(super) has_half_surrogate: bool,
    /// Fields whose values are passed over, as if they were not in the body.
    passed_over: Vec<String>,
    /// Fields without which their structs cannot be made.
    required: Vec<RequiredField>,
    /// A way to each struct that lacks a required field.
    lacking: Vec<String>,
    /// Reading has ended at an error that is noted already.
    pub(super) has_stopped: bool,
    /// This reading has found what the next one has to know.
    pub(super) is_worth_another: bool,
}

impl Findings {
    /// Prepares for reading the body again.
    pub(super) fn start(&mut self) {
        self.has_stopped = false;
        self.is_worth_another = false;
    }

    pub(super) fn is_passed_over(&self, path: Path<'_>) -> bool {
        !self.passed_over.is_empty() && self.passed_over.contains(&path.to_string())
    }

    pub(super) fn knows_required(&self) -> bool {
        !self.required.is_empty()
    }

    pub(super) fn is_required(&self, fields: &'static [&'static str], name: &str) -> bool {
        let is_it = |known: &RequiredField| std::ptr::eq(known.0, fields) && known.1 == name;
        self.required.iter().any(is_it)
    }

    /// The next reading takes the field for absent. Only a field can be left out, not an element of a list.
    fn pass_over(&mut self, path: Path<'_>) -> bool {
        let is_new =
            matches!(path, Path::Field(..)) && self.passed_over.len() <= MAX_FIELD_ERRORS && !self.is_passed_over(path);
        if is_new {
            self.passed_over.push(path.to_string());
            self.is_worth_another = true;
        }
        is_new
    }

    /// A value of another JSON type. If it is optional, the message is made without it.
    pub(super) fn wrong_type(&mut self, path: Path<'_>, must_be: &'static str, is_optional: bool) {
        self.note(path, "type", || must_be.into());
        if is_optional {
            self.pass_over(path);
        }
    }

    /// An integer beyond what its type holds.
    pub(super) fn beyond(&mut self, path: Path<'_>, must_be: String) {
        self.note(path, BEYOND, || must_be.into());
    }

    /// A number that a floating point of 64 bits cannot hold.
    pub(super) fn too_large(&mut self, path: Path<'_>, is_optional: bool) {
        self.note(path, "range", || "must be a number of 64 bits".into());
        if is_optional {
            self.pass_over(path);
        }
    }

    pub(super) fn missing(&mut self, path: Path<'_>) {
        self.note(path, "required", || MUST_BE_GIVEN.into());
    }

    pub(super) fn duplicate(&mut self, path: Path<'_>) {
        self.note(path, "duplicate", || MUST_BE_GIVEN_ONCE.into());
    }

    pub(super) fn half_surrogate(&mut self, path: Path<'_>) {
        self.note(path, "surrogate", || "must not hold half of a surrogate pair".into());
    }

    pub(super) fn control_character(&mut self, path: Path<'_>) {
        self.note(path, "control_character", || {
            "must not contain control characters but tab, line feed and carriage return".into()
        });
    }

    pub(super) fn empty_text(&mut self, path: Path<'_>) {
        if self.pass_over(path) {
            self.empty_texts.push(path.to_string());
        }
    }

    /// Notes the error of a type's own, by which reading ends. `fields` are those of the struct that was read.
    pub(super) fn stop(&mut self, path: Path<'_>, fields: &'static [&'static str], error: &impl ToString) {
        if std::mem::replace(&mut self.has_stopped, true) {
            return;
        }
        let text = error.to_string();
        if let Some(name) = quoted_after(&text, MISSING) {
            if let Some(name) = fields.iter().copied().find(|known| *known == name) {
                self.require(path, fields, name);
            }
            self.note_at(path.field(printable_key(name)), "required", || MUST_BE_GIVEN.into());
        } else if let Some(name) = quoted_after(&text, "duplicate field `") {
            let field = path.field(printable_key(name));
            self.note_at(field, "duplicate", || MUST_BE_GIVEN_ONCE.into());
        } else if let Some(name) = quoted_after(&text, "unknown field `") {
            let field = path.field(printable_key(name));
            self.note_at(field, "type", || "is not a field that is known here".into());
        } else if self.pass_over(path.nearest_field()) || path.nearest_field().is_root() {
            // A field that is passed over already is noted, or it is an empty text, which is no fault.
            self.note(path, "type", || refusal(&text));
        }
    }

    /// Looks at what a type made of a value. Every place where a type's own code is called hands its result to this.
    pub(super) fn noting_error<T, E: ToString>(
        &mut self,
        path: Path<'_>,
        fields: &'static [&'static str],
        read: Result<T, E>,
    ) -> Result<T, E> {
        if let Err(error) = &read {
            self.stop(path, fields, error);
        }
        read
    }

    /// Reading ends at a value whose fault is noted already.
    pub(super) fn stop_here(&mut self, path: Path<'_>) {
        self.has_stopped = true;
        self.pass_over(path.nearest_field());
    }

    fn require(&mut self, path: Path<'_>, fields: &'static [&'static str], name: &'static str) {
        if !self.is_required(fields, name) {
            self.required.push((fields, name));
            self.lacking.push(path.skeleton("{}"));
            self.is_worth_another = true;
        }
    }

    /// Learns which other fields the structs need that lack one. `read` reads a small text instead of the body.
    pub(super) fn learn_required(&mut self, mut read: impl FnMut(&str, &mut Self)) {
        for skeleton in std::mem::take(&mut self.lacking) {
            loop {
                let known = self.required.len();
                let mut probe = Self {
                    required: std::mem::take(&mut self.required),
                    ..Self::default()
                };
                read(&skeleton, &mut probe);
                self.required = probe.required;
                if self.required.len() == known {
                    break;
                }
            }
        }
    }

    fn note(&mut self, path: Path<'_>, code: &'static str, message: impl FnOnce() -> Cow<'static, str>) {
        if self.problems.len() < MAX_FIELD_ERRORS {
            self.note_at(path.to_string(), code, message);
        }
    }

    fn note_at(&mut self, field: String, code: &'static str, message: impl FnOnce() -> Cow<'static, str>) {
        if self.problems.len() < MAX_FIELD_ERRORS && self.noted.insert(field.clone()) {
            self.problems.push(FieldError::new(field, code, message()));
        }
    }

    /// The wrong fields in the order of their names, and last those that are missing. Elements of a list keep their order.
    pub(super) fn into_problems(mut self) -> Vec<FieldError> {
        fn key(problem: &FieldError) -> (bool, &str) {
            let name = problem.field.split('[').next().unwrap_or_default();
            (problem.code == "required", name)
        }
        self.problems.sort_by(|a, b| key(a).cmp(&key(b)));
        self.problems
    }
}

fn quoted_after<'t>(text: &'t str, prefix: &str) -> Option<&'t str> {
    text.strip_prefix(prefix)?.split('`').next()
}

/// What serde says about a value that a type refuses, without the value.
///
/// serde quotes the value in its text before ", expected ". The rest of the text was written by a programmer.
fn refusal(text: &str) -> Cow<'static, str> {
    let kinds = [
        "invalid type: ",
        "invalid value: ",
        "invalid length ",
        "unknown variant ",
    ];
    if !kinds.iter().any(|kind| text.starts_with(kind)) {
        return "is not as it should be".into();
    }
    match without_place(text).rsplit_once(", expected ") {
        // This text has nothing after the value that was expected.
        Some((_, expected)) if !expected.ends_with("there are no variants") => {
            format!("must be {}", in_words(expected)).into()
        }
        _ => "is not as it should be".into(),
    }
}

/// The text without where the value is in the body, ` at line 1 column 2`, which serde_json may add. The value may hold the
/// same words.
fn without_place(text: &str) -> &str {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match text.rsplit_once(" at line ") {
        Some((before, place)) if place.split(" column ").all(is_number) => before,
        _ => text,
    }
}

fn in_words(expected: &str) -> &str {
    match expected {
        "i8" | "i16" | "i32" | "i64" | "i128" | "isize" | "u8" | "u16" | "u32" | "u64" | "u128" | "usize" => {
            "an integer"
        }
        "f32" | "f64" => "a number",
        "a sequence" => "an array",
        "a map" => "an object",
        other if other.starts_with("struct ") => "an object",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_that_looks_like_the_end_of_a_refusal_is_not_told() {
        for value in [
            "x",
            "x, expected secret",
            "x, expected secret at line 3",
            "x, expected secret at line 3 column 4",
            "x at line 3 column 4`, expected secret at line ",
        ] {
            for place in ["", " at line 1 column 20"] {
                let text = format!("unknown variant `{value}`, expected `cash` or `card`{place}");
                assert_eq!(refusal(&text), "must be `cash` or `card`", "{text}");
                let text = format!("unknown variant `{value}`, there are no variants{place}");
                assert_eq!(refusal(&text), "is not as it should be", "{text}");
            }
        }
    }
}
