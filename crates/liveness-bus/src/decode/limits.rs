//! Rules for a whole body, also for fields that its type does not have: depth, number of values, characters.

use std::borrow::Cow;

use liveness_core::is_forbidden_control;

use super::findings::Findings;
use crate::error::BusError;

const MAX_DEPTH: usize = 64;
/// The largest number of values in a body, over all levels.
const MAX_VALUES: usize = 10_000;

/// How half of a surrogate pair is written once it is U+FFFD, so that a part of the body is known by it too.
const REPLACED: &str = "\\uFfFd";

/// Checks a body. Returns it with U+FFFD for each half of a surrogate pair, and what is to be looked for in its fields.
///
/// # Errors
///
/// [`BusError::Malformed`] if the body is too deep, or has too many values.
pub(super) fn check(text: &str) -> Result<(Cow<'_, str>, Findings), BusError> {
    let mut findings = Findings::default();
    if is_plain(text) {
        return Ok((text.into(), findings));
    }
    let scan = Scan::of(text);
    if scan.depth > MAX_DEPTH {
        return Err(BusError::Malformed("the body is nested deeper than 64 levels".into()));
    }
    if scan.values > MAX_VALUES {
        return Err(BusError::Malformed("the body holds more than 10000 values".into()));
    }
    findings.has_control = scan.has_control;
    findings.has_half_surrogate = scan.has_replaced || !scan.half_surrogates.is_empty();
    Ok((with_replacements(text, &scan.half_surrogates), findings))
}

/// JSON with U+FFFD for each half of a surrogate pair in it (UTF-16), which no text can hold. The host reads the claims of a
/// token by it, as the bus reads a body: what nobody needs is no reason to refuse the rest.
///
/// ```
/// let json = r#"{"name":"a\ud83d","emoji":"\ud83d\ude00"}"#;
/// let read: serde_json::Value = serde_json::from_str(&liveness_bus::replace_half_surrogates(json))?;
/// assert_eq!(read["name"], "a\u{FFFD}");
/// assert_eq!(read["emoji"], "\u{1F600}");
/// # Ok::<(), serde_json::Error>(())
/// ```
pub fn replace_half_surrogates(json: &str) -> Cow<'_, str> {
    if json.contains('\\') {
        with_replacements(json, &Scan::of(json).half_surrogates)
    } else {
        json.into()
    }
}

/// The text with U+FFFD for the escapes that begin at these places.
fn with_replacements<'t>(text: &'t str, escapes: &[usize]) -> Cow<'t, str> {
    if escapes.is_empty() {
        return text.into();
    }
    let mut replaced = String::with_capacity(text.len());
    let mut rest = 0;
    for at in escapes {
        replaced.push_str(&text[rest..*at]);
        replaced.push_str(REPLACED);
        rest = at + REPLACED.len();
    }
    replaced.push_str(&text[rest..]);
    replaced.into()
}

/// Whether a body certainly has nothing that [`Scan`] looks for. This is fast, and true for almost every body.
fn is_plain(text: &str) -> bool {
    let bytes = text.as_bytes();
    // C2 is the first byte of U+0080 to U+009F.
    memchr::memchr3(b'\\', 0x7F, 0xC2, bytes).is_none()
        // A body with so few of these, inside strings or not, is not too deep and has not too many values.
        && (bytes.len() <= MAX_DEPTH || memchr::memchr3_iter(b'{', b'[', b',', bytes).nth(MAX_DEPTH).is_none())
}

/// What one pass over a body finds. Parsing into a type cannot find it, because serde skips fields that the type does not
/// have.
#[derive(Debug, Default)]
struct Scan {
    depth: usize,
    /// The number of objects, arrays and commas. This is close to the number of values, and easy to count.
    values: usize,
    has_control: bool,
    /// Where an escape is half of a surrogate pair.
    half_surrogates: Vec<usize>,
    has_replaced: bool,
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

    /// Checks a string that starts after the opening quote. Returns the place of the closing quote.
    fn skip_string(&mut self, bytes: &[u8], start: usize) -> usize {
        if let Some(end) = end_of_short(bytes, start) {
            return end;
        }
        let mut at = start;
        while let Some(found) = memchr::memchr3(b'"', b'\\', 0x7F, &bytes[at..]) {
            at += found;
            match bytes[at..] {
                [b'"', ..] => break,
                [b'\\', ref escape @ ..] => {
                    self.has_control |= is_control_escape(escape);
                    at += self.escape_length(escape, at);
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

    /// The length of an escape sequence from its backslash on, which is at `at`. `escape` is what follows the backslash.
    fn escape_length(&mut self, escape: &[u8], at: usize) -> usize {
        match code_unit(escape) {
            Some(0xD800..=0xDBFF) if is_low_surrogate(&escape[5..]) => 12,
            Some(0xD800..=0xDFFF) => {
                self.half_surrogates.push(at);
                REPLACED.len()
            }
            Some(0xFFFD) => {
                self.has_replaced |= REPLACED.as_bytes().ends_with(&escape[..5]);
                REPLACED.len()
            }
            _ => 2,
        }
    }
}

/// The place of the closing quote of a short string without anything that [`Scan`] looks for. To begin a search with memchr
/// takes longer than to read so few bytes.
fn end_of_short(bytes: &[u8], start: usize) -> Option<usize> {
    const SHORT: usize = 16;

    let ends = |byte: &u8| matches!(byte, b'"' | b'\\' | 0x7F | 0xC2);
    let end = start + bytes.get(start..)?.iter().take(SHORT).position(ends)?;
    (bytes[end] == b'"').then_some(end)
}

/// The UTF-16 code unit of `uXXXX`.
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
        [b'u', b'0', ..] => code_unit(escape)
            .and_then(char::from_u32)
            .is_some_and(is_forbidden_control),
        _ => false,
    }
}
