//! What a body says it is: its type, its charset and its encoding.

use super::{JSON, assert_unharmed, good, update};
use crate::engine::Engine;
use crate::server::{Server, customer};
use crate::wire::{CANARY, Header, STATUS, assert_refused, bearer, exchange, head, post};

const CHUNKED: Header<'_> = ("Transfer-Encoding", "chunked");

#[test]
fn a_body_is_json_in_utf_8_or_is_not_read() {
    let server = Server::start(Engine::Sqlite);
    const TYPE: &str = "The Content-Type must be application/json, text/json or application/*+json.";
    const CHARSET: &str = "The charset in the Content-Type must be utf-8.";
    const NONE: &str = "The Content-Type is missing; it must be application/json.";
    let cases: [(&[&str], &str); 16] = [
        (&["text/plain"], TYPE),
        (&["text/x+json"], TYPE),
        (&["application/x-www-form-urlencoded"], TYPE),
        (&["multipart/form-data; boundary=x"], TYPE),
        (&["application/jsonx"], TYPE),
        (&["application/+json"], TYPE),
        (&["application/json, text/plain"], TYPE),
        (&["application/json", "text/plain"], TYPE),
        (&["text/plain", "application/json"], TYPE),
        (&["application"], TYPE),
        (&[CANARY], TYPE),
        (&["application/json; charset=utf-16"], CHARSET),
        (&["text/json; charset=\"ISO-8859-1\""], CHARSET),
        (&["application/json", "application/json; charset=utf-16"], CHARSET),
        (&[""], NONE),
        (&[], NONE),
    ];
    for (types, expected) in cases {
        let headers: Vec<_> = types.iter().map(|of_type| ("Content-Type", *of_type)).collect();
        let answer = update(&server, &headers, good());
        assert_refused(&format!("{types:?}"), &answer, (415, "30"));
        assert_eq!(answer.json["message"], expected, "{types:?}");
    }
    assert_unharmed(&server);
}

#[test]
fn json_has_several_names_and_utf_8_too() {
    let server = Server::start(Engine::Sqlite);
    let types: [&[&str]; 29] = [
        &["application/json; charset=ANSI_X3.4-1968"],
        &["application/json; charset=ANSI_X3.4-1986"],
        &["application/json; charset=ISO_646.irv:1991"],
        &["application/json; charset=ISO646-US"],
        &["application/json; charset=iso-ir-6"],
        &["application/json; charset=us"],
        &["application/json; charset=cp367"],
        &["application/json; charset=\"IBM367\""],
        &["application/json; charset=csASCII"],
        &["application/json; charset=csUTF8"],
        &["application/json; charset=unicode-1-1-utf-8"],
        &["application/json; charset=unicode11utf8"],
        &["application/json; charset='UTF-8'"],
        &["application/json; charset=x-unicode20utf8"],
        &["application/json; charset=utf-8"],
        &["application/json;charset=UTF-8"],
        &["application/json; charset=\"utf-8\""],
        &["APPLICATION/JSON"],
        &["application/json ; x=y; Charset=utf8"],
        &["application/json; charset=us-ascii"],
        &["application/json; charset=\"US-ASCII\""],
        &["application/json;"],
        &["application/json;odata=verbose"],
        &["text/json"],
        &["Text/JSON; charset=utf-8"],
        &["application/json-patch+json"],
        &["application/vnd.liveness.v1+json; charset=utf8"],
        &["application/json", "application/json"],
        &["application/json, text/json", "application/problem+json"],
    ];
    for values in types {
        let headers: Vec<_> = values.iter().map(|of_type| ("Content-Type", *of_type)).collect();
        assert_eq!(update(&server, &headers, good()).codes(), (200, "00"), "{values:?}");
    }
}

#[test]
fn a_body_that_says_nothing_needs_no_type() {
    let server = Server::start(Engine::Sqlite);
    let authorization = bearer(&customer(1));
    let token = ("Authorization", authorization.as_str());
    let spaces = " ".repeat(1000);
    let bodies = [
        "",
        " ",
        "\r\n\t",
        "null",
        " null\n",
        "\u{feff}",
        "\u{feff}null",
        &spaces,
    ];
    for body in bodies {
        for of_type in [
            None,
            Some("application/x-www-form-urlencoded"),
            Some("application/json; charset=utf-16"),
        ] {
            let of_type = of_type.map(|of_type| ("Content-Type", of_type));
            let headers: Vec<_> = [token].into_iter().chain(of_type).collect();
            let answer = post(&server, STATUS, &headers, body);
            assert_eq!(answer.codes(), (200, "00"), "{body:?} {of_type:?}");

            let headers = [&headers[..], &[CHUNKED]].concat();
            let chunk = format!("{:x}\r\n{body}\r\n", body.len());
            let chunk = if body.is_empty() { "" } else { &chunk };
            let answer = exchange(&server, head(STATUS, &headers) + chunk + "0\r\n\r\n");
            assert_eq!(answer.codes(), (200, "00"), "{body:?} {of_type:?}");
        }
    }
    let too_long = " ".repeat(1025);
    for body in ["{}", "nul", "nullnull", "[]", "0", "\"\"", "\u{feff}{}", &too_long] {
        assert_refused(body, &post(&server, STATUS, &[token], body), (415, "30"));
        let chunks = format!("{:x}\r\n{body}\r\n0\r\n\r\n", body.len());
        let answer = exchange(&server, head(STATUS, &[token, CHUNKED]) + &chunks);
        assert_refused(body, &answer, (415, "30"));
    }
}

#[test]
fn an_encoding_that_names_the_charset_is_none() {
    let server = Server::start(Engine::Sqlite);
    for encoding in [
        "identity",
        "Identity",
        "",
        "utf-8",
        "UTF8",
        "us-ascii",
        "utf-8, identity",
        ",",
        "\"utf-8\"",
        "'UTF-8'",
        "iso-8859-1",
        "ISO_8859-15",
        "utf-16",
        "UTF-32LE",
        "windows-1252",
        "latin1",
        "shift_jis",
        "ANSI_X3.4-1968",
        "charset=utf-8",
    ] {
        let headers = [JSON, ("Content-Encoding", encoding)];
        assert_eq!(update(&server, &headers, good()).codes(), (200, "00"), "{encoding}");
    }
    let twice = [JSON, ("Content-Encoding", "utf-8"), ("Content-Encoding", "identity")];
    assert_eq!(update(&server, &twice, good()).codes(), (200, "00"));

    // Whatever it says, the body is UTF-8.
    let latin_1 = [good().as_bytes().strip_suffix(b"}").unwrap(), b",\"x\":\"Jos\xE9\"}"].concat();
    for encoding in ["iso-8859-1", "utf-16", "windows-1252"] {
        let answer = update(&server, &[JSON, ("Content-Encoding", encoding)], &latin_1);
        assert_refused(encoding, &answer, (400, "30"));
    }
}

#[test]
fn a_coding_that_is_no_charset_is_none_that_is_read() {
    let server = Server::start(Engine::Sqlite);
    for (encoding, expected) in [
        ("gzip", "The body must not be compressed."),
        ("\"br\"", "The body must not be compressed."),
        ("utf-16, deflate", "The body must not be compressed."),
        ("aes128gcm", "The Content-Encoding must be left out, or be identity."),
        ("nonsense", "The Content-Encoding must be left out, or be identity."),
    ] {
        let answer = update(&server, &[JSON, ("Content-Encoding", encoding)], good());
        assert_refused(encoding, &answer, (415, "30"));
        assert_eq!(answer.json["message"], expected, "{encoding}");
    }
}
