//! `Connection: upgrade`: no other protocol is spoken, and the request is served in the one that it came in.

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
