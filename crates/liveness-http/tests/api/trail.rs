//! The audit trail of a running host: what was forged ends readiness, and no host starts with the key of another log.

use std::process::Output;

use liveness_core::trail::TrailKey;
use serde_json::json;

use crate::durability::until;
use crate::engine::{Engine, on_each_engine};
use crate::faults::execute;
use crate::server::{SECRET, Server, command, customer, report};

const SUBMIT: &str = "SubmitLivenessCheckCommand";
const KEY_FILE: &str = "LIVENESS_TRAIL_KEY_FILE";

/// A host that has recorded a check.
fn with_record(engine: Engine) -> Server {
    let server = Server::start(engine);
    let answer = server.send(SUBMIT, &customer(1), &report("session-1", true));
    assert_eq!(answer.status, 200, "{answer:?}");
    server
}

fn metrics(server: &Server) -> String {
    let url = format!("http://{}/metrics", server.address());
    ureq::get(url).call().unwrap().body_mut().read_to_string().unwrap()
}

fn an_entry_that_was_forged_ends_readiness(engine: Engine) {
    let server = with_record(engine);
    assert_eq!(server.get("/health/ready").status, 200);
    assert!(metrics(&server).contains("\nliveness_trail_findings_total 0\n"));

    // The next one of the host's own entries, by who does not have its key.
    let forged = "INSERT INTO liveness_audit_entries \
         (at, request_id, principal, roles, self_service_user_id, message, outcome, writer, writer_count) \
         SELECT at, 'forged', principal, roles, self_service_user_id, message, outcome, writer, writer_count + 1 \
         FROM liveness_audit_entries ORDER BY writer_count DESC LIMIT 1";
    execute(
        server.database(),
        &format!("PRAGMA busy_timeout = 5000; {forged}"),
        forged,
    );

    until(|| server.get("/health/ready").status == 503);
    let told = |line: &str| {
        line.contains("ERROR")
            && line.contains("the audit trail was tampered with: audit entry ")
            && line.contains(" was put in or changed: who wrote it does not have the key of the trail")
    };
    // The line comes by another way than the answer.
    let lines = || server.log().lines().filter(|line| told(line)).count();
    until(|| lines() > 0);
    assert_eq!(lines(), 1, "{}", server.log());
    let counted = metrics(&server);
    assert!(counted.contains("\nliveness_trail_findings_total 1\n"), "{counted}");
    // Nobody is kept from being recorded by it.
    assert_eq!(server.get("/health/live").status, 200);
    let status = server.send("CheckLivenessStatusQuery", &customer(1), &json!({}));
    assert_eq!(status.status, 200);
}

/// How a host starts again on the database of one that has ended.
fn start_again(server: &Server, key_file: &str) -> (Option<i32>, String) {
    let Output { status, stderr, .. } = command(&["serve"])
        .env("LIVENESS_JWT_SECRET", SECRET)
        .env("LIVENESS_BIND", "127.0.0.1:0")
        .env("RUST_LOG", "error")
        .envs(server.database().settings())
        .env(KEY_FILE, key_file)
        .current_dir(server.database().folder())
        .output()
        .unwrap();
    (status.code(), String::from_utf8(stderr).unwrap())
}

fn a_host_does_not_start_with_the_key_of_another_log(engine: Engine) {
    let mut server = with_record(engine);
    server.signal("TERM");
    assert!(server.wait().success());
    let other = server.database().folder().join("other.pem");
    std::fs::write(&other, TrailKey::generate().unwrap().pem.as_str()).unwrap();

    let (code, told) = start_again(&server, "other.pem");

    assert_eq!((code, told.lines().count()), (Some(1), 1), "{told}");
    let log = server.database().trail_key().origin().to_owned();
    assert!(
        told.starts_with("liveness-http: LIVENESS_TRAIL_KEY_FILE: other.pem is the key of the log "),
        "{told}"
    );
    assert!(
        told.contains(&format!("in the database is the log {log:?}, signed with another key")),
        "{told}"
    );
    let own = server.database().trail_key_file();
    let server = server.restart();
    assert_eq!(server.get("/health/ready").status, 200, "with {}", own.display());
}

#[test]
fn a_host_whose_key_was_lost_makes_no_other() {
    let mut server = with_record(Engine::Sqlite);
    server.signal("TERM");
    assert!(server.wait().success());
    std::fs::remove_file(server.database().trail_key_file()).unwrap();

    let (code, told) = start_again(&server, "");

    assert_eq!((code, told.lines().count()), (Some(1), 1), "{told}");
    assert!(
        told.starts_with(
            "liveness-http: LIVENESS_TRAIL_KEY_FILE: liveness.trail.pem is not there, and the audit trail"
        ),
        "{told}"
    );
    assert!(!server.database().trail_key_file().exists());
}

#[test]
#[ignore = "needs PostgreSQL: .ci/test"]
fn with_postgresql_a_host_does_not_start_without_a_key() {
    let mut server = with_record(Engine::Postgres);
    server.signal("TERM");
    assert!(server.wait().success());

    let (code, told) = start_again(&server, "");

    assert_eq!(code, Some(1));
    assert_eq!(
        told,
        "liveness-http: LIVENESS_TRAIL_KEY_FILE: with PostgreSQL, name the file with the key of the audit trail, the same on \
         all nodes; `liveness-http trail key --new FILE` makes one\n"
    );
}

on_each_engine! {
    an_entry_that_was_forged_ends_readiness,
    a_host_does_not_start_with_the_key_of_another_log,
}
