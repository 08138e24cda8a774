//! Clients that take their time: `docs/api.md#limits`. Slowness is what is sent here, so these tests take theirs.

use std::io::Write as _;
use std::thread;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::json;

use crate::engine::Engine;
use crate::server::{Answer, FACE, Server, admin, customer, report};
use crate::wire::{DETAILS, Header, STATUS, UPDATE, Wire, assert_refused, bearer, head, total_count};

const TOO_SLOW: (u16, &str) = (408, "30");
const LIVE: &str = "GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n";

/// The head of an update with a customer's token.
fn update(headers: &[Header<'_>]) -> String {
    let authorization = bearer(&customer(1));
    let known = [
        ("Authorization", authorization.as_str()),
        ("Content-Type", "application/json"),
    ];
    head(UPDATE, &[&known, headers].concat())
}

/// Sends piece after piece, each after a second, until all are sent or nobody takes them any more;
/// gives back the answer, and what comes behind it until the connection is closed.
fn answer_while_sending<'p>(wire: &mut Wire, pieces: impl Iterator<Item = &'p [u8]> + Send) -> (Answer, Vec<u8>) {
    let mut sender = wire.sender();
    thread::scope(|scope| {
        scope.spawn(move || {
            for piece in pieces {
                thread::sleep(Duration::from_secs(1));
                if sender.write_all(piece).is_err() {
                    break;
                }
            }
        });
        (wire.answer(), wire.rest())
    })
}

/// What is sent first, what slowly behind it, and how that ends.
struct Slow {
    case: &'static str,
    first: String,
    then: String,
    expected: (u16, &'static str),
}

#[test]
fn who_is_too_slow_is_told_and_cut_off() {
    let server = Server::start(Engine::Sqlite);
    let body = " ".repeat(60);
    let announced = update(&[("Content-Length", "60")]);
    let chunked = update(&[("Transfer-Encoding", "chunked")]) + "3c\r\n";
    let refused = announced.replace("Bearer ", "Bearer x");
    let slow = |case, first: &str, then: &str, expected| Slow {
        case,
        first: first.into(),
        then: then.into(),
        expected,
    };
    let cases = [
        slow("a head that ends in the middle", &announced[..40], "", TOO_SLOW),
        slow("a head byte by byte", "P", &announced[1..60], TOO_SLOW),
        slow("a body that does not come", &announced, "", TOO_SLOW),
        slow("a body byte by byte", &announced, &body, TOO_SLOW),
        slow("a chunk byte by byte", &chunked, &body, TOO_SLOW),
        slow("a chunk that does not come", &chunked, "", TOO_SLOW),
        slow("a body nobody waits for", &refused, &body, (401, "63")),
        slow(
            "a chunk nobody waits for",
            &chunked.replace("Bearer ", "Bearer x"),
            &body,
            (401, "63"),
        ),
    ];
    thread::scope(|scope| {
        for Slow {
            case,
            first,
            then,
            expected,
        } in cases
        {
            let server = &server;
            scope.spawn(move || {
                let mut wire = Wire::to(server);
                wire.send(first);
                let (answer, rest) = answer_while_sending(&mut wire, then.as_bytes().chunks(1));
                assert_refused(case, &answer, expected);
                assert_eq!(answer.header("connection"), Some("close"), "{case}");
                assert_eq!(rest, b"", "{case}");
            });
        }
        scope.spawn(|| a_second_head_has_the_same_time(&server));
        scope.spawn(|| an_idle_connection_is_closed(&server));
        scope.spawn(|| a_body_at_a_fair_pace_may_take_longer(&server));
    });
    assert_eq!(total_count(&server), 1);
}

fn a_second_head_has_the_same_time(server: &Server) {
    for then in ["", " /health/live HTTP/1.1\r\nHost: x\r\n"] {
        let mut wire = Wire::to(server);
        wire.send(LIVE);
        assert_eq!(wire.answer().status, 200);
        wire.send("GET");
        let (answer, rest) = answer_while_sending(&mut wire, then.as_bytes().chunks(1));
        assert_refused(then, &answer, TOO_SLOW);
        assert_eq!(rest, b"", "{then}");
    }
}

fn an_idle_connection_is_closed(server: &Server) {
    assert_eq!(Wire::to(server).rest(), b"");
    let mut wire = Wire::to(server);
    wire.send(LIVE);
    assert_eq!(wire.answer().status, 200);
    assert_eq!(wire.rest(), b"");
}

fn a_body_at_a_fair_pace_may_take_longer(server: &Server) {
    let body = format!("{}{}", report("s", true), " ".repeat(1_800_000));
    let mut wire = Wire::to(server);
    wire.send(update(&[
        ("Content-Length", &body.len().to_string()),
        ("Connection", "close"),
    ]));
    // 18 pieces take longer than the 15 s that every body has.
    let (answer, rest) = answer_while_sending(&mut wire, body.as_bytes().chunks(body.len().div_ceil(18)));
    assert_eq!((answer.codes(), rest), ((200, "00"), Vec::new()));
}

#[test]
fn who_does_not_read_an_answer_holds_up_nobody() {
    let server = Server::start(Engine::Sqlite);
    let image = [FACE, &vec![0; 5_000_000]].concat();
    let mut large = report("s", true);
    large["imageBase64"] = json!(BASE64_STANDARD.encode(image));
    large["metadata"] = json!({ "verificationResult": true });
    assert_eq!(server.send(UPDATE, &customer(1), &large).codes(), (200, "00"));

    let authorization = bearer(&admin());
    let body = json!({ "userId": 1 }).to_string();
    let length = body.len().to_string();
    let headers = [
        ("Authorization", authorization.as_str()),
        ("Content-Type", "application/json"),
        ("Content-Length", &length),
    ];
    let mut wires: Vec<_> = (0..8).map(|_| Wire::to(&server)).collect();
    for wire in &mut wires {
        wire.send(head(DETAILS, &headers) + &body);
        let (status, _) = wire.head();
        assert_eq!(status, 200);
    }
    for _ in 0..20 {
        assert_eq!(server.send(STATUS, &customer(2), &json!({})).codes(), (200, "00"));
    }
    // What is sent to a closed connection is refused.
    let cut = (0..60).any(|_| {
        thread::sleep(Duration::from_secs(1));
        wires.iter_mut().all(|wire| wire.try_send("\r\n").is_err())
    });
    assert!(cut, "they are still waited for");
    assert_eq!(server.send(STATUS, &customer(2), &json!({})).codes(), (200, "00"));
}

/// How much of a file a client gets that takes so many bytes ten times a second.
fn read_slowly(server: &Server, path: &str, bytes: usize) -> usize {
    let mut wire = Wire::with_small_window(server);
    wire.send(format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"));
    let (status, headers) = wire.head();
    assert_eq!(status, 200);
    let length: usize = headers["content-length"].to_str().unwrap().parse().unwrap();
    let mut left = length;
    while left > 0 {
        thread::sleep(Duration::from_millis(100));
        match wire.try_skip(bytes.min(left)) {
            Ok(()) => left -= bytes.min(left),
            Err(_) => break,
        }
    }
    if left == 0 {
        assert_eq!(wire.rest(), b"");
    }
    length - left
}

#[test]
fn who_reads_too_slowly_is_cut_off_and_who_keeps_the_pace_gets_it_all() {
    let server = Server::start(Engine::Sqlite);
    let path = "/docs/swagger-ui-bundle.js";
    let (slow, fair) = thread::scope(|scope| {
        let slow = scope.spawn(|| read_slowly(&server, path, 1_000));
        let fair = scope.spawn(|| read_slowly(&server, path, 8_000));
        (slow.join().unwrap(), fair.join().unwrap())
    });
    // At that pace it takes longer than the 15 s that everybody has.
    assert!(fair > 15 * 80_000, "{fair}");
    assert!(slow < fair / 4, "{slow} of {fair}");
}

#[test]
fn two_hundred_slow_clients_do_not_keep_a_good_one_waiting() {
    let mut server = Server::with(Engine::Sqlite, &[("LIVENESS_SHUTDOWN_GRACE", "2s")]);
    let announced = update(&[("Content-Length", "60")]);
    let mut wires: Vec<_> = (0..200).map(|_| Wire::to(&server)).collect();
    for (number, wire) in wires.iter_mut().enumerate() {
        wire.send(if number % 2 == 0 { &announced[..40] } else { &announced });
    }
    for number in 0..50 {
        let answer = server.send(UPDATE, &customer(2), &report(&format!("s{number}"), true));
        assert_eq!(answer.codes(), (200, "00"));
    }
    assert_eq!(total_count(&server), 50);

    server.signal("TERM");
    assert!(server.wait().success());
    assert!(wires.iter_mut().all(|wire| !wire.rest().starts_with(b"HTTP/1.1 200")));
}
