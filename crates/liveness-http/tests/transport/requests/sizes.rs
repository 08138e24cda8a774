//! How large a body and an image may be.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use super::{JSON, assert_unharmed, report_with, update};
use crate::engine::{Engine, on_each_engine};
use crate::server::{FACE, Server, admin, customer};
use crate::wire::{LIST, STATUS, UPDATE, Wire, assert_refused, bearer, head, post, total_count};

/// A JPEG of that many bytes, with as many slashes in its base64 as chance gives.
fn image(bytes: usize) -> Vec<u8> {
    let mut state = 1_u32;
    let noise = std::iter::repeat_with(|| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    });
    FACE.iter().copied().chain(noise).take(bytes).collect()
}

/// In lines of 76 characters, as MIME has them, with their ends as JSON escapes them.
fn in_lines(base64: &str) -> String {
    let lines = base64.as_bytes().chunks(76).map(String::from_utf8_lossy);
    lines.map(|line| line + r"\r\n").collect()
}

fn with_image(base64: &str) -> String {
    report_with(&format!(r#""imageBase64":"{base64}""#))
}

fn an_image_of_the_limit_is_recorded_and_one_byte_more_is_refused(engine: Engine) {
    let limit = FACE.len() + 100;
    let small = Server::with(engine, &[("LIVENESS_MAX_IMAGE_BYTES", &limit.to_string())]);
    let default = Server::start(engine);
    for (server, limit) in [(small, limit), (default, 5 * 1024 * 1024)] {
        let larger = with_image(&BASE64_STANDARD.encode(image(limit + 1)));
        assert_refused("larger", &update(&server, &[JSON], larger), (413, "13"));
        assert_unharmed(&server);

        let largest = BASE64_STANDARD.encode(image(limit));
        assert!(largest.contains('/') && largest.contains('+'));
        let spellings = [
            with_image(&largest),
            with_image(largest.trim_end_matches('=')),
            with_image(&largest.replace('/', r"\/")),
            with_image(&format!(r"data:image\/jpeg;base64,{}", largest.replace('/', r"\/"))),
            with_image(&format!("data:image/jpeg;base64,{}", largest.replace('+', r"\u002b"))),
            with_image(&in_lines(&largest).replace('+', r"\u002b")),
            with_image(&in_lines(&largest).replace('/', "_").replace('+', "-")),
        ];
        for body in spellings {
            let answer = update(&server, &[JSON], body);
            assert_eq!(answer.codes(), (200, "00"), "{answer:?}");
        }
        assert_eq!(total_count(&server), 8);
    }
}

#[test]
fn an_announced_body_over_the_limit_is_not_waited_for() {
    let server = Server::start(Engine::Sqlite);
    let authorization = bearer(&customer(1));
    for length in ["8100000", "1000000000000", "18446744073709551615"] {
        let mut wire = Wire::to(&server);
        wire.send(head(
            UPDATE,
            &[("Authorization", &authorization), JSON, ("Content-Length", length)],
        ));
        assert_refused(length, &wire.answer(), (413, "13"));
        assert_eq!(wire.rest(), b"", "{length}");
    }
    assert_unharmed(&server);
}

#[test]
fn a_query_is_small() {
    let server = Server::start(Engine::Sqlite);
    for (message, token) in [(STATUS, customer(1)), (LIST, admin())] {
        let authorization = bearer(&token);
        let headers = [("Authorization", authorization.as_str()), JSON];
        let of_length = |length: usize| format!("{{{}}}", " ".repeat(length - 2));
        assert_eq!(
            post(&server, message, &headers, of_length(64 * 1024)).codes(),
            (200, "00")
        );
        assert_refused(
            message,
            &post(&server, message, &headers, of_length(64 * 1024 + 1)),
            (413, "13"),
        );
    }
    assert_unharmed(&server);
}

#[test]
fn a_body_in_chunks_has_the_same_limit() {
    let server = Server::start(Engine::Sqlite);
    let spaces = " ".repeat(64 * 1024);
    let chunk = format!("{:x}\r\n{spaces}\r\n", spaces.len());
    for (message, token) in [(UPDATE, customer(1)), (STATUS, customer(1)), (LIST, admin())] {
        let authorization = bearer(&token);
        let mut wire = Wire::to(&server);
        wire.send(head(
            message,
            &[
                ("Authorization", &authorization),
                JSON,
                ("Transfer-Encoding", "chunked"),
            ],
        ));
        // More than any limit, and no end.
        for _ in 0..150 {
            wire.send(&chunk);
        }
        assert_refused(message, &wire.answer(), (413, "13"));
    }
    assert_unharmed(&server);
}

#[test]
fn who_sends_too_much_still_reads_the_answer() {
    let server = Server::start(Engine::Sqlite);
    let large = vec![b' '; 12_000_000];
    let senders = [
        (bearer(&customer(1)), (413, "13")),
        (bearer("x"), (401, "63")),
        (bearer(&admin()), (403, "57")),
    ];
    for (authorization, expected) in senders {
        let answer = post(&server, UPDATE, &[("Authorization", &authorization), JSON], &large);
        assert_refused(&authorization, &answer, expected);
    }
    assert_unharmed(&server);
}

fn metadata_has_at_most_16_kib_each(engine: Engine) {
    let server = Server::start(engine);
    let of_length = |length: usize| format!(r#"{{"x":"{}"}}"#, "y".repeat(length - 8));
    for field in ["metadata", "imageMetadata"] {
        let body = report_with(&format!(r#""{field}":{}"#, of_length(16 * 1024 + 1)));
        let answer = update(&server, &[JSON], body);
        assert_refused(field, &answer, (400, "30"));
        assert_eq!(answer.json["errors"][0]["field"], field, "{answer:?}");
    }
    assert_unharmed(&server);

    let largest = format!(r#""metadata":{0},"imageMetadata":{0}"#, of_length(16 * 1024));
    assert_eq!(update(&server, &[JSON], report_with(&largest)).codes(), (200, "00"));
}

on_each_engine! {
    an_image_of_the_limit_is_recorded_and_one_byte_more_is_refused,
    metadata_has_at_most_16_kib_each,
}
