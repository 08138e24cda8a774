//! What a policy file changes for callers, and what the privacy page says of it.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use liveness_core::FaceImage;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::audit::entries;
use crate::durability::until;
use crate::engine::{Engine, on_each_engine};
use crate::faults::execute;
use crate::server::{FACE, Server, admin, customer, report, token};

const POLICY: &str = "base = \"record\"\n[looks]\npurpose = true\nfaces_a_day = 2\n\
    [retention]\npassed = \"52w\"\nnot_passed = \"36h\"\nrotate = \"7d\"\n";

/// A server under a policy file, and the folder of the file.
fn under(engine: Engine, policy: &str, settings: &[(&str, &str)]) -> (Server, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("policy.toml");
    fs::write(&file, policy).unwrap();
    let file = [("LIVENESS_POLICY", file.to_str().unwrap())];
    (Server::with(engine, &[&file, settings].concat()), folder)
}

/// What a page answers: its head, and its body.
fn page(server: &Server, path: &str) -> (String, String) {
    let mut connection = TcpStream::connect(server.address()).unwrap();
    write!(
        connection,
        "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    )
    .unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.to_owned(), body.to_owned())
}

fn record_a_face(server: &Server) {
    let mut body = report("session-1", true);
    body["metadata"] = json!({ "verificationResult": true });
    body["imageBase64"] = json!(FaceImage::from_bytes(FACE.to_vec()).unwrap().to_data_uri());
    let recorded = server.send("SubmitLivenessCheckCommand", &customer(7), &body);
    assert_eq!(recorded.codes(), (200, "00"));
}

fn a_look_needs_a_purpose_and_a_look_too_many_is_429(engine: Engine) {
    let (server, _folder) = under(engine, POLICY, &[]);
    // Each look is at another node.
    let nodes = [server.beside(), server];
    record_a_face(&nodes[0]);
    let look = |node: &Server, who: &str, purpose: Value| {
        node.send("GetLivenessCheckQuery", who, &json!({ "id": 1, "purpose": purpose }))
    };

    let without = look(&nodes[0], &admin(), Value::Null);
    assert_eq!(without.codes(), (400, "30"));
    assert_eq!(without.json["errors"][0]["field"], "purpose");
    for node in &nodes {
        assert_eq!(look(node, &admin(), json!("Ticket 4711")).codes(), (200, "00"));
    }
    for node in &nodes {
        let refused = look(node, &admin(), json!("Ticket 4711"));
        assert_eq!(refused.codes(), (429, "65"));
        let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
        assert!((86_000..=86_400).contains(&wait), "{wait}");
        assert_eq!(refused.data(), &Value::Null);
    }
    let other = token(&json!({ "sub": "reviewer-2", "role": "admin" }));
    assert_eq!(look(&nodes[0], &other, json!("Ticket 4711")).codes(), (200, "00"));

    let looks = entries(&nodes[0]).into_iter();
    let looks = looks.filter(|entry| entry.message == "GetLivenessCheckQuery");
    let outcomes: Vec<_> = looks.map(|entry| entry.outcome.to_string()).collect();
    assert_eq!(outcomes, ["30", "00", "00", "65", "65", "00"]);
}

fn a_face_is_erased_by_the_job_once_it_is_old_enough(engine: Engine) {
    let policy = "base = \"record\"\n[retention]\npassed = \"1s\"\n";
    let (server, _folder) = under(engine, policy, &[]);
    record_a_face(&server);
    let shown = || {
        let answer = server.send("GetLivenessCheckQuery", &admin(), &json!({ "id": 1 }));
        answer.data()["LivenessCheck"].clone()
    };
    assert_eq!(shown()["HasImage"], true);

    // The job is due after a minute. Here it is due at once, again and again until the face is a second old.
    let due = "UPDATE liveness_jobs SET run_at = 1, takeable_at = 1 WHERE kind = 'faces.retention' AND owner IS NULL";
    until(|| {
        execute(server.database(), &format!("PRAGMA busy_timeout = 5000; {due}"), due);
        shown()["HasImage"] == false
    });

    let face = shown()["Face"].clone();
    assert_eq!(face["ErasedBecause"], "retention: passed, kept for 1 s", "{face}");
}

fn a_record_is_erased_by_the_job_once_it_is_old_enough(engine: Engine) {
    let policy = "base = \"record\"\n[retention]\nrecords = \"30d\"\n";
    let (server, _folder) = under(engine, policy, &[]);
    record_a_face(&server);
    let shown = || {
        let answer = server.send(
            "GetLivenessCheckQuery",
            &admin(),
            &json!({ "id": 1, "purpose": "jane has called" }),
        );
        answer.data()["LivenessCheck"].clone()
    };
    let before = shown();
    assert_eq!(
        (&before["HasImage"], before["DeviceInfo"].is_null()),
        (&json!(true), false)
    );

    // A month passes: the record is older, and the job is due.
    let older = "UPDATE liveness_checks SET created_at = created_at - 2678400000";
    execute(
        server.database(),
        &format!("PRAGMA busy_timeout = 5000; {older}"),
        older,
    );
    let due = "UPDATE liveness_jobs SET run_at = 1, takeable_at = 1 WHERE kind = 'records.retention' AND owner IS NULL";
    until(|| {
        execute(server.database(), &format!("PRAGMA busy_timeout = 5000; {due}"), due);
        shown()["HasImage"] == false
    });

    let after = shown();
    assert_eq!(
        after["Face"]["ErasedBecause"], "retention: record kept for 30 d",
        "{after}"
    );
    assert_eq!((&after["DeviceInfo"], &after["ClientIp"]), (&Value::Null, &Value::Null));
    assert_eq!(after["IsSuccessful"], true);
    let status = server.send("CheckLivenessStatusQuery", &customer(7), &json!({}));
    assert_eq!(status.data()["HasCompletedLivenessCheck"], true, "{status:?}");
    let decided = json!({ "id": 1, "decision": "approve", "reason": "seen", "decisionsSeen": 0 });
    let decided = server.send("ReviewLivenessCheckCommand", &admin(), &decided);
    assert_eq!(decided.codes(), (410, "25"));
}

#[test]
fn the_privacy_page_says_how_long_faces_and_records_are_kept() {
    let (server, _folder) = under(Engine::Sqlite, POLICY, &[("LIVENESS_FACE_KEYS", "file:keys")]);

    let (head, body) = page(&server, "/privacy");

    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
    for words in [
        "If the check was passed: 364 days. If it was not: 36 hours.",
        ">No limit is set.<",
        "The keys of backups are replaced every 7 days.",
        "Whoever looks has to say why.",
        "at faces 2 times in 24 hours at most",
        "Each look at a face leaves an entry in the audit trail",
        "As long as there is a hold, nothing of that person is erased",
        "<code>pad: none</code>",
    ] {
        assert!(body.contains(words), "{words} in {body}");
    }
}

#[test]
fn the_privacy_page_runs_nothing_and_asks_nobody() {
    let server = Server::start(Engine::Sqlite);

    let (head, body) = page(&server, "/privacy");
    let (style, _) = page(&server, "/privacy/style.css");

    let policy = "content-security-policy: default-src 'none'; style-src 'self'; form-action 'none'; base-uri 'none'; \
                  frame-ancestors 'none'\r\n";
    for head in [&head, &style] {
        assert!(head.to_ascii_lowercase().contains(policy), "{head}");
    }
    assert!(head.to_ascii_lowercase().contains("content-type: text/html"), "{head}");
    assert!(!body.contains("<script") && !body.contains("style="), "{body}");
    // Links are to itself only.
    assert_eq!(
        body.matches("href=").count(),
        body.matches("href=\"privacy/style.css\"").count()
    );
    assert!(
        body.contains(">No limit is set.<") && body.contains("Faces are not sealed here"),
        "{body}"
    );
}

on_each_engine! {
    a_face_is_erased_by_the_job_once_it_is_old_enough,
    a_record_is_erased_by_the_job_once_it_is_old_enough,
    a_look_needs_a_purpose_and_a_look_too_many_is_429,
}
