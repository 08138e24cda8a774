//! What the headers say of a body: whether there is one, how long it is, and whether we can read it.

use actix_web::http::header::{
    CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderName, TRANSFER_ENCODING,
};
use encoding_rs::{Encoding, UTF_8};
use liveness_bus::BusError;

use crate::request::quoted::split_unquoted;

const NO_TYPE: BusError = BusError::UnsupportedContent("the Content-Type is missing; it must be application/json");
const NOT_JSON: BusError =
    BusError::UnsupportedContent("the Content-Type must be application/json, text/json or application/*+json");
const NOT_UTF_8: BusError = BusError::UnsupportedContent("the charset in the Content-Type must be utf-8");
const COMPRESSED: BusError = BusError::UnsupportedContent("the body must not be compressed");
const UNKNOWN_ENCODING: BusError =
    BusError::UnsupportedContent("the Content-Encoding must be left out, or be identity");

/// Every answer to a body of a kind that is not read.
pub(crate) const REFUSALS: [BusError; 5] = [NO_TYPE, NOT_JSON, NOT_UTF_8, COMPRESSED, UNKNOWN_ENCODING];

/// The names of US-ASCII, which UTF-8 contains (<https://www.iana.org/assignments/character-sets>), and those of UTF-8 that
/// `encoding_rs` does not know. Without a name none is meant.
const CHARSETS: [&str; 14] = [
    "us-ascii",
    "ascii",
    "us",
    "ansi_x3.4-1968",
    "ansi_x3.4-1986",
    "iso_646.irv:1991",
    "iso646-us",
    "iso-ir-6",
    "ibm367",
    "cp367",
    "csascii",
    "csutf8",
    "utf_8",
    "",
];
/// Charsets that browsers do not read, so that `encoding_rs` does not know them. Their names begin like this.
const OTHER_CHARSETS: [&str; 6] = ["utf-", "utf1", "utf3", "ucs-", "iso-10646", "ibm"];
/// The content codings that IANA registers, with their older names.
const COMPRESSIONS: [&str; 9] = [
    "gzip",
    "x-gzip",
    "deflate",
    "br",
    "zstd",
    "compress",
    "x-compress",
    "dcb",
    "dcz",
];

/// Whether the request has a body to be read.
pub(crate) fn has_body(headers: &HeaderMap) -> bool {
    declared_length(headers) != Some(0)
}

/// The declared length: `Some(0)` when no header declares a body, and `None` for a body in chunks.
pub(super) fn declared_length(headers: &HeaderMap) -> Option<u64> {
    if headers.contains_key(TRANSFER_ENCODING) {
        return None;
    }
    let length = headers
        .get(CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.trim().parse().ok());
    Some(length.unwrap_or(0))
}

/// Refuses a body in another coding than its own bytes. Clients that take the header for the charset's name one, which says
/// nothing: whether the body is UTF-8 is seen when it is read.
pub(super) fn check_encoding(headers: &HeaderMap) -> Result<(), BusError> {
    for coding in elements(headers, CONTENT_ENCODING) {
        let coding = unquoted(coding).to_ascii_lowercase();
        if COMPRESSIONS.contains(&&*coding) {
            return Err(COMPRESSED);
        }
        if coding != "identity" && !is_charset(coding.strip_prefix("charset=").unwrap_or(&coding)) {
            return Err(UNKNOWN_ENCODING);
        }
    }
    Ok(())
}

/// Refuses a body that is not JSON in UTF-8. If several types are given, each must be one of JSON.
pub(super) fn check_type(headers: &HeaderMap) -> Result<(), BusError> {
    let types = elements(headers, CONTENT_TYPE);
    if types.is_empty() {
        return Err(NO_TYPE);
    }
    types.into_iter().try_for_each(check_one_type)
}

fn check_one_type(media_type: &str) -> Result<(), BusError> {
    let mut parts = split_unquoted(media_type, ';').into_iter().map(str::trim);
    if !parts.next().is_some_and(is_json) {
        return Err(NOT_JSON);
    }
    let mut charsets = parts
        .filter_map(|parameter| parameter.split_once('='))
        .filter(|(name, _)| name.trim().eq_ignore_ascii_case("charset"));
    if charsets.all(|(_, charset)| is_readable(charset)) {
        Ok(())
    } else {
        Err(NOT_UTF_8)
    }
}

/// `application/json`, .NET's `text/json`, or `application/…+json` (RFC 6839 section 3.1).
fn is_json(essence: &str) -> bool {
    let essence = essence.to_ascii_lowercase();
    let has_suffix = || {
        let subtype = essence.strip_prefix("application/");
        subtype
            .and_then(|subtype| subtype.strip_suffix("+json"))
            .is_some_and(|name| !name.is_empty())
    };
    essence == "application/json" || essence == "text/json" || has_suffix()
}

fn is_readable(charset: &str) -> bool {
    let charset = unquoted(charset).to_ascii_lowercase();
    CHARSETS.contains(&&*charset) || Encoding::for_label(charset.as_bytes()) == Some(UTF_8)
}

/// Whether this, in lower case, names a charset, whichever it is.
fn is_charset(name: &str) -> bool {
    is_readable(name)
        || Encoding::for_label(name.as_bytes()).is_some()
        || OTHER_CHARSETS.iter().any(|other| name.starts_with(other))
}

fn unquoted(text: &str) -> &str {
    text.trim().trim_matches(['"', '\'']).trim()
}

/// The elements of a list, in one header or in several (RFC 9110 section 5.6.1). Empty ones count for nothing.
fn elements(headers: &HeaderMap, name: HeaderName) -> Vec<&str> {
    let lines = headers.get_all(name).map(|value| value.to_str().unwrap_or("?"));
    lines
        .flat_map(|line| split_unquoted(line, ','))
        .map(str::trim)
        .filter(|element| !element.is_empty())
        .collect()
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;

    use super::*;

    /// The headers of this name, one for each value.
    fn headers(name: HeaderName, values: &[&'static str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(name.clone(), HeaderValue::from_static(value));
        }
        headers
    }

    fn told(outcome: Result<(), BusError>) -> Option<String> {
        outcome.err().map(|error| error.to_string())
    }

    #[test]
    fn json_goes_by_several_names() {
        let good = [
            "application/json",
            "Application/JSON ; charset=UTF-8",
            "application/json; charset=\"utf-8\"",
            "application/json; charset=us-ascii",
            "application/json;charset=",
            "application/json; charset=ANSI_X3.4-1968",
            "application/json; charset=\"ISO_646.irv:1991\"",
            "application/json; charset='csASCII'",
            "application/json; charset=unicode-1-1-utf-8",
            "application/json; charset=csUTF8",
            "application/json;",
            "application/json; x=\"a;charset=utf-16\"; charset=utf8",
            "TEXT/JSON",
            "application/json-patch+json",
            "application/vnd.api+JSON; odata=verbose",
            "application/json, application/json",
        ];
        for value in good {
            assert_eq!(told(check_type(&headers(CONTENT_TYPE, &[value]))), None, "{value}");
        }
        assert_eq!(
            told(check_type(&headers(CONTENT_TYPE, &["text/json", "application/json"]))),
            None
        );
    }

    #[test]
    fn another_type_is_told_from_another_charset() {
        let cases: [(&[&'static str], BusError); 11] = [
            (&[], NO_TYPE),
            (&["", " "], NO_TYPE),
            (&["text/plain"], NOT_JSON),
            (&["application/+json"], NOT_JSON),
            (&["application/jsonx"], NOT_JSON),
            (&["text/x+json"], NOT_JSON),
            (&["application/json, text/plain"], NOT_JSON),
            (&["application/json", "text/plain"], NOT_JSON),
            (&["application/json; charset=utf-16"], NOT_UTF_8),
            (&["application/x+json; charset=\"ISO-8859-1\""], NOT_UTF_8),
            (&["application/json; charset=utf-8; charset=utf-16"], NOT_UTF_8),
        ];
        for (values, expected) in cases {
            let outcome = told(check_type(&headers(CONTENT_TYPE, values)));
            assert_eq!(outcome, Some(expected.to_string()), "{values:?}");
        }
    }

    #[test]
    fn a_charset_is_no_compression() {
        for values in [
            &[][..],
            &[""],
            &["identity"],
            &["UTF-8"],
            &["utf8, Identity,"],
            &["us-ascii", "utf-8"],
            &["\"utf-8\""],
            &["iso-8859-1"],
            &["UTF-16LE, windows-1252"],
            &["utf-32", "Shift_JIS", "koi8-r"],
            &["charset=utf-8"],
        ] {
            assert_eq!(
                told(check_encoding(&headers(CONTENT_ENCODING, values))),
                None,
                "{values:?}"
            );
        }
        let cases: [(&[&'static str], BusError); 6] = [
            (&["gzip"], COMPRESSED),
            (&["utf-8, BR"], COMPRESSED),
            (&["identity", "x-gzip"], COMPRESSED),
            (&["\"gzip\""], COMPRESSED),
            (&["iso-8859-1, br"], COMPRESSED),
            (&["aes128gcm"], UNKNOWN_ENCODING),
        ];
        for (values, expected) in cases {
            let outcome = told(check_encoding(&headers(CONTENT_ENCODING, values)));
            assert_eq!(outcome, Some(expected.to_string()), "{values:?}");
        }
    }
}
