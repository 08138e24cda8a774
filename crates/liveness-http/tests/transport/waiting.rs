//! A phone that waits for its answer to change: `docs/api.md#waiting`.

use std::thread;

use serde_json::json;

use crate::engine::{Engine, on_each_engine};
use crate::metrics::{metric, wait_for};
use crate::server::{Answer, Server, customer, report};
use crate::wire::{STATUS, SUBMIT, UPDATE, Wire, bearer, head, post, settled_log};

const WAITING: &str = "liveness_callers_waiting";
const IN_FLIGHT: &str = "liveness_requests_in_flight";

/// Asks for a user's status with these preferences, and does not read the answer.
fn ask(server: &Server, user: i64, prefer: &str) -> Wire {
    let authorization = bearer(&customer(user));
    let headers = [
        ("Authorization", &*authorization),
        ("Prefer", prefer),
        ("Content-Length", "0"),
    ];
    let mut wire = Wire::to(server);
    wire.send(head(STATUS, &headers));
    wire
}

/// The same, once it waits.
fn wait(server: &Server, user: i64, prefer: &str) -> Wire {
    let wire = ask(server, user, prefer);
    wait_for(server, WAITING, 1.0);
    wait_for(server, IN_FLIGHT, 0.0);
    wire
}

/// The answer says whether the user has passed, and how long the call could have waited.
fn assert_told(answer: &Answer, has_passed: bool, applied: Option<&str>) {
    assert_eq!(answer.codes(), (200, "00"), "{answer:?}");
    assert_eq!(answer.data()["HasCompletedLivenessCheck"], has_passed, "{answer:?}");
    assert_eq!(answer.header("preference-applied"), applied, "{answer:?}");
}

fn submit(server: &Server, user: i64, session: &str) {
    let answer = server.send(SUBMIT, &customer(user), &report(session, true));
    assert_eq!(answer.codes(), (200, "00"), "{answer:?}");
}

fn who_waits_is_answered_once_they_have_passed(engine: Engine) {
    let server = Server::start(engine);
    let mut waiting = wait(&server, 1, "respond-async, wait=30");

    submit(&server, 2, "of another user");
    server.send(UPDATE, &customer(1), &report("failed", false));
    submit(&server, 1, "passed");

    let answer = waiting.answer();
    assert_told(&answer, true, Some("wait=30"));
    assert_eq!(answer.data()["SessionId"], "passed");
    wait_for(&server, WAITING, 0.0);
}

fn who_waits_on_one_node_is_answered_once_they_have_passed_on_another(engine: Engine) {
    let one = Server::start(engine);
    let other = one.beside();
    let mut waiting = wait(&one, 1, "wait=30");

    submit(&other, 1, "passed");

    assert_told(&waiting.answer(), true, Some("wait=30"));
}

fn who_waits_in_vain_is_told_so(engine: Engine) {
    let server = Server::start(engine);

    assert_told(&ask(&server, 1, "wait=1").answer(), false, Some("wait=1"));

    assert!(settled_log(&server).contains("waited_ms="), "{}", server.log());
}

fn who_waits_when_the_host_ends_is_answered(engine: Engine) {
    let mut server = Server::start(engine);
    let mut waiting = wait(&server, 1, "wait=30");

    server.signal("TERM");

    assert_told(&waiting.answer(), false, Some("wait=30"));
    assert!(server.wait().success());
    assert!(!server.log().contains("requests unanswered"), "{}", server.log());
}

on_each_engine! {
    who_waits_is_answered_once_they_have_passed,
    who_waits_on_one_node_is_answered_once_they_have_passed_on_another,
    who_waits_in_vain_is_told_so,
    who_waits_when_the_host_ends_is_answered,
}

#[test]
fn who_has_passed_is_answered_at_once() {
    let server = Server::start(Engine::Sqlite);
    submit(&server, 1, "passed");

    assert_told(&ask(&server, 1, "wait=99").answer(), true, Some("wait=30"));
}

#[test]
fn without_the_header_or_with_one_that_asks_for_nothing_the_answer_is_as_ever() {
    let server = Server::start(Engine::Sqlite);
    let (authorization, id) = (bearer(&customer(1)), "same");
    let plain = [("Authorization", &*authorization), ("X-Request-Id", id)];
    let expected = post(&server, STATUS, &plain, "");
    assert_told(&expected, false, None);
    let names: Vec<_> = expected.headers.keys().map(|name| name.as_str()).collect();
    let known = [
        "content-length",
        "content-type",
        "cache-control",
        "x-content-type-options",
        "x-request-id",
        "date",
    ];
    assert!(names.iter().all(|name| known.contains(name)), "{names:?}");

    for prefer in ["wait", "wait=0", "wait=soon, wait=30", "return=minimal", "wait=-1"] {
        let headers = [&plain[..], &[("Prefer", prefer)]].concat();
        let answer = post(&server, STATUS, &headers, "");
        assert_eq!(answer.json, expected.json, "{prefer}");
        let without_date = |answer: &Answer| {
            let mut headers = answer.headers.clone();
            headers.remove("date");
            headers
        };
        assert_eq!(without_date(&answer), without_date(&expected), "{prefer}");
    }
    let recorded = {
        let headers = [
            &plain[..],
            &[("Prefer", "wait=30"), ("Content-Type", "application/json")],
        ]
        .concat();
        post(&server, SUBMIT, &headers, report("s", true).to_string())
    };
    assert_eq!(
        (recorded.codes(), recorded.header("preference-applied")),
        ((200, "00"), None)
    );
}

#[test]
fn who_waits_keeps_nobody_from_sending() {
    let settings = [("LIVENESS_MAX_REQUESTS_IN_FLIGHT", "1")];
    let server = Server::with(Engine::Sqlite, &settings);
    let mut waiting = wait(&server, 1, "wait=30");
    let metric_of_time = format!("liveness_message_duration_seconds_count{{message=\"{STATUS}\"}}");
    assert_eq!(metric(&server, &metric_of_time), 0.0);

    submit(&server, 1, "passed");

    assert_told(&waiting.answer(), true, Some("wait=30"));
    wait_for(&server, &metric_of_time, 1.0);
}

#[test]
fn a_user_who_waits_too_often_and_one_too_many_are_answered_at_once() {
    // Three quarters of the connections may wait.
    let server = Server::with(Engine::Sqlite, &[("LIVENESS_MAX_CONNECTIONS", "16")]);
    let mut waiting: Vec<_> = (0..8).map(|_| ask(&server, 1, "wait=30")).collect();
    wait_for(&server, WAITING, 8.0);
    assert_told(&ask(&server, 1, "wait=30").answer(), false, None);
    waiting.extend((2..6).map(|user| ask(&server, user, "wait=30")));
    wait_for(&server, WAITING, 12.0);

    assert_told(&ask(&server, 9, "wait=30").answer(), false, None);
    for user in 1..6 {
        submit(&server, user, &format!("session of {user}"));
    }

    for wire in &mut waiting {
        assert_told(&wire.answer(), true, Some("wait=30"));
    }
    assert_told(&ask(&server, 9, "wait=1").answer(), false, Some("wait=1"));
}

#[test]
fn who_goes_away_waits_no_longer() {
    let server = Server::start(Engine::Sqlite);
    let waiting = wait(&server, 1, "wait=30");

    drop(waiting);

    wait_for(&server, WAITING, 0.0);
}

#[test]
fn who_sends_nothing_more_and_reads_on_is_answered_at_once() {
    let server = Server::start(Engine::Sqlite);
    let mut waiting = wait(&server, 1, "wait=30");

    waiting.finish();

    assert_told(&waiting.answer(), false, Some("wait=30"));
}

#[test]
fn one_connection_waits_again_and_again() {
    let server = Server::start(Engine::Sqlite);
    let authorization = bearer(&customer(1));
    let headers = [
        ("Authorization", &*authorization),
        ("Prefer", "wait=1"),
        ("Content-Length", "0"),
    ];
    let mut wire = Wire::to(&server);
    for _ in 0..2 {
        wire.send(head(STATUS, &headers));
        assert_told(&wire.answer(), false, Some("wait=1"));
    }
    submit(&server, 1, "passed");
    wire.send(head(STATUS, &headers));
    assert_told(&wire.answer(), true, Some("wait=1"));
}

#[test]
fn many_who_wait_for_one_user_are_answered_together() {
    let server = Server::start(Engine::Sqlite);
    let mut waiting: Vec<_> = (0..8).map(|_| ask(&server, 1, "wait=30")).collect();
    wait_for(&server, WAITING, 8.0);

    submit(&server, 1, "passed");

    thread::scope(|scope| {
        for wire in &mut waiting {
            scope.spawn(|| assert_told(&wire.answer(), true, Some("wait=30")));
        }
    });
    assert_eq!(
        server.send(STATUS, &customer(1), &json!({})).data()["SessionId"],
        "passed"
    );
}
