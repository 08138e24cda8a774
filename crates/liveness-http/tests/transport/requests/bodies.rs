//! The ways in which a body can be sent.

use serde_json::json;

use super::{JSON, assert_unharmed, good, update};
use crate::engine::Engine;
use crate::server::{Server, customer};
use crate::wire::{CANARY, Header, STATUS, UPDATE, Wire, assert_refused, bearer, exchange, head, post};

const CHUNKED: Header<'_> = ("Transfer-Encoding", "chunked");

#[test]
fn an_empty_body_is_an_empty_object_and_needs_no_type() {
    let server = Server::start(Engine::Sqlite);
    let authorization = bearer(&customer(1));
    let token = ("Authorization", authorization.as_str());
    let types = ["application/json", "application/x-www-form-urlencoded", "text/plain"];
    for of_type in types {
        let answer = post(&server, STATUS, &[token, ("Content-Type", of_type)], "");
        assert_eq!(answer.codes(), (200, "00"), "{of_type}");
    }
    assert_eq!(post(&server, STATUS, &[token], "").codes(), (200, "00"));
    assert_eq!(exchange(&server, head(STATUS, &[token])).codes(), (200, "00"));
    assert_eq!(
        exchange(&server, head(STATUS, &[token, CHUNKED]) + "0\r\n\r\n").codes(),
        (200, "00")
    );

    let missing = post(&server, UPDATE, &[token], "");
    assert_refused("a command", &missing, (400, "30"));
    let mut fields: Vec<_> = missing.json["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| &error["field"])
        .collect();
    fields.sort_by_key(|field| field.to_string());
    assert_eq!(fields, [&json!("isSuccessful"), &json!("sessionId")]);
    assert_unharmed(&server);
}

#[test]
fn a_compressed_body_is_refused_unread() {
    let server = Server::start(Engine::Sqlite);
    let authorization = bearer(&customer(1));
    let token = ("Authorization", authorization.as_str());
    // What a bomb begins with; nothing of it is unpacked, nor waited for.
    let bomb = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03";
    for encoding in [
        "gzip",
        "br",
        "deflate",
        "zstd",
        "foo",
        "gzip, identity",
        "identity, br",
        "utf-8, gzip",
        "utf-16, gzip",
        "\"gzip\"",
        CANARY,
    ] {
        let mut wire = Wire::to(&server);
        let encoded = ("Content-Encoding", encoding);
        wire.send(head(UPDATE, &[token, JSON, encoded, ("Content-Length", "300000")]));
        wire.send(bomb);
        assert_refused(encoding, &wire.answer(), (415, "30"));
        assert_refused(encoding, &update(&server, &[JSON, encoded], good()), (415, "30"));
    }
    for first in ["identity", "utf-8", ""] {
        let twice = [JSON, ("Content-Encoding", first), ("Content-Encoding", "gzip")];
        let refused = update(&server, &twice, good());
        assert_refused("twice", &refused, (415, "30"));
        assert_eq!(refused.json["message"], "The body must not be compressed.");
    }
    assert_unharmed(&server);
}

#[test]
fn a_body_in_chunks_is_a_body() {
    let server = Server::start(Engine::Sqlite);
    let authorization = bearer(&customer(1));
    let token = ("Authorization", authorization.as_str());
    let body = good();
    let (start, end) = body.split_at(10);
    let chunks = format!(
        "{:x}\r\n{start}\r\n{:x};x=y\r\n{end}\r\n0\r\n\r\n",
        start.len(),
        end.len()
    );
    let half = format!("{:x}\r\n{start}\r\n0\r\n\r\n", start.len());

    let text = ("Content-Type", "text/plain");
    assert_refused(
        "no type",
        &exchange(&server, head(UPDATE, &[token, CHUNKED]) + &chunks),
        (415, "30"),
    );
    assert_refused(
        "another",
        &exchange(&server, head(UPDATE, &[token, CHUNKED, text]) + &chunks),
        (415, "30"),
    );
    assert_refused(
        "half",
        &exchange(&server, head(UPDATE, &[token, CHUNKED, JSON]) + &half),
        (400, "30"),
    );
    assert_unharmed(&server);

    assert_eq!(
        exchange(&server, head(UPDATE, &[token, CHUNKED, JSON]) + &chunks).codes(),
        (200, "00")
    );
}

#[test]
fn a_body_that_ends_early_is_not_a_message() {
    let server = Server::start(Engine::Sqlite);
    let authorization = bearer(&customer(1));
    let token = ("Authorization", authorization.as_str());
    let good = good();
    let longer = (good.len() + 1).to_string();
    let announced = head(UPDATE, &[token, JSON, ("Content-Length", &longer)]) + &good;
    let chunked = head(UPDATE, &[token, JSON, CHUNKED]) + &format!("{:x}\r\n{good}\r\n", good.len());
    for (case, bytes) in [("announced", announced), ("in chunks", chunked)] {
        let mut wire = Wire::to(&server);
        wire.send(&bytes);
        wire.finish();
        assert_refused(case, &wire.answer(), (400, "30"));
        assert_eq!(wire.rest(), b"", "{case}");
    }
    assert_unharmed(&server);
}
