//! Idempotency keys and session ownership, through HTTP.

use serde_json::{Value, json};

use crate::engine::{Engine, on_each_engine};
use crate::server::{Answer, Server, admin, customer, report};

pub fn submit(server: &Server, user: i64, key: &str, body: &Value) -> Answer {
    let token = format!("Bearer {}", customer(user));
    let headers = [("Authorization", &*token), ("Idempotency-Key", key)];
    server.request("SubmitLivenessCheckCommand", &headers, body.to_string().as_bytes())
}

/// How many are listed.
pub fn records(server: &Server) -> i64 {
    let listed = server.send("RetrieveLivenessChecksQuery", &admin(), &json!({}));
    listed.data()["TotalCount"].as_i64().unwrap()
}

fn the_same_key_with_the_same_body_answers_the_first_answer_again(engine: Engine) {
    let server = Server::start(engine);

    let first = submit(&server, 1, "key-1", &report("s-1", true));
    let second = submit(&server, 1, "key-1", &report("s-1", true));

    assert_eq!((first.codes(), &first.json), (second.codes(), &second.json));
    assert_eq!(records(&server), 1);
}

fn the_same_key_with_another_body_is_a_conflict(engine: Engine) {
    let server = Server::start(engine);

    submit(&server, 1, "key-1", &report("s-1", true));
    let other = submit(&server, 1, "key-1", &report("s-2", true));

    assert_eq!(other.codes(), (409, "94"));
    assert_eq!(records(&server), 1);
}

fn a_key_belongs_to_its_user_and_its_command(engine: Engine) {
    let server = Server::start(engine);
    let token = format!("Bearer {}", customer(1));
    let headers = [("Authorization", &*token), ("Idempotency-Key", "key-1")];
    let body = report("s-1", true);

    let first = submit(&server, 1, "key-1", &body);
    let by_another = submit(&server, 2, "key-1", &report("s-2", true));
    let update = server.request("UpdateLivenessCheckCommand", &headers, body.to_string().as_bytes());

    let ids = [&first, &by_another, &update].map(|answer| answer.data()["id"].as_i64().unwrap());
    assert_eq!(ids, [1, 2, 3]);
}

fn a_refused_command_keeps_no_key(engine: Engine) {
    let server = Server::start(engine);

    let refused = submit(&server, 1, "key-1", &report("s-1", false));
    let accepted = submit(&server, 1, "key-1", &report("s-1", true));

    assert_eq!((refused.codes(), accepted.codes()), ((422, "05"), (200, "00")));
}

fn a_key_that_is_none_is_named(engine: Engine) {
    let server = Server::start(engine);

    for key in ["", "with space", &"k".repeat(256)] {
        let answer = submit(&server, 1, key, &report("s-1", true));
        assert_eq!(answer.codes(), (400, "30"), "{key:?}");
        assert_eq!(answer.json["errors"][0]["field"], json!("Idempotency-Key"));
    }
    assert_eq!(records(&server), 0);
}

fn the_owner_of_a_session_may_record_it_again(engine: Engine) {
    let server = Server::start(engine);

    let first = submit(&server, 1, "key-1", &report("s-1", true));
    let again = submit(&server, 1, "key-2", &report(" s-1 ", true));
    let other = submit(&server, 2, "key-3", &report("s-1", true));

    assert_eq!(
        [first.codes(), again.codes(), other.codes()],
        [(200, "00"), (200, "00"), (409, "94")]
    );
}

fn a_body_never_says_whose_record_it_is(engine: Engine) {
    let server = Server::start(engine);
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

on_each_engine! {
    the_same_key_with_the_same_body_answers_the_first_answer_again,
    the_same_key_with_another_body_is_a_conflict,
    a_key_belongs_to_its_user_and_its_command,
    a_refused_command_keeps_no_key,
    a_key_that_is_none_is_named,
    the_owner_of_a_session_may_record_it_again,
    a_body_never_says_whose_record_it_is,
}
