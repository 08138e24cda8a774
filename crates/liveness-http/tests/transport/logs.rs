//! The log: one line a message, whatever is sent, as text and as JSON.

use serde_json::{Value, json};

use crate::engine::Engine;
use crate::server::{Server, customer, report, token};
use crate::wire::{CANARY, LIST, STATUS, UPDATE, bearer, post, settled_log};

/// Would be two lines, or another field, if it were written as it stands. The last has no control character.
const HOSTILE: [&str; 4] = [
    "x\r\n[2026-01-01T00:00:00Z INFO  liveness::message] forged",
    "x\" code=00 principal=\"admin",
    "\u{1b}[2K\u{9b}x",
    "x\u{2028}code=00\u{2029}",
];

/// Sends what is hostile wherever something can be sent, and gives back the log.
fn log_of_hostile_requests(format: &str) -> String {
    let server = Server::with(Engine::Sqlite, &[("LIVENESS_LOG_FORMAT", format)]);
    for text in HOSTILE {
        // A header cannot hold a line feed; that it is refused then is tested elsewhere.
        let header: String = text.chars().filter(|letter| !letter.is_control()).collect();
        let token = token(&json!({ "sub": text, "role": "admin" }));
        let authorization = bearer(&token);
        let headers = [
            ("Authorization", authorization.as_str()),
            ("Content-Type", "application/json"),
            ("X-Request-Id", header.as_str()),
            ("User-Agent", header.as_str()),
            ("X-App-Version", header.as_str()),
        ];
        let status = post(&server, LIST, &headers, json!({ "sessionId": text }).to_string()).status;
        let has_control = text.contains(char::is_control);
        assert_eq!(status, if has_control { 401 } else { 200 }, "{text:?}");
        let mut body = report(CANARY, true);
        body["imageBase64"] = json!(CANARY);
        assert_eq!(server.send(UPDATE, &customer(1), &body).status, 400);
        let unknown = server.send(CANARY, &token, &body).status;
        assert_eq!(unknown, if has_control { 401 } else { 404 });
        assert_eq!(server.send(&format!("{CANARY}%0Ax"), &token, &body).status, 404);
    }
    let answer = post(
        &server,
        STATUS,
        &[
            ("Authorization", &bearer(&customer(7))),
            ("X-Request-Id", "the-good-one"),
        ],
        "",
    );
    assert_eq!(answer.status, 200);
    let log = settled_log(&server);
    assert!(
        !log.contains(CANARY) && !log.contains("Bearer") && !log.contains("eyJ"),
        "{log}"
    );
    log
}

#[test]
fn every_line_of_json_is_an_object() {
    let log = log_of_hostile_requests("json");
    let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for line in &lines {
        let fields = line.as_object().unwrap();
        let time = fields["time"].as_str().unwrap();
        assert!(time.len() == 24 && time.ends_with('Z'), "{line}");
        let all = ["level", "target", "message"];
        assert!(all.iter().all(|name| fields[*name].is_string()), "{line}");
    }
    let messages: Vec<_> = lines
        .iter()
        .filter(|line| line["target"] == "liveness::message")
        .collect();
    // Three for each hostile text, the good one, and the one that ends them.
    assert_eq!(messages.len(), 3 * HOSTILE.len() + 2, "{log}");

    let good = messages.iter().find(|line| line["request"] == "the-good-one").unwrap();
    assert_eq!(good["message"], STATUS);
    assert_eq!(good["level"], "INFO");
    assert_eq!(good["code"], "00");
    assert_eq!(good["principal"], "7");
    assert_eq!(good["user"], 7);
    assert_eq!(good["client"], "127.0.0.1");
    assert!(good["took_ms"].is_f64(), "{good}");

    let hostile = messages.iter().find(|line| line["principal"] == HOSTILE[3]).unwrap();
    assert_eq!((&hostile["message"], &hostile["user"]), (&json!(LIST), &Value::Null));
}

#[test]
fn every_line_of_text_is_one_of_ours() {
    let log = log_of_hostile_requests("text");
    let messages: Vec<_> = log
        .lines()
        .filter(|line| line.contains(" liveness::message] "))
        .collect();
    assert_eq!(messages.len(), 3 * HOSTILE.len() + 2, "{log}");
    for line in log.lines() {
        assert!(line.starts_with("[20") && line.contains("Z INFO  "), "{line}");
        assert!(
            !line.contains(['\u{2028}', '\u{2029}', '\u{1b}', '\u{9b}', '\r']),
            "{line}"
        );
        assert!(!line.contains("forged"), "{line}");
    }
    assert!(
        log.contains(r#" principal="x\" code=00 principal=\"admin" user=-"#),
        "{log}"
    );
    assert!(log.contains(r#" principal="x\u{2028}code=00\u{2029}" user=-"#), "{log}");
    let good = messages
        .iter()
        .find(|line| line.contains("request=the-good-one "))
        .unwrap();
    let (_, good) = good.split_once("] ").unwrap();
    let expected = "CheckLivenessStatusQuery code=00 request=the-good-one principal=7 user=7 client=127.0.0.1 took_ms=";
    assert!(good.starts_with(expected), "{good}");
}

#[test]
fn another_format_is_refused_in_a_line_that_says_which_there_are() {
    let output = crate::server::command(&["serve"])
        .env("LIVENESS_LOG_FORMAT", "xml")
        .output()
        .unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success());
    assert!(told.contains("text") && told.contains("json"), "{told}");
}
