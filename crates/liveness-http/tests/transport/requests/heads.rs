//! Methods, routes, request ids and the order of the checks.

use super::{JSON, assert_unharmed, update};
use crate::engine::Engine;
use crate::server::{Server, admin, customer};
use crate::wire::{
    CANARY, LIST, STATUS, UPDATE, Wire, assert_refused, bearer, checked, exchange, head, post, settled_log,
};

#[test]
fn a_route_takes_its_methods_only() {
    let server = Server::start(Engine::Sqlite);
    let command = format!("/api/BPMSelfService/commands/{UPDATE}");
    let routes = [
        (command.as_str(), "POST"),
        ("/api/BPMSelfService/commands/X", "POST"),
        ("/health/live", "GET, HEAD"),
        ("/.well-known/jwks.json", "GET, HEAD"),
        ("/privacy", "GET, HEAD"),
    ];
    for (path, allowed) in routes {
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "FOO"] {
            if !allowed.contains(method) {
                let answer = exchange(&server, format!("{method} {path} HTTP/1.1\r\nHost: x\r\n\r\n"));
                assert_refused(method, &answer, (405, "12"));
                assert_eq!(answer.header("allow"), Some(allowed), "{method} {path}");
            }
        }
    }
    let mut wire = Wire::to(&server);
    wire.send(format!("HEAD {command} HTTP/1.1\r\nHost: x\r\n\r\n"));
    let (status, headers) = wire.head();
    assert_eq!((status, headers["allow"].to_str().unwrap()), (405, "POST"));
    let ready = checked(server.get("/health/ready"));
    assert_eq!((ready.status, &ready.json["isSuccessful"]), (200, &true.into()));
    assert_unharmed(&server);
}

#[test]
fn an_unknown_message_is_told_to_those_we_know() {
    let server = Server::start(Engine::Sqlite);
    let long = "X".repeat(10_000);
    for name in [
        "Unknown",
        "updatelivenesscheckcommand",
        "UPDATELIVENESSCHECKCOMMAND",
        &long,
    ] {
        let name = &format!("{name}{CANARY}");
        for token in [customer(1), admin()] {
            let answer = post(&server, name, &[("Authorization", &bearer(&token))], "");
            assert_refused(name, &answer, (404, "12"));
        }
        assert_refused(name, &post(&server, name, &[], ""), (401, "63"));
        assert_refused(
            name,
            &post(&server, name, &[("Authorization", "Bearer x")], ""),
            (401, "63"),
        );
    }
    assert_unharmed(&server);
}

#[test]
fn an_unknown_route_is_told_to_everybody() {
    let server = Server::start(Engine::Sqlite);
    let paths = [
        "/",
        "/api",
        "/api/BPMSelfService/commands",
        "/api/BPMSelfService/commands/",
        "/api//BPMSelfService/commands//",
        "/api/BPMSelfService/commands/UpdateLivenessCheckCommand/x",
        "/api/BPMSelfService/commands/./UpdateLivenessCheckCommand",
        "/apiBPMSelfService/commands/UpdateLivenessCheckCommand",
        "/api/BPMSelfService/commands/..%2fUpdateLivenessCheckCommand/x",
        "/API/bpmselfservice/commands/UpdateLivenessCheckCommand",
        "/health",
        "/.git/config",
    ];
    for path in paths {
        for method in ["GET", "POST"] {
            let bytes = format!("{method} {path}?{CANARY} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
            assert_refused(path, &exchange(&server, bytes), (404, "12"));
        }
    }
    assert_unharmed(&server);
}

#[test]
fn the_first_check_that_fails_decides() {
    let server = Server::start(Engine::Sqlite);
    let [customer, admin] = [bearer(&customer(1)), bearer(&admin())];
    let [customer, admin] = [("Authorization", customer.as_str()), ("Authorization", admin.as_str())];
    let zipped = ("Content-Encoding", "gzip");
    let text = ("Content-Type", "text/plain");
    let too_large = ("Content-Length", "90000000");
    let cases = [
        ("no token", UPDATE, vec![zipped, too_large], (401, "63")),
        ("unknown", "Unknown", vec![customer, zipped, too_large], (404, "12")),
        ("role", UPDATE, vec![admin, zipped, too_large], (403, "57")),
        ("role", LIST, vec![customer, JSON, too_large], (403, "57")),
        ("encoding", UPDATE, vec![customer, zipped, too_large], (415, "30")),
        ("type", UPDATE, vec![customer, text, too_large], (415, "30")),
        ("size", UPDATE, vec![customer, JSON, too_large], (413, "13")),
        ("size", LIST, vec![admin, JSON, too_large], (413, "13")),
        ("size", STATUS, vec![customer, JSON, too_large], (413, "13")),
    ];
    for (case, message, headers, expected) in cases {
        assert_refused(case, &exchange(&server, head(message, &headers)), expected);
    }
    assert_unharmed(&server);
}

#[test]
fn a_request_keeps_its_id_when_it_is_one() {
    let server = Server::start(Engine::Sqlite);
    let longest = "x".repeat(64);
    for id in ["1", "A-z_0.9", &longest] {
        for (headers, expected) in [(vec![JSON], 400), (vec![JSON, ("Content-Encoding", "br")], 415)] {
            let answer = update(&server, &[&headers[..], &[("X-Request-Id", id)]].concat(), "{}");
            assert_eq!((answer.status, answer.header("x-request-id")), (expected, Some(id)));
        }
        assert!(settled_log(&server).contains(&format!("request={id} ")), "{id}");
    }
    assert_unharmed(&server);
}

#[test]
fn a_request_without_an_id_gets_one_of_its_own() {
    let server = Server::start(Engine::Sqlite);
    let too_long = "x".repeat(65);
    let spoiled = format!("{CANARY}:");
    let mut made = Vec::new();
    for id in ["", "a b", "a/b", "a\tb", "ä", "a\"b", "<x>", &spoiled, &too_long] {
        let answer = update(&server, &[JSON, ("X-Request-Id", id)], "{}");
        assert_refused(id, &answer, (400, "30"));
        made.push(answer.header("x-request-id").unwrap().to_owned());
    }
    let log = settled_log(&server);
    assert!(made.iter().all(|id| log.contains(&format!("request={id} "))), "{log}");
    assert!(!log.contains(&too_long), "{log}");
    made.sort();
    made.dedup();
    assert_eq!(made.len(), 9);
    assert_unharmed(&server);
}

#[test]
fn the_id_of_every_refusal_is_in_the_log() {
    let server = Server::start(Engine::Sqlite);
    let authorization = bearer(&customer(1));
    let known = ("Authorization", authorization.as_str());
    let cases = [
        ("no-token", UPDATE, vec![], (401, "63")),
        ("bad-token", UPDATE, vec![("Authorization", "Bearer x")], (401, "63")),
        ("unknown-message", "Unknown", vec![known], (404, "12")),
        ("unknown-route", "a/b", vec![known], (404, "12")),
        ("wrong-role", LIST, vec![known], (403, "57")),
        (
            "wrong-type",
            UPDATE,
            vec![known, ("Content-Type", "text/plain")],
            (415, "30"),
        ),
        ("wrong-fields", UPDATE, vec![known, JSON], (400, "30")),
    ];
    for (id, message, headers, expected) in &cases {
        let headers = [&headers[..], &[("X-Request-Id", *id)]].concat();
        assert_refused(id, &post(&server, message, &headers, "{}"), *expected);
    }
    let log = settled_log(&server);
    for (id, _, _, (_, code)) in cases {
        let line = log
            .lines()
            .find(|line| line.split(' ').any(|field| field == format!("request={id}")));
        assert!(
            line.is_some_and(|line| line.contains(&format!(" code={code} "))),
            "{id} is not in\n{log}"
        );
    }
}
