//! Under the policy `record`, the five APIs answer as they did before there were sessions, verdicts and decisions: each answer of
//! a run that was recorded with the release before is the same today.
//!
//! In the file, `FACE` stands for the face in Base64, and `TIME` for any time.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use liveness_core::Timestamp;
use serde_json::{Value, json};

use crate::engine::{Engine, on_each_engine};
use crate::server::{FACE, Server, admin, customer, token};

const BEFORE: &str = include_str!("recorded_run/before_the_proof.json");

/// The token of a role in the file.
fn token_of(role: &str) -> Option<String> {
    let jane = json!({
        "sub": "1234", "role": "customer", "email": "customer@example.com", "given_name": "Jane", "family_name": "Doe",
    });
    match role {
        "customer" => Some(token(&jane)),
        "other" => Some(customer(77)),
        "admin" => Some(admin()),
        "none" => None,
        other => panic!("the file has a role {other}"),
    }
}

/// Puts the words of the file for what differs from run to run. The verdict of an item was null before, and is no claim.
fn normal(mut answer: Value, face: &str) -> Value {
    match &mut answer {
        Value::String(text) if text.ends_with('Z') && text.parse::<Timestamp>().is_ok() => json!("TIME"),
        Value::String(text) => json!(text.replace(face, "FACE")),
        Value::Array(values) => values.iter_mut().map(|value| normal(value.take(), face)).collect(),
        Value::Object(fields) => {
            for (name, value) in fields.iter_mut() {
                *value = normal(value.take(), face);
                if name == "Verdict" {
                    assert!(
                        [json!("accepted"), json!("review"), json!("rejected")].contains(value),
                        "{value}"
                    );
                    *value = Value::Null;
                }
            }
            answer
        }
        _ => answer,
    }
}

fn every_answer_is_that_of_the_release_before(engine: Engine) {
    let server = Server::start(engine);
    let face = STANDARD.encode(FACE);
    let run: Vec<Value> = serde_json::from_str(BEFORE).unwrap();
    assert_eq!(run.len(), 57);
    for step in run {
        let text = |name: &str| step[name].as_str();
        let authorization = token_of(text("role").unwrap()).map(|token| format!("Bearer {token}"));
        let mut headers = vec![("Content-Type", "application/json"), ("User-Agent", "sdk")];
        headers.extend(authorization.as_deref().map(|token| ("Authorization", token)));
        headers.extend(text("key").map(|key| ("Idempotency-Key", key)));
        let body = text("body").unwrap().replace("FACE", &face);

        let answer = server.request(text("message").unwrap(), &headers, body.as_bytes());

        let today = (json!(answer.status), normal(answer.json, &face));
        assert_eq!(today, (step["status"].clone(), step["answer"].clone()), "{step}");
    }
}

on_each_engine! {
    every_answer_is_that_of_the_release_before,
}
