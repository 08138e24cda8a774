//! What reaches the log of a PostgreSQL server of what is recorded: the settings that `doctor` asks for keep values out.

use std::fs;
use std::process::Command;

use serde_json::json;

use crate::cluster::Cluster;
use crate::node::{Node, SECRET, customer};
use crate::trail_key_file::trail_key_file;

const CANARY: &str = "canary-in-the-metadata";
/// A session that the server refuses, so that it quotes the row.
const REFUSED: &str = "canary-in-the-session";
const LOGS_STATEMENTS: (&str, &str) = ("log_min_duration_statement", "0");
const KEEPS_VALUES_OUT: [(&str, &str); 3] = [
    ("log_parameter_max_length", "0"),
    ("log_parameter_max_length_on_error", "0"),
    ("log_error_verbosity", "terse"),
];

/// What `doctor` prints, and what a node and the server log of two records, of which the server refuses one.
struct Told {
    doctor: String,
    node: String,
    server: String,
}

fn record_on(settings: &[(&str, &str)]) -> Told {
    let cluster = Cluster::with(settings);
    cluster.psql("postgres", "CREATE DATABASE liveness");
    let node = Node::start(&cluster.url("liveness"));
    node.wait_until_ready();
    let check = format!("ALTER TABLE liveness_checks ADD CHECK (session_id <> '{REFUSED}')");
    cluster.psql("liveness", &check);
    let submit = |session| {
        let body = json!({ "sessionId": session, "isSuccessful": true, "metadata": { "note": CANARY } });
        let answer = node.send("SubmitLivenessCheckCommand", &customer(1), None, &body);
        answer.unwrap().status
    };
    assert_eq!((submit("session-1"), submit(REFUSED)), (200, 500));
    let doctor = Command::new(env!("CARGO_BIN_EXE_liveness-http"))
        .arg("doctor")
        .env_clear()
        .env("LIVENESS_JWT_SECRET", SECRET)
        .env("LIVENESS_BIND", "127.0.0.1:0")
        .env("LIVENESS_DATABASE_URL", cluster.url("liveness"))
        .env("LIVENESS_TRAIL_KEY_FILE", trail_key_file())
        .output()
        .unwrap();
    assert!(doctor.status.success(), "{doctor:?}");
    // The test's own statement has the name of the session too.
    let server = fs::read_to_string(cluster.folder().join("log")).unwrap();
    Told {
        doctor: String::from_utf8(doctor.stdout).unwrap(),
        node: node.log(),
        server: server.replace(&check, "").replace(&format!("<> '{REFUSED}'"), ""),
    }
}

#[test]
#[ignore = "needs PostgreSQL: .ci/test"]
fn a_server_that_logs_values_is_warned_of_and_the_settings_asked_for_keep_them_out() {
    let loose = record_on(&[LOGS_STATEMENTS, ("log_parameter_max_length_on_error", "-1")]);
    for told in [&loose.doctor, &loose.node] {
        for setting in ["log_min_duration_statement=0", "log_parameter_max_length_on_error=-1"] {
            let warns = |line: &str| line.to_lowercase().contains("warn") && line.contains(setting);
            assert!(told.lines().any(warns), "{told}");
        }
    }
    for (name, value) in KEEPS_VALUES_OUT {
        assert!(loose.doctor.contains(&format!("{name} = {value}")), "{}", loose.doctor);
    }
    for canary in [CANARY, REFUSED] {
        assert!(loose.server.contains(canary), "{canary}");
    }

    let tight = record_on(&[&[LOGS_STATEMENTS], &KEEPS_VALUES_OUT[..]].concat());
    assert!(
        tight.doctor.contains("ok       server's log: no value"),
        "{}",
        tight.doctor
    );
    // It logs what was done all the same.
    assert!(tight.server.contains("liveness_checks") && tight.server.contains("violates check constraint"));
    for canary in [CANARY, REFUSED] {
        assert!(!tight.server.contains(canary), "{}", tight.server);
    }
}

#[test]
#[ignore = "needs PostgreSQL: .ci/test"]
fn a_server_as_it_comes_logs_no_statement_and_quotes_what_it_refuses() {
    let told = record_on(&[]);

    let hint = "hint     server's log: log_error_verbosity=default: when it refuses a row or a key";
    assert!(told.doctor.contains(hint), "{}", told.doctor);
    // Of faces in clear.
    assert!(told.doctor.contains("warnings: 1"), "{}", told.doctor);
    assert!(told.server.contains(REFUSED), "{}", told.server);
    // Nor does our own log quote it.
    assert!(
        !told.node.contains(REFUSED) && !told.node.contains(CANARY),
        "{}",
        told.node
    );
}
