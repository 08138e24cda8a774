//! `Connection: upgrade`: no other protocol is spoken, and the request is served in the one that it came in. And the last
//! request of a connection, with `Connection: close` or without keep-alive: no other one is done.

use super::{JSON, good};
use crate::engine::Engine;
use crate::server::{Server, customer};
use crate::wire::{Header, STATUS, UPDATE, Wire, bearer, head, total_count};

/// What proxies and clients send with it.
const UPGRADES: [&[Header<'_>]; 6] = [
    &[("Connection", "upgrade")],
    &[("Connection", "Upgrade"), ("Upgrade", "websocket")],
    &[("Connection", "keep-alive, Upgrade"), ("Upgrade", "h2c")],
    &[
        ("Connection", "Upgrade, HTTP2-Settings"),
        ("Upgrade", "h2c"),
        ("HTTP2-Settings", "AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA"),
    ],
    &[("Upgrade", "websocket")],
    &[("Upgrade", "h2c")],
];

/// The answer's head says what becomes of the connection, and that is what becomes of it: a second request on it is
/// answered, or the connection has been closed.
fn assert_kept_or_said_to_be_closed(case: &str, wire: &mut Wire, request: &str) {
    wire.send(request);
    let (status, headers) = wire.head();
    assert_eq!(status, 200, "{case}");
    assert!(!headers.contains_key("upgrade"), "{case}: {headers:?}");
    let length = headers["content-length"].to_str().unwrap().parse().unwrap();
    wire.skip(length);
    let connection = headers.get("connection").map(|value| value.to_str().unwrap());
    match connection {
        Some("close") => {
            wire.finish();
            assert_eq!(wire.rest(), b"", "{case}");
        }
        None | Some("keep-alive") => {
            wire.send(request);
            assert_eq!(wire.answer().codes(), (200, "00"), "{case}");
        }
        Some(other) => panic!("{case}: connection: {other}"),
    }
}

#[test]
fn a_body_with_it_is_served_and_the_connection_is_kept_or_said_to_be_closed() {
    let server = Server::start(Engine::Sqlite);
    let authorization = bearer(&customer(1));
    let body = good();
    let length = body.len().to_string();
    let mut recorded = 0;
    for upgrade in UPGRADES {
        let known = [("Authorization", authorization.as_str()), JSON];
        let sized = head(UPDATE, &[&known, upgrade, &[("Content-Length", &length)]].concat()) + &body;
        let chunked = head(UPDATE, &[&known, upgrade, &[("Transfer-Encoding", "chunked")]].concat())
            + &format!("{length:x}\r\n{body}\r\n0\r\n\r\n", length = body.len());
        let empty = head(STATUS, &[&known, upgrade].concat());
        for request in [sized, chunked, empty] {
            let case = format!("{request:?}");
            assert_kept_or_said_to_be_closed(&case, &mut Wire::to(&server), &request);
        }
        let now = total_count(&server);
        assert!(now >= recorded + 2, "{upgrade:?}: {now}");
        recorded = now;
    }
}

#[test]
fn a_page_is_served_too() {
    let server = Server::start(Engine::Sqlite);
    for upgrade in UPGRADES {
        let headers: String = upgrade
            .iter()
            .map(|(name, value)| format!("{name}: {value}\r\n"))
            .collect();
        let request = format!("GET /health/live HTTP/1.1\r\nHost: x\r\n{headers}\r\n");
        assert_kept_or_said_to_be_closed(&request, &mut Wire::to(&server), &request);
    }
}

#[test]
fn what_follows_the_last_request_of_a_connection_is_not_done() {
    let server = Server::start(Engine::Sqlite);
    let authorization = bearer(&customer(1));
    let body = good();
    let length = body.len().to_string();
    let known = [
        ("Authorization", authorization.as_str()),
        JSON,
        ("Content-Length", &length),
    ];
    let next = head(UPDATE, &known) + &body;
    let closing: [&[Header<'_>]; 4] = [
        &[("Connection", "close")],
        &[("Connection", "Close, TE")],
        &[("Connection", "upgrade"), ("Upgrade", "h2c")],
        &[("Connection", "TE"), ("Connection", "close")],
    ];
    let mut lasts: Vec<_> = closing
        .iter()
        .map(|closing| head(UPDATE, &[&known, *closing].concat()))
        .collect();
    lasts.push(head(UPDATE, &known).replace("HTTP/1.1", "HTTP/1.0"));
    for (last, recorded) in lasts.iter().zip(1..) {
        let mut wire = Wire::to(&server);
        wire.send(format!("{last}{body}{next}{next}"));
        assert_eq!(wire.answer().codes(), (200, "00"), "{last}");
        wire.finish();
        let rest = String::from_utf8(wire.rest()).unwrap();
        assert!(!rest.contains("200 OK"), "{last}: {rest}");
        assert_eq!(total_count(&server), recorded, "{last}");
    }
    // A query, and a page, end it too.
    let status = head(STATUS, &[("Authorization", &authorization), ("Connection", "close")]);
    for last in [
        &*status,
        "GET /health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    ] {
        let mut wire = Wire::to(&server);
        wire.send(format!("{last}{next}"));
        assert_eq!(wire.head().0, 200, "{last}");
        wire.finish();
        wire.rest();
        assert_eq!(total_count(&server), 5, "{last}");
    }
}

#[test]
fn requests_that_follow_each_other_are_all_done() {
    let server = Server::start(Engine::Sqlite);
    let authorization = bearer(&customer(1));
    let body = good();
    let length = body.len().to_string();
    let request = head(
        UPDATE,
        &[
            ("Authorization", authorization.as_str()),
            JSON,
            ("Content-Length", &length),
        ],
    ) + &body;
    let mut wire = Wire::to(&server);
    wire.send(request.repeat(3));
    for _ in 0..3 {
        assert_eq!(wire.answer().codes(), (200, "00"));
    }
    assert_eq!(total_count(&server), 3);
}

#[test]
fn what_follows_the_body_is_no_part_of_it() {
    let server = Server::start(Engine::Sqlite);
    let authorization = bearer(&customer(1));
    let body = good();
    let length = body.len().to_string();
    let headers = [
        ("Authorization", authorization.as_str()),
        JSON,
        ("Connection", "upgrade"),
        ("Upgrade", "websocket"),
        ("Content-Length", &length),
    ];
    let mut wire = Wire::to(&server);
    wire.send(head(UPDATE, &headers) + &body + &head(STATUS, &headers[..2]));
    assert_eq!(wire.answer().codes(), (200, "00"));
    wire.finish();
    assert_eq!(
        wire.rest(),
        b"",
        "the next request is not answered, for the connection is closed"
    );
    assert_eq!(total_count(&server), 1);
}
