//! Finds the fields of a JSON object that are true, at every level, in one pass and without a tree.
//!
//! JSON that is known to be valid needs no parser here: a text with a colon behind it is the name of a field, and nothing else is.
//! So neither depth nor what a parser of numbers or of half surrogates would refuse keeps a field from being found.

use std::borrow::Cow;

/// Calls `found` with the name of each field that is true: the boolean, or the text `true` in any ASCII case.
///
/// The JSON must be valid. If it is not, fields may be missed, and nothing else happens.
pub(super) fn for_each_true_field(json: &str, mut found: impl FnMut(&str)) {
    let mut rest = json;
    while let Some((text, behind)) = next_text(rest) {
        rest = behind;
        let Some(value) = after_space(behind).strip_prefix(':') else {
            continue;
        };
        if is_true(after_space(value))
            && let Some(name) = unescaped(text)
        {
            found(&name);
        }
    }
}

fn is_true(value: &str) -> bool {
    // Each letter can be an escape of six bytes.
    const LONGEST: usize = 4 * 6;
    match value.strip_prefix('"') {
        None => value.starts_with("true"),
        Some(_) => {
            let text = next_text(value)
                .map(|(text, _)| text)
                .filter(|text| text.len() <= LONGEST);
            let text = text.and_then(unescaped);
            text.is_some_and(|text| text.eq_ignore_ascii_case("true"))
        }
    }
}

/// The next text, between its quotation marks and with its escapes, and what is behind it.
fn next_text(json: &str) -> Option<(&str, &str)> {
    let (_, text) = json.split_once('"')?;
    let bytes = text.as_bytes();
    let mut end = 0;
    loop {
        match bytes.get(end)? {
            b'"' => return Some((text.get(..end)?, text.get(end + 1..)?)),
            b'\\' => end += 2,
            _ => end += 1,
        }
    }
}

fn after_space(json: &str) -> &str {
    json.trim_start_matches([' ', '\t', '\n', '\r'])
}

/// The text without escapes. `None` if it has half of a surrogate pair, which no name has.
fn unescaped(text: &str) -> Option<Cow<'_, str>> {
    if text.contains('\\') {
        serde_json::from_str(&format!("\"{text}\"")).ok().map(Cow::Owned)
    } else {
        Some(Cow::Borrowed(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn true_fields(json: &str) -> Vec<String> {
        // What is tried is what would be recorded.
        serde_json::from_str::<&serde_json::value::RawValue>(json).unwrap();
        let mut names = Vec::new();
        for_each_true_field(json, |name| names.push(name.to_owned()));
        names
    }

    #[test]
    fn fields_that_are_true_are_found() {
        let cases: [(&str, &[&str]); 34] = [
            ("{}", &[]),
            (r#"{"a":true}"#, &["a"]),
            (r#"{"a":false}"#, &[]),
            (r#"{"a":null,"b":1,"c":"yes","d":[],"e":{}}"#, &[]),
            ("{ \"a\"\t:\r\n true , \"b\" : true }", &["a", "b"]),
            (r#"{"a":{"b":{"c":true}}}"#, &["c"]),
            (r#"{"a":[{"b":true},[[{"c":true}]]]}"#, &["b", "c"]),
            (r#"{"a":[true,true]}"#, &[]),
            (r#"{"a":["b",true]}"#, &[]),
            (r#"{"a":"b:true"}"#, &[]),
            (r#"{"a":"\"b\":true"}"#, &[]),
            (r#"{"a":"\\","b":true}"#, &["b"]),
            (r#"{"a":"\\\"","b":true}"#, &["b"]),
            (r#"{"a\"b":true}"#, &["a\"b"]),
            (r#"{"\u0061":true}"#, &["a"]),
            (r#"{"\u0041\/\n":true}"#, &["A/\n"]),
            (r#"{"":true}"#, &[""]),
            (r#"{"ä€😀":true}"#, &["ä€😀"]),
            (r#"{"\ud83d\ude00":true}"#, &["😀"]),
            (r#"{"\ud83d":true,"b":true}"#, &["b"]),
            (r#"{"x":"\ud83d","b":true}"#, &["b"]),
            (r#"{"x":1e999,"b":true}"#, &["b"]),
            (r#"{"x":-0.0E-1,"b":true}"#, &["b"]),
            (r#"{"x":123456789012345678901234567890,"b":true}"#, &["b"]),
            (r#"{"a":true,"a":false}"#, &["a"]),
            (r#"{"a":false,"a":true}"#, &["a"]),
            (r#"{"a":"true"}"#, &["a"]),
            (r#"{"a":"True","b":"TRUE"}"#, &["a", "b"]),
            (r#"{"a":"\u0074r\u0075e"}"#, &["a"]),
            (r#"{"a":"\u0074\u0072\u0075\u0065"}"#, &["a"]),
            (r#"{"a":" true","b":"true ","c":"truer","d":"tru","e":"1","f":""}"#, &[]),
            (r#"{"a":"true","true":"a"}"#, &["a"]),
            (r#"{"a":{"value":true}}"#, &["value"]),
            (r#"{"a":1}"#, &[]),
        ];
        for (json, expected) in cases {
            assert_eq!(true_fields(json), expected, "{json}");
        }
    }

    #[test]
    fn no_depth_hides_a_field() {
        // 16 KiB of brackets, and the field in the middle.
        for (open, close) in [("[", "]"), (r#"{"a":"#, "}")] {
            let depth = 16_000 / (open.len() + close.len());
            let json = format!(r#"{{"x":{}{{"b":true}}{}}}"#, open.repeat(depth), close.repeat(depth));
            assert_eq!(true_fields(&json), ["b"], "{open}");
        }
    }

    #[test]
    fn what_is_no_json_does_no_harm() {
        for json in [
            "",
            "\"",
            "\"\\",
            "\"a",
            "\"a\":",
            "\"a\":\"",
            "\"a\":\"true",
            "\\\"a\":true",
            "é\"é",
        ] {
            for_each_true_field(json, |_| {});
        }
    }
}
