//! Texts that a client sends. A value of these types is always valid: `docs/api.md#fields`.

use std::fmt;

use serde::Serialize;
use serde_json::value::RawValue;

use crate::Violation;

/// Whether a character is refused in every string. All control characters are, except tab, line feed and carriage
/// return (`docs/api.md#transport`).
pub fn is_forbidden_control(c: char) -> bool {
    c.is_control() && !matches!(c, '\t' | '\n' | '\r')
}

pub(crate) const CONTROL: Violation = Violation::new("control_character", "must not contain control characters");

/// Identifies one run of the phone's challenge. A session id belongs to the first user who recorded it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SessionId(String);

impl SessionId {
    /// The most characters, after trimming.
    pub const MAX_CHARS: usize = 255;

    /// Trims white space at both ends and takes 1 to 255 characters.
    ///
    /// # Errors
    ///
    /// `length` or `control_character`.
    pub fn parse(text: &str) -> Result<Self, Violation> {
        let trimmed = text.trim();
        if trimmed.chars().any(char::is_control) {
            return Err(CONTROL);
        }
        if trimmed.is_empty() || trimmed.chars().count() > Self::MAX_CHARS {
            return Err(Violation::new("length", "must have 1 to 255 characters"));
        }
        Ok(Self(trimmed.to_owned()))
    }

    /// The id, trimmed.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The path of an image that was uploaded separately. It is kept and returned as sent, and never opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImagePath(String);

impl ImagePath {
    /// The most characters.
    pub const MAX_CHARS: usize = 1024;

    /// Takes at most 1,024 characters without control characters and without a `..` segment.
    ///
    /// # Errors
    ///
    /// `length`, `control_character` or `path`.
    pub fn parse(text: &str) -> Result<Self, Violation> {
        if text.chars().any(char::is_control) {
            return Err(CONTROL);
        }
        if text.chars().count() > Self::MAX_CHARS {
            return Err(Violation::new("length", "must have at most 1024 characters"));
        }
        if text.split(['/', '\\']).any(|segment| segment == "..") {
            return Err(Violation::new("path", "must not contain a .. segment"));
        }
        Ok(Self(text.to_owned()))
    }

    /// The path as sent.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Why something is done or looked at, in the words of who does it. The audit trail keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason(String);

impl Reason {
    /// The most characters, after trimming.
    pub const MAX_CHARS: usize = 1000;

    /// Trims white space at both ends and takes 1 to 1,000 characters.
    ///
    /// # Errors
    ///
    /// `length` or `control_character`.
    pub fn parse(text: &str) -> Result<Self, Violation> {
        let trimmed = text.trim();
        if trimmed.chars().any(char::is_control) {
            return Err(CONTROL);
        }
        if trimmed.is_empty() || trimmed.chars().count() > Self::MAX_CHARS {
            return Err(Violation::new("length", "must have 1 to 1000 characters"));
        }
        Ok(Self(trimmed.to_owned()))
    }

    /// The reason, trimmed.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// One challenge of a run, such as `BLINK`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Challenge(String);

impl Challenge {
    /// The most characters.
    pub const MAX_CHARS: usize = 64;

    /// Takes 1 to 64 characters.
    ///
    /// # Errors
    ///
    /// `length` or `control_character`.
    pub fn parse(text: &str) -> Result<Self, Violation> {
        if text.contains(is_forbidden_control) {
            return Err(CONTROL);
        }
        if text.is_empty() || text.chars().count() > Self::MAX_CHARS {
            return Err(Violation::new("length", "must have 1 to 64 characters"));
        }
        Ok(Self(text.to_owned()))
    }
}

/// At most 100 challenges, in the order in which they were sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Challenges(Vec<Challenge>);

impl Challenges {
    /// The most challenges in a list.
    pub const MAX: usize = 100;

    /// Takes at most 100 challenges.
    ///
    /// # Errors
    ///
    /// `length` when the list is too long. Otherwise the error of [`Challenge::parse`] for the first bad challenge.
    pub fn parse(texts: &[String]) -> Result<Self, Violation> {
        if texts.len() > Self::MAX {
            return Err(Violation::new("length", "must have at most 100 elements"));
        }
        texts
            .iter()
            .map(|text| Challenge::parse(text))
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// The names of the challenges, in order.
    pub fn names(&self) -> impl ExactSizeIterator<Item = &str> + Clone {
        self.0.iter().map(|Challenge(name)| name.as_str())
    }

    /// The names of the challenges, in order, as texts of their own.
    pub fn to_strings(&self) -> Vec<String> {
        self.0.iter().map(|Challenge(name)| name.clone()).collect()
    }
}

/// A JSON object, kept byte for byte as it was received. SDKs add fields of their own to it.
#[derive(Clone, Serialize)]
#[serde(transparent)]
pub struct ReceivedObject(Box<RawValue>);

impl ReceivedObject {
    /// The most bytes of JSON.
    pub const MAX_BYTES: usize = 16 * 1024;

    /// Takes a JSON object of at most 16 KiB.
    ///
    /// # Errors
    ///
    /// `type` when the value is not an object, `length` when it is too long.
    pub fn parse(raw: Box<RawValue>) -> Result<Self, Violation> {
        if !raw.get().starts_with('{') {
            return Err(Violation::new("type", "must be an object"));
        }
        if raw.get().len() > Self::MAX_BYTES {
            return Err(Violation::new("length", "must have at most 16384 bytes of JSON"));
        }
        Ok(Self(raw))
    }

    /// The JSON, as it was received.
    pub fn as_json(&self) -> &str {
        self.0.get()
    }
}

impl PartialEq for ReceivedObject {
    /// Two objects are equal when they are equal byte for byte.
    fn eq(&self, other: &Self) -> bool {
        self.as_json() == other.as_json()
    }
}

impl fmt::Debug for ReceivedObject {
    /// Prints the size only, because the fields of an SDK may be personal data.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ReceivedObject({} bytes)", self.as_json().len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code<T>(result: Result<T, Violation>) -> &'static str {
        result.map_or_else(|violation| violation.code(), |_| "ok")
    }

    #[test]
    fn session_ids_are_trimmed_and_bounded() {
        assert_eq!(SessionId::parse("  sdk-1\n").unwrap().as_str(), "sdk-1");
        let cases = [
            ("é".repeat(255), "ok"),
            ("é".repeat(256), "length"),
            (String::new(), "length"),
            (" \t ".into(), "length"),
            ("a\tb".into(), "control_character"),
            ("a\u{0}b".into(), "control_character"),
            ("a\u{85}b".into(), "control_character"),
        ];
        for (text, expected) in cases {
            assert_eq!(code(SessionId::parse(&text)), expected, "{text:?}");
        }
    }

    #[test]
    fn image_paths_stay_where_they_are() {
        let cases = [
            ("/uploads/liveness/abc123.jpg", "ok"),
            ("", "ok"),
            ("a..b/c", "ok"),
            ("../etc/passwd", "path"),
            ("a/../b", "path"),
            ("a\\..\\b", "path"),
            ("..", "path"),
            ("a\nb", "control_character"),
        ];
        for (text, expected) in cases {
            assert_eq!(code(ImagePath::parse(text)), expected, "{text:?}");
        }
        assert_eq!(code(ImagePath::parse(&"x".repeat(1024))), "ok");
        assert_eq!(code(ImagePath::parse(&"x".repeat(1025))), "length");
    }

    #[test]
    fn challenges_are_bounded_in_number_and_length() {
        let list = |text: &str, count: usize| vec![text.to_owned(); count];
        assert_eq!(code(Challenges::parse(&list("BLINK", 100))), "ok");
        assert_eq!(code(Challenges::parse(&list("BLINK", 101))), "length");
        assert_eq!(code(Challenges::parse(&list("", 1))), "length");
        assert_eq!(code(Challenges::parse(&list(&"x".repeat(65), 1))), "length");
        assert_eq!(code(Challenges::parse(&list("\u{1b}[2J", 1))), "control_character");
    }

    #[test]
    fn a_received_object_is_kept_to_the_letter() {
        let raw = |json: &str| RawValue::from_string(json.to_owned()).unwrap();
        let json = "{\"b\": 1.0,  \"a\":1e2}";
        let object = ReceivedObject::parse(raw(json)).unwrap();
        assert_eq!(object.as_json(), json);
        assert_eq!(serde_json::to_string(&object).unwrap(), json);
        assert_eq!(code(ReceivedObject::parse(raw("[1]"))), "type");

        let of_size = |bytes: usize| raw(&format!("{{\"a\":\"{}\"}}", "x".repeat(bytes - 8)));
        assert_eq!(code(ReceivedObject::parse(of_size(16 * 1024))), "ok");
        assert_eq!(code(ReceivedObject::parse(of_size(16 * 1024 + 1))), "length");
    }
}
