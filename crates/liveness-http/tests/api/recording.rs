//! Idempotency keys and session ownership, through HTTP and under concurrency.

use std::sync::Barrier;
use std::thread;

use serde_json::{Value, json};

use crate::server::{Answer, Server, admin, customer, report};

fn submit(server: &Server, user: i64, key: &str, body: &Value) -> Answer {
    let token = format!("Bearer {}", customer(user));
    let headers = [("Authorization", &*token), ("Idempotency-Key", key)];
    server.request("SubmitLivenessCheckCommand", &headers, body.to_string().as_bytes())
}

fn records(server: &Server) -> i64 {
    let listed = server.send("RetrieveLivenessChecksQuery", &admin(), &json!({}));
    listed.data()["TotalCount"].as_i64().unwrap()
}

/// Runs `call` on many threads at the same moment.
fn at_once<T: Send>(threads: usize, call: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let gate = Barrier::new(threads);
    let run = |index| {
        gate.wait();
        call(index)
    };
    thread::scope(|scope| {
        let run = &run;
        let running: Vec<_> = (0..threads).map(|index| scope.spawn(move || run(index))).collect();
        running.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

#[test]
fn the_same_key_with_the_same_body_answers_the_first_answer_again() {
    let server = Server::start();

    let first = submit(&server, 1, "key-1", &report("s-1", true));
    let second = submit(&server, 1, "key-1", &report("s-1", true));

    assert_eq!((first.codes(), &first.json), (second.codes(), &second.json));
    assert_eq!(records(&server), 1);
}

#[test]
fn the_same_key_with_another_body_is_a_conflict() {
    let server = Server::start();

    submit(&server, 1, "key-1", &report("s-1", true));
    let other = submit(&server, 1, "key-1", &report("s-2", true));

    assert_eq!(other.codes(), (409, "94"));
    assert_eq!(records(&server), 1);
}

#[test]
fn a_key_belongs_to_its_user_and_its_command() {
    let server = Server::start();
    let token = format!("Bearer {}", customer(1));
    let headers = [("Authorization", &*token), ("Idempotency-Key", "key-1")];
    let body = report("s-1", true);

    let first = submit(&server, 1, "key-1", &body);
    let by_another = submit(&server, 2, "key-1", &report("s-2", true));
    let update = server.request("UpdateLivenessCheckCommand", &headers, body.to_string().as_bytes());

    let ids = [&first, &by_another, &update].map(|answer| answer.data()["id"].as_i64().unwrap());
    assert_eq!(ids, [1, 2, 3]);
}

#[test]
fn a_refused_command_keeps_no_key() {
    let server = Server::start();

    let refused = submit(&server, 1, "key-1", &report("s-1", false));
    let accepted = submit(&server, 1, "key-1", &report("s-1", true));

    assert_eq!((refused.codes(), accepted.codes()), ((422, "05"), (200, "00")));
}

#[test]
fn a_key_that_is_none_is_named() {
    let server = Server::start();

    for key in ["", "with space", &"k".repeat(256)] {
        let answer = submit(&server, 1, key, &report("s-1", true));
        assert_eq!(answer.codes(), (400, "30"), "{key:?}");
        assert_eq!(answer.json["errors"][0]["field"], json!("Idempotency-Key"));
    }
    assert_eq!(records(&server), 0);
}

#[test]
fn one_key_used_many_times_at_once_records_once() {
    let server = Server::start();

    let answers = at_once(16, |_| submit(&server, 1, "key-1", &report("s-1", true)));

    assert!(
        answers
            .iter()
            .all(|answer| answer.codes() == (200, "00") && answer.json == answers[0].json)
    );
    assert_eq!(records(&server), 1);
}

#[test]
fn a_session_raced_for_belongs_to_one_user() {
    let server = Server::start();

    let answers = at_once(16, |user| {
        submit(&server, user as i64 + 1, "key", &report("contested", true))
    });

    let won = answers.iter().filter(|answer| answer.codes() == (200, "00")).count();
    let lost = answers.iter().filter(|answer| answer.codes() == (409, "94")).count();
    assert_eq!((won, lost, records(&server)), (1, 15, 1));
}

#[test]
fn the_owner_of_a_session_may_record_it_again() {
    let server = Server::start();

    let first = submit(&server, 1, "key-1", &report("s-1", true));
    let again = submit(&server, 1, "key-2", &report(" s-1 ", true));
    let other = submit(&server, 2, "key-3", &report("s-1", true));

    assert_eq!(
        [first.codes(), again.codes(), other.codes()],
        [(200, "00"), (200, "00"), (409, "94")]
    );
}

#[test]
fn a_body_never_says_whose_record_it_is() {
    let server = Server::start();
    let mut body = report("s-1", true);
    body["selfServiceUserId"] = json!(2);
    body["userId"] = json!(2);

    submit(&server, 1, "key-1", &body);

    let listed = server.send(
        "RetrieveLivenessChecksQuery",
        &admin(),
        &json!({ "selfServiceUserId": 1 }),
    );
    assert_eq!(listed.data()["TotalCount"], json!(1));
}
