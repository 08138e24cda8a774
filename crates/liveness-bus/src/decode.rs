//! Decodes a message from the bytes of a JSON body: `docs/api.md#transport`.
//!
//! A body is read once, directly into its type, and all of its wrong fields are found on the way. It is read again only if
//! the message must be made without some of them. Wrong fields are reported by name, without their values.

mod control_characters;
mod deserializer;
mod entries;
mod findings;
mod integer;
mod limits;
mod map_key;
mod path;
mod reader;
mod received;
mod struct_entries;
mod typed;
mod variants;

use serde::de::DeserializeOwned;

use self::findings::Findings;
use self::path::Path;
use self::reader::Reader;
use crate::error::{BusError, FieldError};

pub use self::limits::replace_half_surrogates;
pub use self::received::Received;

/// How often a body is read at most. Each reading after the second finds one more value that its own type refuses.
const MAX_READINGS: usize = 4;

/// The result of decoding a body.
#[derive(Debug)]
pub(crate) struct Decoded<M> {
    /// The message without the fields that are in `problems`. `None` if it cannot be made without them.
    pub(crate) message: Option<M>,
    /// The fields that could not be decoded.
    pub(crate) problems: Vec<FieldError>,
    /// Optional fields that hold an empty text. They are absent from the message.
    pub(crate) empty_texts: Vec<String>,
}

/// Decodes a message.
///
/// # Errors
///
/// [`BusError::Malformed`] if the body is not a JSON object. Wrong fields are no error here: they are in the result.
pub(crate) fn decode<M: DeserializeOwned>(body: &[u8]) -> Result<Decoded<M>, BusError> {
    let text = object(body)?;
    let (text, mut findings) = limits::check(text)?;
    let mut message = read(&text, &mut findings)?;
    for _ in 1..MAX_READINGS {
        if !findings.is_worth_another {
            break;
        }
        findings.learn_required(|skeleton, probe| drop(read::<M>(skeleton, probe)));
        findings.start();
        message = read(&text, &mut findings)?;
    }
    // What should have been left out is still in a message that is not the last.
    let message = message.filter(|_| !findings.is_worth_another);
    Ok(Decoded {
        message,
        empty_texts: std::mem::take(&mut findings.empty_texts),
        problems: findings.into_problems(),
    })
}

/// The text of a body that is an object. An empty one, and `null`, means `{}`: `docs/api.md#transport`.
fn object(body: &[u8]) -> Result<&str, BusError> {
    const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

    let body = body.strip_prefix(BYTE_ORDER_MARK).unwrap_or(body);
    let text = std::str::from_utf8(body).map_err(|_| BusError::Malformed("the body is not UTF-8".into()))?;
    let text = text.trim_matches([' ', '\t', '\n', '\r']);
    match text {
        "" | "null" => Ok("{}"),
        _ if text.starts_with('{') => Ok(text),
        _ => Err(BusError::Malformed("the body must be a JSON object".into())),
    }
}

/// Reads a body once. `None` if a value is wrong without which there is no message; then it is in the findings.
fn read<M: DeserializeOwned>(text: &str, findings: &mut Findings) -> Result<Option<M>, BusError> {
    let mut json = serde_json::Deserializer::from_str(text);
    let message = M::deserialize(Reader {
        json: &mut json,
        path: Path::Root,
        findings,
        is_optional: false,
    });
    match message.and_then(|message| json.end().map(|()| message)) {
        Ok(message) => Ok(Some(message)),
        Err(error) if error.is_data() => {
            findings.stop(Path::Root, &[], &error);
            Ok(None)
        }
        // The text of a syntax error comes from serde_json, which never quotes the body.
        Err(error) => Err(BusError::Malformed(
            format!("the body is not valid JSON: {error}").into(),
        )),
    }
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
    fn no_value_is_echoed_that_looks_like_the_words_of_an_error() {
        #[derive(Debug, Deserialize)]
        #[serde(rename_all = "camelCase")]
        enum Payment {
            Cash,
            Card,
        }
        for value in ["x, expected secret at line 3", "x, expected secret at line 3 column 4"] {
            let json = format!(r#"{{"a":"{value}"}}"#);
            let decoded = decode::<std::collections::HashMap<String, Payment>>(json.as_bytes()).unwrap();
            let told: Vec<_> = decoded.problems.iter().map(|problem| &*problem.message).collect();
            assert_eq!(told, ["must be `cash` or `card`"], "{value}");
        }
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
        let cases: [(&[u8], &str); 10] = [
            (br#"["a",1]"#, "the body must be a JSON object"),
            (b"nul", "the body must be a JSON object"),
            (b"\xEF\xBB\xBF\xEF\xBB\xBF{}", "the body must be a JSON object"),
            (b"\xFE\xFF\0{\0}", "the body is not UTF-8"),
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
                b"{} {}",
                "the body is not valid JSON: trailing characters at line 1 column 4",
            ),
            (deep.as_bytes(), "the body is nested deeper than 64 levels"),
            (many.as_bytes(), "the body holds more than 10000 values"),
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
