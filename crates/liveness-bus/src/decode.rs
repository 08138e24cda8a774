//! Decodes a message from the bytes of a JSON body: `docs/api.md#transport`.
//!
//! A good body is parsed once, directly into its type. Only if that fails, the body is parsed again to find every wrong
//! field. Wrong fields are reported by name, without their values.

mod field_errors;
mod limits;
mod received;

use serde::de::DeserializeOwned;

use self::field_errors::{Decoded, find_field_errors, not_json};
use crate::error::{BusError, FieldError};

pub use self::received::Received;

/// Decodes a message.
///
/// # Errors
///
/// [`BusError::Malformed`] if the body is not a JSON object. Wrong fields are no error here: they are in the result.
fn decode<M: DeserializeOwned>(body: &[u8]) -> Result<Decoded<M>, BusError> {
    let mut message = None;
    let problems = decode_into(body, &mut message)?;
    Ok(Decoded { message, problems })
}

/// Decodes a message into `place`, and returns its wrong fields. If there are none, the message is there.
pub(crate) fn decode_into<M: DeserializeOwned>(
    body: &[u8],
    place: &mut Option<M>,
) -> Result<Vec<FieldError>, BusError> {
    let text = if body.is_empty() { "{}" } else { utf8(body)? };
    if !text.trim_ascii_start().starts_with('{') {
        return Err(BusError::Malformed("the body must be a JSON object".into()));
    }
    let has_control = limits::check(text)?;
    if !has_control {
        match serde_json::from_str(text) {
            Ok(message) => {
                *place = Some(message);
                return Ok(Vec::new());
            }
            Err(error) if error.is_data() => {}
            Err(error) => return Err(not_json(&error)),
        }
    }
    let Decoded { message, problems } = find_field_errors(text, has_control)?;
    *place = message;
    Ok(problems)
}

fn utf8(body: &[u8]) -> Result<&str, BusError> {
    std::str::from_utf8(body).map_err(|_| BusError::Malformed("the body is not UTF-8".into()))
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
