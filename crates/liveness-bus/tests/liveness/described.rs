//! The descriptions of the messages agree with `docs/api.md`, and with what the bus accepts and answers.

use std::collections::BTreeSet;

use liveness_bus::testing::TestBus;
use liveness_bus::{Access, Description, FieldError};
use serde_json::{Value, json};

use crate::documented::{API, answer, chapter, customer, examples, with_the_documented_record};
use crate::report::{
    ERASE_FACE, ERASE_USER, GET, GET_RECEIPT, GET_RECORD, LIFT_HOLD, PLACE_HOLD, RETRIEVE_ENTRIES, REVIEW, UNLOCK,
};

/// All messages with their descriptions.
#[expect(clippy::unwrap_used, reason = "every message of ours is described")]
fn described(world: &TestBus) -> Vec<(&'static str, Access, Description)> {
    let messages = world.bus().messages().into_iter();
    messages
        .map(|meta| {
            (
                meta.name(),
                meta.access(),
                world.bus().description(meta.name()).unwrap(),
            )
        })
        .collect()
}

#[test]
fn the_examples_are_those_of_the_document() {
    for (message, _, description) in described(&TestBus::new()) {
        let documented = examples(message);
        let curl = chapter(message);
        let sent = curl
            .split("--data '")
            .skip(1)
            .map(|data| data.split('\'').next().unwrap());
        let sent: Vec<Value> = sent.map(|data| serde_json::from_str(data).unwrap()).collect();
        let told = description.examples().unwrap();
        assert!(!told.is_empty(), "{message}");
        for example in told {
            assert!(
                documented.contains(&example.request) || sent.contains(&example.request),
                "{message}: {:?}",
                example.request
            );
            let mut answer = json!({ "isSuccessful": true, "statusCode": "00", "data": example.answer.data });
            if let Some(sentence) = example.answer.message {
                answer["message"] = sentence.into();
            }
            assert!(documented.contains(&answer), "{message}: {answer}");
        }
    }
}

#[tokio::test]
async fn the_requests_of_the_examples_are_taken_and_answered_with_their_sentences() {
    for (message, access, description) in described(&TestBus::new()) {
        // What an example erases is not there for the next.
        let world = with_the_documented_record().await;
        if message == LIFT_HOLD {
            let held = json!({"userId": 1234, "reason": "why"}).to_string();
            world.dispatch(PLACE_HOLD, &held, &world.officer()).await.unwrap();
        }
        let context = match access {
            Access::Role("auditor") => world.auditor(),
            Access::Role("officer") => world.officer(),
            access if access.needs_user() => customer(&world),
            _ => world.admin(),
        };
        let examples = description.examples().unwrap();
        let told: Vec<_> = examples.iter().map(|example| example.answer.message.clone()).collect();
        for mut example in examples {
            if [GET_RECORD, GET_RECEIPT, ERASE_FACE, REVIEW].contains(&message) {
                example.request["id"] = json!(1);
            }
            let answer = answer(&world, message, &example.request, &context).await;
            let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<BTreeSet<_>>();
            assert_eq!(keys(&answer["data"]), keys(&example.answer.data), "{message}");
            let sentence = answer.get("message").and_then(Value::as_str);
            assert!(told.contains(&sentence.map(str::to_owned)), "{message}: {sentence:?}");
            // The specification shows one answer without a sentence.
            assert_eq!(sentence.is_none(), message == GET, "{message}");
        }
    }
}

#[test]
fn what_must_be_given_is_required_and_nothing_else() {
    let required = |description: &Description| {
        let mut generator = Default::default();
        let schema = description.request(&mut generator).to_value();
        let mut required: Vec<String> = Vec::new();
        let all = [&schema].into_iter().chain(generator.definitions().values());
        for names in all.filter_map(|schema| schema.get("required")?.as_array()) {
            required.extend(names.iter().map(|name| name.as_str().unwrap().to_owned()));
        }
        required
    };
    let expected: [(&str, &[&str]); 16] = [
        ("CheckLivenessStatusQuery", &[]),
        (ERASE_FACE, &["id", "reason"]),
        (ERASE_USER, &["userId", "reason"]),
        ("GetLivenessCheckQuery", &["id"]),
        (GET_RECEIPT, &["id"]),
        ("GetUserLivenessCheckQuery", &["userId"]),
        (LIFT_HOLD, &["userId", "reason"]),
        (PLACE_HOLD, &["userId", "reason"]),
        (RETRIEVE_ENTRIES, &[]),
        ("RetrieveLivenessChecksQuery", &[]),
        ("RetrieveMyLivenessChecksQuery", &[]),
        (REVIEW, &["id", "decision", "reason", "decisionsSeen"]),
        ("StartLivenessSessionCommand", &[]),
        ("SubmitLivenessCheckCommand", &["sessionId", "isSuccessful"]),
        (UNLOCK, &["userId", "reason"]),
        ("UpdateLivenessCheckCommand", &["sessionId", "isSuccessful"]),
    ];
    let found = described(&TestBus::new());
    assert_eq!(found.len(), expected.len());
    for ((message, _, description), (name, fields)) in found.iter().zip(expected) {
        assert_eq!(
            (*message, &required(description)[..]),
            (name, &fields.iter().map(|&f| f.to_owned()).collect::<Vec<_>>()[..])
        );
    }
}

#[test]
fn the_codes_of_field_errors_are_those_of_the_document() {
    let table = API
        .split("| code | the field |\n| --- | --- |\n")
        .nth(1)
        .unwrap()
        .split("\n\n")
        .next()
        .unwrap();
    let documented: Vec<&str> = table.lines().map(|line| line.split('`').nth(1).unwrap()).collect();
    assert_eq!(FieldError::CODES.map(|(code, _)| code)[..], documented[..]);
}
