//! More than the host takes on at once: requests, bytes of bodies, connections: `docs/api.md#limits`.

use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::engine::Engine;
use crate::metrics::{metric, wait_for};
use crate::server::{Answer, Server, admin, customer, report};
use crate::wire::{DETAILS, Header, STATUS, UPDATE, Wire, assert_refused, bearer, head, settled_log, total_count};

const OVERLOADED: (u16, &str) = (503, "91");
const TOO_MANY: (u16, &str) = (429, "65");
const IN_FLIGHT: &str = "liveness_requests_in_flight";

/// An update of a user's of which so many bytes of the body are sent; the rest of it is given back.
fn begin(server: &Server, user: i64, body: &[u8], sent: usize, headers: &[Header<'_>]) -> (Wire, Vec<u8>) {
    let authorization = bearer(&customer(user));
    let known = [
        ("Authorization", authorization.as_str()),
        ("Content-Type", "application/json"),
    ];
    let mut wire = Wire::to(server);
    wire.send(head(UPDATE, &[&known, headers].concat()));
    wire.send(&body[..sent]);
    (wire, body[sent..].to_owned())
}

fn begin_sized(server: &Server, user: i64, body: &[u8], sent: usize) -> (Wire, Vec<u8>) {
    begin(server, user, body, sent, &[("Content-Length", &body.len().to_string())])
}

/// A report of so many bytes.
fn sized(session: &str, bytes: usize) -> Vec<u8> {
    let mut body = report(session, true).to_string().into_bytes();
    body.resize(bytes, b' ');
    body
}

fn end((mut wire, rest): (Wire, Vec<u8>)) -> Answer {
    wire.send(rest);
    wire.answer()
}

fn assert_overloaded(case: &str, answer: &Answer) {
    assert_refused(case, answer, OVERLOADED);
    assert_eq!(answer.header("retry-after"), Some("1"), "{case}");
}

fn audit_entries(server: &Server) -> usize {
    let runtime = actix_web::rt::Runtime::new().unwrap();
    let entries = runtime.block_on(server.store().trail().newest(1000)).unwrap();
    entries.len()
}

#[test]
fn one_request_too_many_is_refused_at_once_and_health_goes_on() {
    let server = Server::with(Engine::Sqlite, &[("LIVENESS_MAX_REQUESTS_IN_FLIGHT", "2")]);
    for user in [1, 3] {
        // Adding a user leaves an entry.
        server.send(STATUS, &customer(user), &json!({}));
    }
    let body = sized("s", 100);
    let first = begin_sized(&server, 1, &body, 50);
    let second = begin_sized(&server, 3, &sized("t", 100), 50);
    wait_for(&server, IN_FLIGHT, 2.0);
    let entries = audit_entries(&server);

    for (message, token) in [
        (STATUS, customer(2)),
        (UPDATE, customer(2)),
        (DETAILS, admin()),
        ("Unknown", admin()),
        (STATUS, "no token".to_owned()),
    ] {
        assert_overloaded(message, &server.send(message, &token, &report("s2", true)));
    }
    for path in ["/health/live", "/health/ready"] {
        assert_eq!(server.get(path).status, 200, "{path}");
    }
    let refused = format!("liveness_requests_total{{message=\"{UPDATE}\",status_code=\"91\"}}");
    assert_eq!(metric(&server, &refused), 1.0);
    // Nobody pays for being refused.
    assert_eq!(audit_entries(&server), entries);

    for begun in [first, second] {
        assert_eq!(end(begun).codes(), (200, "00"));
    }
    wait_for(&server, IN_FLIGHT, 0.0);
    assert_eq!(server.send(STATUS, &customer(2), &json!({})).codes(), (200, "00"));
    assert!(settled_log(&server).contains("too many requests are in flight"));
    assert_eq!(total_count(&server), 2);
}

#[test]
fn a_request_whose_client_goes_away_is_in_flight_no_longer() {
    let server = Server::with(Engine::Sqlite, &[("LIVENESS_MAX_REQUESTS_IN_FLIGHT", "1")]);
    let begun = begin_sized(&server, 1, &sized("s", 100_000), 90_000);
    wait_for(&server, "liveness_body_bytes", 98.0 * 1024.0);
    drop(begun);
    wait_for(&server, IN_FLIGHT, 0.0);
    assert_eq!(metric(&server, "liveness_body_bytes"), 0.0);
    assert_eq!(server.send(STATUS, &customer(1), &json!({})).codes(), (200, "00"));
}

/// Room for one body, and for a small one beside it.
fn with_room_for_one() -> Server {
    // Bodies of commands have 282,539 bytes at most then.
    let settings = [
        ("LIVENESS_MAX_IMAGE_BYTES", "100000"),
        ("LIVENESS_BODY_MEMORY", "300000"),
    ];
    Server::with(Engine::Sqlite, &settings)
}

/// This is about time, so it takes some.
#[test]
fn a_body_waits_for_room_which_is_not_its_own_slowness() {
    let server = with_room_for_one();
    let large = |session| sized(session, 250_000);
    let begun = Instant::now();
    let first = begin_sized(&server, 1, &large("first"), 240_000);
    wait_for(&server, "liveness_body_bytes", 245.0 * 1024.0);
    // As much as makes it no small one.
    let second = begin_sized(&server, 2, &large("second"), 70_000);
    wait_for(&server, "liveness_bodies_waiting", 1.0);
    let mut third = begin_sized(&server, 3, &large("third"), 70_000);
    wait_for(&server, "liveness_bodies_waiting", 2.0);

    // Small bodies pass by, and so does one that announces much and sends little.
    let little = begin_sized(&server, 4, &large("little"), 60_000);
    let answer = server.send(UPDATE, &customer(4), &report("small", true));
    assert_eq!(answer.codes(), (200, "00"));
    assert_eq!(metric(&server, "liveness_bodies_waiting"), 2.0);

    thread::sleep(Duration::from_secs(8).saturating_sub(begun.elapsed()));
    assert_eq!(end(first).codes(), (200, "00"));
    wait_for(&server, "liveness_bodies_waiting", 1.0);
    // The second has the room now and takes its time, as long as the third waits.
    let refused = third.0.answer();
    assert_overloaded("the third", &refused);
    assert_eq!(refused.header("connection"), Some("close"));
    // Its own 15 s are over, but for those in which it waited.
    thread::sleep(Duration::from_secs(17).saturating_sub(begun.elapsed()));
    assert_eq!(end(second).codes(), (200, "00"));
    drop(little);
    wait_for(&server, "liveness_body_bytes", 0.0);
    assert_eq!(total_count(&server), 3);
}

#[test]
fn a_body_in_chunks_has_room_like_any_other() {
    let server = with_room_for_one();
    let chunked = |session, bytes| {
        let body = sized(session, bytes);
        [format!("{bytes:x}\r\n").as_bytes(), &body, b"\r\n0\r\n\r\n"].concat()
    };
    let headers = [("Transfer-Encoding", "chunked")];
    let first = begin(&server, 1, &chunked("first", 200_000), 150_000, &headers);
    // It may become as large as any.
    wait_for(&server, "liveness_body_bytes", 276.0 * 1024.0);
    let second = begin(&server, 2, &chunked("second", 200_000), 150_000, &headers);
    wait_for(&server, "liveness_bodies_waiting", 1.0);
    assert_eq!(end(first).codes(), (200, "00"));
    assert_eq!(end(second).codes(), (200, "00"));

    let small = begin(&server, 3, &chunked("small", 60_000), 50_000, &headers);
    wait_for(&server, IN_FLIGHT, 1.0);
    assert_eq!(metric(&server, "liveness_body_bytes"), 0.0);
    assert_eq!(end(small).codes(), (200, "00"));
    let too_large = begin(&server, 3, &chunked("large", 290_000), 290_000, &headers);
    assert_eq!(end(too_large).codes(), (413, "13"));
    wait_for(&server, "liveness_body_bytes", 0.0);
}

#[test]
fn a_thousand_idle_or_slow_connections_leave_others_served() {
    let server = Server::start(Engine::Sqlite);
    raise_the_limit_on_open_files();
    let body = sized("slow", 100_000);
    let idle: Vec<_> = (0..500).map(|_| Wire::to(&server)).collect();
    let slow: Vec<_> = (0..500)
        .map(|number| begin_sized(&server, 10 + number % 10, &body, 20))
        .collect();
    wait_for(&server, IN_FLIGHT, 500.0);
    assert!(metric(&server, "liveness_connections") >= 500.0);

    for number in 0..20 {
        let answer = server.send(UPDATE, &customer(2), &report(&format!("s{number}"), true));
        assert_eq!(answer.codes(), (200, "00"));
    }
    let large = sized("large", 1_000_000);
    assert_eq!(end(begin_sized(&server, 2, &large, 0)).codes(), (200, "00"));
    assert_eq!(server.get("/health/ready").status, 200);
    drop((idle, slow));
    wait_for(&server, IN_FLIGHT, 0.0);
    assert_eq!(total_count(&server), 21);
}

#[test]
fn one_token_with_more_slow_bodies_than_places_leaves_others_served() {
    let server = Server::start(Engine::Sqlite);
    raise_the_limit_on_open_files();
    let small = sized("slow", 1000);
    let told = format!("liveness_requests_total{{message=\"{UPDATE}\",status_code=\"65\"}}");
    let mut slow = Vec::new();
    // An eighth of the places, and the rest is told at once.
    for number in 1..=1100 {
        slow.push(begin_sized(&server, 1, &small, 20));
        if number % 100 == 0 {
            wait_for(&server, IN_FLIGHT, f64::min(number.into(), 128.0));
        }
    }
    wait_for(&server, &told, 1100.0 - 128.0);
    let refused = slow.pop().unwrap().0.answer();
    assert_refused("one too many", &refused, TOO_MANY);
    assert_eq!(refused.header("retry-after"), Some("1"));

    for number in 0..20 {
        let answer = server.send(UPDATE, &customer(2), &report(&format!("s{number}"), true));
        assert_eq!(answer.codes(), (200, "00"));
    }
    assert_eq!(end(begin_sized(&server, 2, &small, 20)).codes(), (200, "00"));
    drop(slow);
    wait_for(&server, IN_FLIGHT, 0.0);
    let small = sized("once more", 1000);
    assert_eq!(end(begin_sized(&server, 1, &small, 20)).codes(), (200, "00"));
}

#[test]
fn one_token_with_more_large_bodies_than_memory_leaves_others_room() {
    // Of eight bodies, so that one has an eighth.
    let settings = [
        ("LIVENESS_MAX_IMAGE_BYTES", "100000"),
        ("LIVENESS_BODY_MEMORY", "2248600"),
    ];
    let server = Server::with(Engine::Sqlite, &settings);
    let large = |session| sized(session, 250_000);
    let first = begin_sized(&server, 1, &large("slow"), 100_000);
    wait_for(&server, "liveness_body_bytes", 245.0 * 1024.0);
    let begin = |_| begin_sized(&server, 1, &large("slow"), 100_000);
    let others: Vec<_> = (0..11).map(begin).collect();
    wait_for(&server, "liveness_bodies_waiting", 11.0);
    assert_eq!(metric(&server, "liveness_body_bytes"), 245.0 * 1024.0);

    assert_eq!(
        end(begin_sized(&server, 2, &large("other"), 100_000)).codes(),
        (200, "00")
    );
    // Who waited for their own bodies is told so.
    for (mut wire, _) in others {
        assert_refused("too many of one's own", &wire.answer(), TOO_MANY);
    }
    drop(first);
    wait_for(&server, "liveness_body_bytes", 0.0);
}

/// The server does so by itself. It was started before, with the limit that it found.
fn raise_the_limit_on_open_files() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: maximum,
        maximum,
    };
    setrlimit(Resource::Nofile, raised).unwrap();
    assert!(
        maximum.is_none_or(|limit| limit >= 2048),
        "this test needs 2,048 open files"
    );
}

#[test]
fn connections_beyond_the_limit_wait_until_others_end() {
    let server = Server::with(Engine::Sqlite, &[("LIVENESS_MAX_CONNECTIONS", "1")]);
    let workers = thread::available_parallelism().map_or(1, usize::from);
    let mut idle: Vec<_> = (0..workers).map(|_| Wire::to(&server)).collect();
    let mut late = Wire::to(&server);
    late.send("GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n");
    // It is answered once one of the idle ones has been cut off.
    assert_eq!(late.answer().status, 200);
    assert!(idle.iter_mut().any(|wire| wire.rest().is_empty()));
}

#[test]
fn there_has_to_be_room_for_one_body() {
    let output = crate::server::command(&["serve"])
        .env("LIVENESS_JWT_SECRET", crate::server::SECRET)
        .env("LIVENESS_BODY_MEMORY", "1000000")
        .output()
        .unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success());
    assert_eq!(told.lines().count(), 1, "{told}");
    assert!(
        told.contains("LIVENESS_BODY_MEMORY: must be at least 8072046"),
        "{told}"
    );
}
