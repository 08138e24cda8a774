//! What is no message, however well it is sent.

use super::{JSON, assert_unharmed, good, report_with, update};
use crate::engine::{Engine, on_each_engine};
use crate::server::{Server, admin, customer};
use crate::wire::{CANARY, LIST, STATUS, assert_refused, bearer, post};

#[test]
fn what_is_no_json_object_is_malformed() {
    let server = Server::start(Engine::Sqlite);
    let good = good();
    let bodies: Vec<Vec<u8>> = vec![
        br#"["s",true]"#.into(),
        format!("[{good}]").into(),
        b"true".into(),
        b"5".into(),
        br#""s""#.into(),
        b"{".into(),
        b"}".into(),
        b"\0".into(),
        br#"{"sessionId":"s","isSuccessful":true,}"#.into(),
        br#"{"sessionId":"s" "isSuccessful":true}"#.into(),
        br#"{'sessionId':'s','isSuccessful':true}"#.into(),
        br#"{sessionId:"s",isSuccessful:true}"#.into(),
        br#"{"sessionId":"s",/* x */"isSuccessful":true}"#.into(),
        br#"{"sessionId":"s","isSuccessful":True}"#.into(),
        br#"{"sessionId":"s","isSuccessful":true"#.into(),
        format!("{good} {good}").into(),
        format!("{good}x").into(),
        format!("{good},").into(),
        format!("x{good}").into(),
        format!("\u{feff}\u{feff}{good}").into(),
        good.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        report_with(r#""metadata":{"lightingValue":NaN}"#).into(),
        report_with(r#""metadata":{"lightingValue":Infinity}"#).into(),
        report_with(r#""metadata":{"challengeCount":+1}"#).into(),
        report_with(r#""metadata":{"challengeCount":01}"#).into(),
        report_with(r#""metadata":{"challengeCount":0x1}"#).into(),
        report_with(r#""imagePath":"\x41""#).into(),
        report_with(r#""imagePath":"\u00g0""#).into(),
        report_with("\"imagePath\":\"a\tb\"").into(),
        report_with("\"x\":\"a\nb\"").into(),
    ];
    for body in bodies {
        let case = String::from_utf8_lossy(&body).into_owned();
        let with_canary = [&body[..], b" ", CANARY.as_bytes()].concat();
        assert_refused(&case, &update(&server, &[JSON], &body), (400, "30"));
        assert_refused(&case, &update(&server, &[JSON], &with_canary), (400, "30"));
    }
    assert_unharmed(&server);
}

#[test]
fn every_string_is_text_without_control_characters() {
    let server = Server::start(Engine::Sqlite);
    let strings: [&[u8]; 10] = [
        b"\xff",
        b"\xc0\x80",
        b"\xed\xa0\x80",
        b"\xf4\x90\x80\x80",
        br"\u0000",
        br"\u001b[31m",
        br"\b",
        br"\u007F",
        br"\u0085",
        b"\xc2\x85",
    ];
    let places = [
        r#"{"sessionId":"@","isSuccessful":true}"#,
        r#"{"sessionId":"s","isSuccessful":true,"imagePath":"@"}"#,
        r#"{"sessionId":"s","isSuccessful":true,"imageBase64":"@"}"#,
        r#"{"sessionId":"s","isSuccessful":true,"unknown":"@"}"#,
        r#"{"sessionId":"s","isSuccessful":true,"@":1}"#,
        r#"{"sessionId":"s","isSuccessful":true,"unknown":[{"a":["@"]}]}"#,
        r#"{"sessionId":"s","isSuccessful":true,"metadata":{"unknown":"@"}}"#,
        r#"{"sessionId":"s","isSuccessful":true,"metadata":{"a":{"@":[1]}}}"#,
        r#"{"sessionId":"s","isSuccessful":true,"metadata":{"challenges":["A","@"]}}"#,
        r#"{"sessionId":"s","isSuccessful":true,"imageMetadata":{"x":["@"]}}"#,
    ];
    for place in places {
        let (before, after) = place.split_once('@').unwrap();
        for string in strings {
            let body = [before.as_bytes(), CANARY.as_bytes(), string, after.as_bytes()].concat();
            let case = String::from_utf8_lossy(&body);
            assert_refused(&case, &update(&server, &[JSON], &body), (400, "30"));
        }
    }
    assert_unharmed(&server);
}

fn half_a_surrogate_pair_is_kept_as_a_replacement_where_the_field_is_not_known(engine: Engine) {
    let server = Server::start(engine);
    let halves = [r"\ud800", r"\udc00", r"\ud83d\u0041", r"\ud83dx", r"\ude00\ud83d"];
    for half in halves {
        for (field, path) in [
            (format!(r#""imagePath":"{half}""#), "imagePath"),
            (format!(r#""ImagePath":"{half}""#), "imagePath"),
            (format!(r#""imageBase64":"{half}""#), "imageBase64"),
            (
                format!(r#""metadata":{{"challenges":["A","{half}"]}}"#),
                "metadata.challenges[1]",
            ),
            (
                format!(r#""metadata":{{"completedAt":"{half}"}}"#),
                "metadata.completedAt",
            ),
        ] {
            let answer = update(&server, &[JSON], report_with(&field));
            assert_refused(&field, &answer, (400, "30"));
            assert_eq!(answer.json["errors"][0]["field"], path, "{answer:?}");
        }
    }
    assert_unharmed(&server);

    for half in halves {
        let unknown = format!(r#""unknown":["{half}"],"{half}":1,"metadata":{{"note":"{half}","{half}":[1]}}"#);
        let answer = update(&server, &[JSON], report_with(&unknown));
        assert_eq!(answer.codes(), (200, "00"), "{half}: {answer:?}");
    }
}

fn a_byte_order_mark_in_front_is_skipped(engine: Engine) {
    let server = Server::start(engine);
    let answer = update(&server, &[JSON], format!("\u{feff}{}", good()));
    assert_eq!(answer.codes(), (200, "00"), "{answer:?}");
    let authorization = bearer(&customer(1));
    for body in [
        "",
        " \r\n\t",
        "null",
        " null ",
        "\u{feff}",
        "\u{feff}null",
        "\u{feff}{}",
    ] {
        let answer = post(&server, STATUS, &[("Authorization", &authorization), JSON], body);
        assert_eq!(answer.codes(), (200, "00"), "{body:?}: {answer:?}");
    }
}

#[test]
fn the_strings_of_a_query_without_fields_are_text_too() {
    let server = Server::start(Engine::Sqlite);
    for (message, token) in [(STATUS, customer(1)), (LIST, admin())] {
        let authorization = bearer(&token);
        for body in [
            r#"{"unknown":"\u0000"}"#,
            r#"{"\u0000":1}"#,
            r#"{"a":[{"b":"\u0007"}]}"#,
            "[]",
            "{",
        ] {
            let answer = post(&server, message, &[("Authorization", &authorization), JSON], body);
            assert_refused(body, &answer, (400, "30"));
        }
    }
    assert_unharmed(&server);
}

fn tabs_line_ends_and_characters_of_every_plane_are_text(engine: Engine) {
    let server = Server::start(engine);
    let text = r#""a\tb\r\nc \u00e9 \uD83D\uDE00 \ud83d\udE00 é 😀 \\ud800 \\u0000 \/""#;
    let body = report_with(&format!(r#""metadata":{{"note":{text},{text}:1}},"unknown":{text}"#));
    let answer = update(&server, &[JSON], body);
    assert_eq!(answer.codes(), (200, "00"), "{answer:?}");
}

#[test]
fn deep_nesting_is_refused_wherever_it_stands() {
    let server = Server::start(Engine::Sqlite);
    let nested = |open: &str, close: &str, depth: usize| format!("{}{}", open.repeat(depth), close.repeat(depth));
    for field in ["metadata", "imageMetadata", "imageBase64", "sessionId", "unknown"] {
        for deep in [
            nested("[", "]", 64),
            nested("[", "]", 100_000),
            "[".repeat(100_000),
            format!("{}1{}", r#"{"a":"#.repeat(100_000), "}".repeat(100_000)),
            format!(r#"{{"a":{}}}"#, nested("[", "]", 100_000)),
        ] {
            let answer = update(&server, &[JSON], report_with(&format!(r#""{field}":{deep}"#)));
            assert_refused(&format!("{field} {}", &deep[..20]), &answer, (400, "30"));
        }
    }
    assert_unharmed(&server);

    let allowed = report_with(&format!(r#""unknown":{}"#, nested("[", "]", 63)));
    assert_eq!(update(&server, &[JSON], allowed).codes(), (200, "00"));
}

on_each_engine! {
    a_byte_order_mark_in_front_is_skipped,
    half_a_surrogate_pair_is_kept_as_a_replacement_where_the_field_is_not_known,
    tabs_line_ends_and_characters_of_every_plane_are_text,
}
