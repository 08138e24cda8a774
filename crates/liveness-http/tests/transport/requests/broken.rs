//! Bytes that are no HTTP, or HTTP that two readers could take for two things.

use super::{assert_unharmed, good};
use crate::engine::Engine;
use crate::server::{Server, customer};
use crate::wire::{CANARY, UPDATE, Wire, assert_refused, bearer, total_count};

/// A message with that first line and all its headers but the length.
fn start(line: &str) -> String {
    let token = bearer(&customer(1));
    format!("{line}\r\nHost: x\r\nAuthorization: {token}\r\nContent-Type: application/json\r\nX-Canary: {CANARY}\r\n")
}

/// The first line of a good message.
fn line() -> String {
    format!("POST /api/BPMSelfService/commands/{UPDATE} HTTP/1.1")
}

/// The statuses of all that is answered until the connection is closed.
fn statuses(server: &Server, bytes: &[u8]) -> Vec<String> {
    let mut wire = Wire::to(server);
    // It may be closed before all is sent.
    let _ = wire.try_send(bytes);
    let rest = String::from_utf8(wire.rest()).unwrap();
    assert!(!rest.contains(CANARY), "{rest}");
    let lines = rest.split("HTTP/1.").skip(1);
    lines.map(|line| line.split(' ').nth(1).unwrap().to_owned()).collect()
}

#[test]
fn a_message_whose_end_is_in_doubt_is_refused_with_its_connection() {
    let server = Server::start(Engine::Sqlite);
    let (start, good) = (start(&line()), good());
    let length = good.len();
    let second = format!("{start}Content-Length: {length}\r\n\r\n{good}");
    for framing in [
        format!("Content-Length: {length}\r\nContent-Length: {length}\r\n\r\n{good}"),
        format!("Content-Length: {length}\r\nContent-Length: 0\r\n\r\n{good}"),
        format!("Content-Length: {length}, {length}\r\n\r\n{good}"),
        format!("Content-Length: {length}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        format!("Transfer-Encoding: chunked\r\nContent-Length: {length}\r\n\r\n{good}"),
        format!("Content-Length: +{length}\r\n\r\n{good}"),
        format!("Content-Length: -{length}\r\n\r\n{good}"),
        format!("Content-Length: 0x{length:x}\r\n\r\n{good}"),
        format!("Content-Length: {length} x\r\n\r\n{good}"),
        format!("Content-Length: 18446744073709551616\r\n\r\n{good}"),
        format!("Content-Length : {length}\r\n\r\n{good}"),
        format!("Content-Length:\r\n {length}\r\n\r\n{good}"),
        format!("X-A: a\r\n folded: b\r\nContent-Length: {length}\r\n\r\n{good}"),
        format!("X-A: a\0b\r\nContent-Length: {length}\r\n\r\n{good}"),
        format!("X-A: a\rContent-Length: {length}\r\n\r\n{good}"),
        format!("Host: y\r\nContent-Length: {length}\r\n\r\n{good}"),
        format!("Transfer-Encoding: xchunked\r\n\r\n{good}"),
        "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n".to_owned(),
        "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n".to_owned(),
    ] {
        let answered = statuses(&server, format!("{start}{framing}{second}").as_bytes());
        assert_eq!(answered, ["400"], "{framing}");
    }
    assert_unharmed(&server);
}

#[test]
fn a_head_that_cannot_be_read_is_answered_in_the_envelope() {
    let server = Server::start(Engine::Sqlite);
    let oversized = format!(
        "GET / HTTP/1.1\r\nHost: x\r\nX-Canary: {CANARY}{}\r\n\r\n",
        "x".repeat(200_000)
    );
    for (head, status) in [
        ("POST / HTTP/1.1\r\n\r\n", 400),
        ("nonsense\r\n\r\n", 400),
        (&*oversized, 431),
    ] {
        let mut wire = Wire::to(&server);
        // It may be closed before all is sent.
        let _ = wire.try_send(head.as_bytes());
        assert_refused(&head[..10], &wire.answer(), (status, "30"));
        assert_eq!(wire.rest(), b"");
    }
}

#[test]
fn chunks_that_are_none_end_the_connection() {
    let server = Server::start(Engine::Sqlite);
    let (start, good) = (start(&line()), good());
    let length = good.len();
    let second = format!("{start}Content-Length: {length}\r\n\r\n{good}");
    for chunks in [
        format!("zz\r\n{good}\r\n0\r\n\r\n"),
        format!("-1\r\n{good}\r\n0\r\n\r\n"),
        format!("0x{length:x}\r\n{good}\r\n0\r\n\r\n"),
        format!("fffffffffffffffff\r\n{good}\r\n0\r\n\r\n"),
        format!("{length:x}\n{good}\r\n0\r\n\r\n"),
        format!("{length:x}\r\n{good}0\r\n\r\n"),
    ] {
        let bytes = format!("{start}Transfer-Encoding: chunked\r\n\r\n{chunks}{second}");
        let answered = statuses(&server, bytes.as_bytes());
        assert!(answered.is_empty() || answered == ["400"], "{chunks}: {answered:?}");
    }
    assert_unharmed(&server);
}

#[test]
fn what_is_no_http_1_is_refused() {
    let server = Server::start(Engine::Sqlite);
    let ending = format!("Content-Length: {}\r\n\r\n{}", good().len(), good());
    let path = format!("/api/BPMSelfService/commands/{UPDATE}");
    for first_line in [
        format!("POST {path} HTTP/2.0"),
        format!("POST {path} HTTP/1.9"),
        format!("POST {path}"),
        format!("POST  {path} HTTP/1.1"),
        format!("POST {path} x HTTP/1.1"),
        format!("PO\0ST {path} HTTP/1.1"),
        format!("POST {path}\u{e4} HTTP/1.1"),
    ] {
        assert_eq!(
            statuses(&server, (start(&first_line) + &ending).as_bytes()),
            ["400"],
            "{first_line}"
        );
    }
    let no_host = start(&line()).replace("Host: x\r\n", "") + &ending;
    let no_length = start(&format!("POST {path} HTTP/1.0")) + "\r\n";
    let others: [&[u8]; 6] = [
        no_host.as_bytes(),
        no_length.as_bytes(),
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        b"{}\r\n\r\n",
        &[0; 100],
    ];
    for bytes in others {
        assert_eq!(statuses(&server, bytes), ["400"], "{}", String::from_utf8_lossy(bytes));
    }
    for headers in ["X-A: a\r\n".repeat(200), format!("X-A: {}\r\n", "x".repeat(200_000))] {
        assert_eq!(
            statuses(&server, (start(&line()) + &headers + &ending).as_bytes()),
            ["431"]
        );
    }
    assert_unharmed(&server);
}

#[test]
fn messages_in_a_row_are_answered_in_their_order() {
    let server = Server::start(Engine::Sqlite);
    let start = start(&line());
    let mut wire = Wire::to(&server);
    for number in 0..40 {
        let body = good().replace("\"s\"", &format!("\"s{number}\""));
        wire.send(format!("{start}Content-Length: {}\r\n\r\n{body}", body.len()));
    }
    for number in 0..40 {
        let answer = wire.answer();
        assert_eq!(answer.codes(), (200, "00"));
        assert_eq!(answer.data()["sessionId"], format!("s{number}"));
    }
    assert_eq!(total_count(&server), 40);
}
