//! `Expect: 100-continue`: a client is told to go on only when its body is wanted.

use super::{JSON, good};
use crate::engine::Engine;
use crate::server::{Server, admin, customer};
use crate::wire::{Header, STATUS, UPDATE, Wire, assert_refused, bearer, head, total_count};

const EXPECT: Header<'_> = ("Expect", "100-continue");

#[test]
fn a_good_head_is_told_to_go_on_and_its_body_is_served() {
    let server = Server::start(Engine::Sqlite);
    let authorization = bearer(&customer(1));
    let body = good();
    let length = body.len().to_string();
    let known = [("Authorization", authorization.as_str()), JSON, EXPECT];
    let sized = head(UPDATE, &[&known[..], &[("Content-Length", &length)]].concat());
    let chunked = head(UPDATE, &[&known[..], &[("Transfer-Encoding", "chunked")]].concat());
    let chunks = format!("{:x}\r\n{body}\r\n0\r\n\r\n", body.len());

    let mut wire = Wire::to(&server);
    for (head, body) in [(&sized, &body), (&chunked, &chunks), (&sized, &body)] {
        wire.send(head);
        assert_eq!(wire.head().0, 100);
        wire.send(body);
        // Nothing but the answer comes now.
        let (status, headers) = wire.head();
        assert_eq!(status, 200);
        wire.skip(headers["content-length"].to_str().unwrap().parse().unwrap());
    }
    assert_eq!(total_count(&server), 3);
}

#[test]
fn a_bad_head_is_answered_without_being_told_to_go_on() {
    let server = Server::start(Engine::Sqlite);
    let [customer, admin] = [bearer(&customer(1)), bearer(&admin())];
    let [customer, admin] = [("Authorization", customer.as_str()), ("Authorization", admin.as_str())];
    let small = ("Content-Length", "100");
    let cases = [
        ("no token", UPDATE, vec![JSON, small], (401, "63")),
        (
            "a bad token",
            UPDATE,
            vec![("Authorization", "Bearer x"), JSON, small],
            (401, "63"),
        ),
        (
            "an unknown command",
            "Unknown",
            vec![customer, JSON, small],
            (404, "12"),
        ),
        ("another role", UPDATE, vec![admin, JSON, small], (403, "57")),
        (
            "another type",
            UPDATE,
            vec![customer, ("Content-Type", "text/plain"), small],
            (415, "30"),
        ),
        ("no type", UPDATE, vec![customer, small], (415, "30")),
        (
            "compressed",
            UPDATE,
            vec![customer, JSON, small, ("Content-Encoding", "gzip")],
            (415, "30"),
        ),
        (
            "too large",
            UPDATE,
            vec![customer, JSON, ("Content-Length", "90000000")],
            (413, "13"),
        ),
        (
            "too large for a query",
            STATUS,
            vec![customer, JSON, ("Content-Length", "70000")],
            (413, "13"),
        ),
    ];
    for (case, message, headers, expected) in cases {
        for expect in ["100-continue", "100-Continue", "x, 100-continue"] {
            let mut wire = Wire::to(&server);
            wire.send(head(message, &[&headers[..], &[("Expect", expect)]].concat()));
            assert_refused(case, &wire.only_answer(), expected);
            wire.finish();
            assert_eq!(wire.rest(), b"", "{case}");
        }
    }
    let route = "POST /nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n";
    let method =
        "PUT /api/BPMSelfService/commands/X HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n";
    for (request, expected) in [(route, (404, "12")), (method, (405, "12"))] {
        let mut wire = Wire::to(&server);
        wire.send(request);
        assert_refused(request, &wire.only_answer(), expected);
    }
    assert_eq!(total_count(&server), 0);
}

#[test]
fn a_limit_is_told_before_the_body_is_sent() {
    let server = Server::with(Engine::Sqlite, &[("LIVENESS_RATE_LIMIT", "1/h")]);
    let authorization = bearer(&customer(1));
    let headers = [
        ("Authorization", authorization.as_str()),
        JSON,
        EXPECT,
        ("Content-Length", "100"),
    ];
    let told = |status: u16| {
        let mut wire = Wire::to(&server);
        wire.send(head(UPDATE, &headers));
        assert_eq!(wire.head().0, status);
    };
    told(100);
    told(429);
}

#[test]
fn a_body_that_came_with_its_head_needs_no_telling() {
    let server = Server::start(Engine::Sqlite);
    let authorization = bearer(&customer(1));
    let length = good().len().to_string();
    let headers = [
        ("Authorization", authorization.as_str()),
        JSON,
        EXPECT,
        ("Content-Length", &length),
    ];
    let request = head(UPDATE, &headers) + &good();
    let refused = request.replace("Bearer ", "Bearer x");
    let mut wire = Wire::to(&server);
    // Several at once: what belongs to one answer does not come into another.
    wire.send([&*request, &*request, &*refused].concat());
    assert_eq!(wire.answer().codes(), (200, "00"));
    assert_eq!(wire.answer().codes(), (200, "00"));
    assert_refused("refused", &wire.only_answer(), (401, "63"));
    assert_eq!(total_count(&server), 2);
}
