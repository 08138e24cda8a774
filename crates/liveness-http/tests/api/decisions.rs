//! Decisions over HTTP: on two nodes at once, and never about a record of one's own.

use serde_json::{Value, json};

use crate::concurrency::at_once;
use crate::engine::{Engine, on_each_engine};
use crate::server::{Server, admin, customer, token};

fn reviewer(name: &str) -> String {
    token(&json!({ "sub": name, "role": "admin" }))
}

fn decide(server: &Server, token: &str, seen: i64) -> (u16, Value) {
    let body =
        json!({"id": 1, "decision": "approve", "reason": "The face is that of the passport", "decisionsSeen": seen});
    let answer = server.send("ReviewLivenessCheckCommand", token, &body);
    (answer.status, answer.json)
}

/// A record of user 7.
fn recorded(engine: Engine) -> Server {
    let server = Server::start(engine);
    let run = json!({"sessionId": "session-1", "isSuccessful": true});
    let answer = server.send("SubmitLivenessCheckCommand", &customer(7), &run);
    assert_eq!(answer.status, 200, "{:?}", answer.json);
    server
}

fn of_twenty_reviewers_at_once_on_two_nodes_one_decides(engine: Engine) {
    let one = recorded(engine);
    let nodes = [one.beside(), one];

    let answers = at_once(20, |index| {
        decide(&nodes[index % 2], &reviewer(&format!("reviewer-{index}")), 0).0
    });

    let count = |status| answers.iter().filter(|answer| **answer == status).count();
    assert_eq!((count(200), count(409)), (1, 19), "{answers:?}");
    for node in &nodes {
        let listed = node.send("RetrieveLivenessChecksQuery", &admin(), &json!({"decision": "approve"}));
        assert_eq!(listed.json["data"]["TotalCount"], 1);
    }
}

fn an_administrator_who_is_the_user_does_not_decide(engine: Engine) {
    let server = recorded(engine);
    let own = [
        json!({ "sub": "7", "role": "admin" }),
        json!({ "sub": 7, "role": ["customer", "admin"] }),
        json!({ "sub": "USR-00000007", "role": "admin" }),
    ];
    for claims in own {
        let (status, refused) = decide(&server, &token(&claims), 0);
        assert_eq!((status, &refused["statusCode"]), (403, &json!("57")), "{claims}");
    }
    assert_eq!(
        decide(&server, &token(&json!({ "sub": "77", "role": "admin" })), 0).0,
        200
    );
}

on_each_engine! {
    of_twenty_reviewers_at_once_on_two_nodes_one_decides,
    an_administrator_who_is_the_user_does_not_decide,
}
