//! What the headers say of a body: whether there is one, how long it is, and whether it is JSON.

use actix_web::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, TRANSFER_ENCODING};
use liveness_bus::BusError;

pub(crate) const NOT_JSON: BusError = BusError::UnsupportedContent("the Content-Type must be application/json");

pub(crate) const COMPRESSED: BusError = BusError::UnsupportedContent("the body must not be compressed");

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

/// Refuses a compressed body.
pub(super) fn check_encoding(headers: &HeaderMap) -> Result<(), BusError> {
    let is_identity = |value: &str| value.trim().eq_ignore_ascii_case("identity");
    let all_identity = headers
        .get_all(CONTENT_ENCODING)
        .all(|value| value.to_str().is_ok_and(is_identity));
    if all_identity { Ok(()) } else { Err(COMPRESSED) }
}

/// Whether there is exactly one `Content-Type`, and it is `application/json` in UTF-8.
pub(super) fn is_json(headers: &HeaderMap) -> bool {
    let mut types = headers.get_all(CONTENT_TYPE);
    let (Some(value), None) = (types.next().and_then(|value| value.to_str().ok()), types.next()) else {
        return false;
    };
    let mut parts = value.split(';').map(str::trim);
    let is_json = parts
        .next()
        .is_some_and(|essence| essence.eq_ignore_ascii_case("application/json"));
    is_json
        && parts
            .filter_map(|parameter| parameter.split_once('='))
            .all(|(name, value)| !name.trim().eq_ignore_ascii_case("charset") || is_utf_8(value))
}

fn is_utf_8(charset: &str) -> bool {
    let charset = charset.trim().trim_matches('"');
    ["utf-8", "utf8"].iter().any(|utf8| charset.eq_ignore_ascii_case(utf8))
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;

    use super::*;

    #[test]
    fn only_json_in_utf_8_is_json() {
        let cases = [
            ("application/json", true),
            ("Application/JSON ; charset=UTF-8", true),
            ("application/json; charset=\"utf-8\"", true),
            ("application/json; charset=utf-16", false),
            ("application/vnd.x+json", false),
            ("text/plain", false),
            ("", false),
        ];
        for (value, expected) in cases {
            let mut headers = HeaderMap::new();
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(value));
            assert_eq!(is_json(&headers), expected, "{value}");
        }
    }
}
