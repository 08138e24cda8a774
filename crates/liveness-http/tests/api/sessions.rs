//! Sessions that the server issues, over HTTP: what binds, what is refused, and by which codes, on one host and on two.

use std::fs;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::audit::entries;
use crate::concurrency::at_once;
use crate::durability::until;
use crate::engine::{Engine, on_each_engine};
use crate::faults::execute;
use crate::recording::records;
use crate::server::{Answer, Server, customer, report};

const START: &str = "StartLivenessSessionCommand";
const SUBMIT: &str = "SubmitLivenessCheckCommand";

/// A server whose policy requires sessions that last for so long, and the folder of the policy.
fn requiring(engine: Engine, ttl: &str) -> (Server, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("policy.toml");
    let policy = format!("base = \"record\"\n[session]\nrequired = true\nttl = \"{ttl}\"\n");
    fs::write(&file, policy).unwrap();
    let policy = [("LIVENESS_POLICY", file.to_str().unwrap())];
    (Server::with(engine, &policy), folder)
}

fn start(server: &Server, user: i64) -> Value {
    let started = server.send(START, &customer(user), &json!({}));
    assert_eq!(started.codes(), (200, "00"), "{started:?}");
    started.data().clone()
}

fn id_of(session: &Value) -> &str {
    session["sessionId"].as_str().unwrap()
}

/// Submits a run of the customer 7, under a key if there is one.
fn submit(server: &Server, key: Option<&str>, body: &Value) -> Answer {
    let authorization = format!("Bearer {}", customer(7));
    let mut headers = vec![("Authorization", authorization.as_str())];
    headers.extend(key.map(|key| ("Idempotency-Key", key)));
    server.request(SUBMIT, &headers, body.to_string().as_bytes())
}

fn a_session_is_used_up_once_and_the_same_request_again_has_the_same_answer(engine: Engine) {
    let (server, _folder) = requiring(engine, "5m");
    let session = start(&server, 7);
    let keys: Vec<_> = session.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["sessionId", "challenges", "expiresAt", "attemptsLeft"]);
    let body = json!({"sessionId": "sdk-1", "issuedSessionId": id_of(&session), "isSuccessful": true});

    let recorded = submit(&server, Some("key-1"), &body);
    let again = submit(&server, Some("key-1"), &body);
    let used_up = submit(&server, Some("key-2"), &body);

    assert_eq!((recorded.codes(), &recorded.json), ((200, "00"), &again.json));
    assert_eq!(used_up.codes(), (409, "94"));
    assert_eq!(used_up.json["message"], "The session was used up by another report.");
    assert_eq!(records(&server), 1);
}

fn what_was_not_issued_to_the_caller_is_409_in_the_same_words(engine: Engine) {
    let (server, _folder) = requiring(engine, "5m");
    let of_another = start(&server, 8);

    let words = [id_of(&of_another), "lvs_AAAAAAAAAAAAAAAAAAAAAA"].map(|id| {
        let refused = submit(&server, None, &report(id, true));
        assert_eq!(refused.codes(), (409, "94"), "{id}");
        refused.json["message"].clone()
    });
    let without = submit(&server, None, &report("sdk-1", true));

    assert_eq!(words[0], words[1]);
    assert_eq!(without.codes(), (409, "94"));
    assert_eq!(records(&server), 0);
}

fn what_has_expired_is_410_and_not_issued_once_it_is_swept(engine: Engine) {
    let (server, _folder) = requiring(engine, "1s");
    let session = start(&server, 7);
    let late = || submit(&server, None, &report(id_of(&session), true));
    // As if it had been issued an hour ago.
    let age = |hours: i64| {
        let aged = format!(
            "UPDATE liveness_issued_sessions SET expires_at = expires_at - {}",
            hours * 3_600_000
        );
        execute(server.database(), &format!("PRAGMA busy_timeout = 5000; {aged}"), &aged);
    };
    age(1);
    assert_eq!(late().codes(), (410, "25"));

    // The job is due after an hour. Here it is due at once.
    age(24);
    let due = "UPDATE liveness_jobs SET run_at = 1, takeable_at = 1 WHERE kind = 'sessions.sweep' AND owner IS NULL";
    until(|| {
        execute(server.database(), &format!("PRAGMA busy_timeout = 5000; {due}"), due);
        late().codes() == (409, "94")
    });

    let swept = entries(&server)
        .into_iter()
        .any(|entry| entry.message == "sessions sweep");
    assert!(swept);
}

/// On SQLite one host serves a database, on the other engines two.
fn of_forty_reports_at_once_of_one_session_one_is_recorded(engine: Engine) {
    let (one, _folder) = requiring(engine, "5m");
    let other = match engine {
        Engine::Sqlite => None,
        Engine::Postgres | Engine::Citus => Some(one.beside()),
    };
    let nodes: Vec<_> = [Some(&one), other.as_ref()].into_iter().flatten().collect();
    let session = start(&one, 7);

    let answers = at_once(40, |index| {
        let body = if (index / 2).is_multiple_of(2) {
            report(id_of(&session), true)
        } else {
            json!({"sessionId": format!("sdk-{index}"), "issuedSessionId": id_of(&session), "isSuccessful": true})
        };
        submit(nodes[index % nodes.len()], None, &body)
    });

    let count = |codes| answers.iter().filter(|answer| answer.codes() == codes).count();
    assert_eq!((count((200, "00")), count((409, "94"))), (1, 39), "{answers:?}");
    assert_eq!(records(&one), 1);
    let left = entries(&one);
    let of = |outcome| {
        left.iter()
            .filter(|entry| entry.message == SUBMIT && entry.outcome == outcome)
            .count()
    };
    assert_eq!((of("00"), of("94")), (1, 39));
}

on_each_engine! {
    a_session_is_used_up_once_and_the_same_request_again_has_the_same_answer,
    of_forty_reports_at_once_of_one_session_one_is_recorded,
    what_has_expired_is_410_and_not_issued_once_it_is_swept,
    what_was_not_issued_to_the_caller_is_409_in_the_same_words,
}
