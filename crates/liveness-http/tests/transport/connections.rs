//! Connections beyond the share of an address, and the second address for those who watch the host.

use std::thread;

use crate::engine::Engine;
use crate::server::{Answer, Server};
use crate::wire::{STATUS, Wire, assert_refused, head, wait_until};

const NO_ROUTE: (u16, &str) = (404, "12");
const STRANGER: &str = "127.0.0.1";
const NEIGHBOUR: &str = "127.0.0.2";

fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
}

/// The answer to a request from an address of this machine to another.
fn ask(own: &str, address: &str, request: &str) -> Answer {
    let mut wire = Wire::between(own, address);
    wire.send(request);
    wire.answer()
}

/// What is served for Prometheus at an address.
fn metrics(own: &str, address: &str) -> String {
    let mut wire = Wire::between(own, address);
    wire.send(get("/metrics"));
    assert_eq!(wire.head().0, 200);
    String::from_utf8(wire.rest()).unwrap()
}

/// The second address of a server.
fn operations(server: &Server) -> String {
    let told = "health and metrics are on http://";
    wait_until("there is no second address", || server.log().contains(told));
    let log = server.log();
    let (_, address) = log.split_once(told).unwrap();
    address.lines().next().unwrap().to_owned()
}

#[test]
fn a_stranger_takes_a_quarter_of_the_connections_and_leaves_the_others() {
    let server = Server::with(Engine::Sqlite, &[("LIVENESS_MAX_CONNECTIONS", "80")]);
    let mut strangers: Vec<_> = (0..200).map(|_| Wire::between(STRANGER, server.address())).collect();

    let answer = ask(NEIGHBOUR, server.address(), &get("/health/live"));

    assert_eq!(answer.codes(), (200, "00"));
    let refused = "liveness_refused_connections_total 180\n";
    wait_until("they have more than their share", || {
        metrics(NEIGHBOUR, server.address()).contains(refused)
    });
    // Those that were within the share are served.
    let served = strangers.iter_mut().filter_map(|wire| {
        wire.try_send(get("/health/live")).ok()?;
        String::from_utf8(wire.rest())
            .unwrap()
            .starts_with("HTTP/1.1 200")
            .then_some(())
    });
    assert_eq!(served.count(), 20);
}

#[test]
fn a_trusted_proxy_has_no_share() {
    let settings = [
        ("LIVENESS_MAX_CONNECTIONS", "80"),
        ("LIVENESS_TRUSTED_PROXIES", STRANGER),
    ];
    let server = Server::with(Engine::Sqlite, &settings);
    let mut proxied: Vec<_> = (0..100).map(|_| Wire::between(STRANGER, server.address())).collect();
    for wire in &mut proxied {
        wire.send(get("/health/live"));
        assert_eq!(wire.answer().codes(), (200, "00"));
    }
}

#[test]
fn health_is_answered_at_the_second_address_while_all_connections_of_the_first_are_taken() {
    let settings = [
        ("LIVENESS_MAX_CONNECTIONS", "1"),
        ("LIVENESS_OPERATIONS_BIND", "127.0.0.1:0"),
    ];
    let server = Server::with(Engine::Sqlite, &settings);
    let operations = operations(&server);
    let workers = thread::available_parallelism().map_or(1, usize::from);
    let taken: Vec<_> = (0..workers)
        .map(|_| Wire::between(STRANGER, server.address()))
        .collect();
    let late = Wire::between(STRANGER, server.address());

    for path in ["/health/live", "/health/ready"] {
        assert_eq!(ask(STRANGER, &operations, &get(path)).codes(), (200, "00"), "{path}");
    }
    // The one that asks is counted too. The late one is not accepted.
    let connections = format!("liveness_connections {}\n", workers + 1);
    wait_until("they are not taken", || {
        metrics(STRANGER, &operations).contains(&connections)
    });
    drop((taken, late));
}

#[test]
fn each_of_two_addresses_serves_its_own() {
    let server = Server::with(Engine::Sqlite, &[("LIVENESS_OPERATIONS_BIND", "127.0.0.1:0")]);
    let operations = operations(&server);
    for path in ["/health/live", "/health/ready", "/metrics"] {
        assert_refused(path, &ask(STRANGER, server.address(), &get(path)), NO_ROUTE);
        let mut wire = Wire::between(STRANGER, &operations);
        wire.send(get(path));
        assert_eq!(wire.head().0, 200, "{path}");
    }
    for path in ["/admin", "/docs", "/openapi.json", "/"] {
        assert_refused(path, &ask(STRANGER, &operations, &get(path)), NO_ROUTE);
    }
    let message = head(STATUS, &[("Content-Length", "0"), ("Connection", "close")]);
    assert_refused("a message", &ask(STRANGER, &operations, &message), NO_ROUTE);
    assert_eq!(ask(STRANGER, server.address(), &message).status, 401);
}

#[test]
fn without_a_second_address_the_first_serves_all() {
    let server = Server::start(Engine::Sqlite);
    for path in ["/health/live", "/health/ready"] {
        assert_eq!(
            ask(STRANGER, server.address(), &get(path)).codes(),
            (200, "00"),
            "{path}"
        );
    }
    assert!(!server.log().contains("health and metrics are on"));
}
