//! `GET /metrics`: what is counted, and that nothing of it comes from a request.

use std::collections::{BTreeSet, HashMap};
use std::time::{Duration, Instant};

use serde_json::json;

use crate::engine::Engine;
use crate::server::{Server, admin, customer, report, token};
use crate::wire::{CANARY, LIST, STATUS, UPDATE, Wire, exchange};

/// Every series with its value.
pub fn metrics(server: &Server) -> HashMap<String, f64> {
    let mut wire = Wire::to(server);
    wire.send("GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    let (status, headers) = wire.head();
    assert_eq!(status, 200);
    assert_eq!(headers["content-type"], "text/plain; version=0.0.4; charset=utf-8");
    assert_eq!(headers["cache-control"], "no-store");
    let text = String::from_utf8(wire.rest()).unwrap();
    assert!(!text.contains(CANARY), "{text}");
    let series = text.lines().filter(|line| !line.starts_with('#')).map(|line| {
        let (series, value) = line.rsplit_once(' ').unwrap();
        (series.to_owned(), value.parse().unwrap_or_else(|_| panic!("{line}")))
    });
    series.collect()
}

/// The value of a series; 0 where there is none.
pub fn metric(server: &Server, series: &str) -> f64 {
    metrics(server).get(series).copied().unwrap_or_default()
}

/// Waits until a series has the value: what is waited for is on its way.
pub fn wait_for(server: &Server, series: &str, value: f64) {
    let begun = Instant::now();
    loop {
        let found = metric(server, series);
        if found == value {
            return;
        }
        assert!(
            begun.elapsed() < Duration::from_secs(20),
            "{series} is {found}, not {value}"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn requests(server: &Server, message: &str, code: &str) -> f64 {
    metric(
        server,
        &format!("liveness_requests_total{{message=\"{message}\",status_code=\"{code}\"}}"),
    )
}

#[test]
fn messages_are_counted_by_name_and_outcome() {
    let server = Server::start(Engine::Sqlite);
    for session in ["a", "b"] {
        let answer = server.send(UPDATE, &customer(1), &report(session, true));
        assert_eq!(answer.status, 200);
    }
    assert_eq!(server.send(UPDATE, &customer(2), &report("a", true)).status, 409);
    assert_eq!(server.send(LIST, &customer(1), &json!({})).status, 403);

    assert_eq!(requests(&server, UPDATE, "00"), 2.0);
    assert_eq!(requests(&server, UPDATE, "94"), 1.0);
    assert_eq!(requests(&server, LIST, "57"), 1.0);
    let all = metrics(&server);
    let duration = |part: &str| all[&format!("liveness_message_duration_seconds_{part}{{message=\"{UPDATE}\"}}")];
    assert_eq!(duration("count"), 3.0);
    assert!(duration("sum") > 0.0);
}

#[test]
fn what_never_reaches_the_bus_is_counted_too() {
    let server = Server::with(Engine::Sqlite, &[("LIVENESS_RATE_LIMIT", "3/h")]);
    assert_eq!(server.request(STATUS, &[], b"").status, 401);
    assert_eq!(server.send(STATUS, "no token", &json!({})).status, 401);
    assert_eq!(server.send("Unknown", "no token", &json!({})).status, 401);
    assert_eq!(server.send(STATUS, "no token", &json!({})).status, 429);
    for status in [404, 404, 404, 429] {
        assert_eq!(server.send("Unknown", &customer(1), &json!({})).status, status);
    }
    assert_eq!(server.get("/nowhere").status, 404);
    assert_eq!(
        server
            .get("/api/BPMSelfService/commands/CheckLivenessStatusQuery")
            .status,
        405
    );

    let expected = [
        (STATUS, "63", 2.0),
        (STATUS, "65", 1.0),
        ("unknown", "63", 1.0),
        ("unknown", "12", 3.0),
        ("unknown", "65", 1.0),
        ("none", "12", 2.0),
    ];
    for (message, code, count) in expected {
        assert_eq!(requests(&server, message, code), count, "{message} {code}");
    }
    let all = metrics(&server);
    assert_eq!(all["liveness_rejected_tokens_total{reason=\"missing\"}"], 1.0);
    let rejected = all
        .iter()
        .filter(|(series, _)| series.starts_with("liveness_rejected_tokens_total"));
    assert_eq!(rejected.map(|(_, count)| count).sum::<f64>(), 3.0, "{all:?}");
    assert_eq!(all["liveness_rate_limited_total{by=\"address\"}"], 1.0);
    assert_eq!(all["liveness_rate_limited_total{by=\"principal\"}"], 1.0);
}

#[test]
fn no_label_comes_from_a_request() {
    let server = Server::start(Engine::Sqlite);
    let before = metrics(&server).len();
    let hostile = token(&json!({ "sub": CANARY, "role": [CANARY, "admin"] }));
    let names = [
        CANARY.to_owned(),
        format!("{CANARY}%22%7D%201%0Aliveness_up%7Bx%3D%22"),
        format!("{CANARY}%00"),
        "CheckLivenessStatusQuery%0A".to_owned(),
        "checklivenessstatusquery".to_owned(),
    ];
    for name in &names {
        let head = format!(
            "POST /api/BPMSelfService/commands/{name} HTTP/1.1\r\nHost: {CANARY}\r\nAuthorization: Bearer {hostile}\r\n\
             X-Request-Id: {CANARY}\r\nUser-Agent: {CANARY}\r\nContent-Length: 0\r\n\r\n"
        );
        assert_eq!(exchange_status(&server, &head), 404, "{name}");
    }
    assert_eq!(server.send(LIST, &hostile, &json!({ "sessionId": CANARY })).status, 200);
    assert_eq!(server.send(STATUS, &customer(1), &json!({})).status, 200);

    // What is percent-encoded is another path.
    let encoded = names.iter().filter(|name| name.contains('%')).count();
    assert_eq!(requests(&server, "none", "12"), encoded as f64);
    assert_eq!(requests(&server, "unknown", "12"), (names.len() - encoded) as f64);
    // Of each of the two messages a count and a histogram of 16 series; of the unknown a count, and of the others one.
    assert_eq!(metrics(&server).len(), before + 2 * (1 + 16) + 2);
}

fn exchange_status(server: &Server, head: &str) -> u16 {
    // The answer repeats the request id, as it should.
    exchange(server, head).status
}

#[test]
fn commits_connections_and_the_process_are_shown() {
    let server = Server::start(Engine::Sqlite);
    assert_eq!(server.send(LIST, &admin(), &json!({})).status, 200);
    let before = metrics(&server);
    for session in ["a", "b", "c"] {
        assert_eq!(server.send(UPDATE, &customer(1), &report(session, true)).status, 200);
    }
    let after = metrics(&server);
    let more = |series: &str| after[series] - before[series];
    // The user is a write, too.
    assert_eq!(more("liveness_commit_writes_count"), 4.0);
    assert_eq!(more("liveness_commit_writes_sum"), 4.0);
    assert_eq!(more("liveness_commit_writes_bucket{le=\"1\"}"), 4.0);
    assert_eq!(more("liveness_commit_duration_seconds_count"), 4.0);
    assert!(more("liveness_commit_duration_seconds_sum") > 0.0);

    assert_eq!(after["liveness_build_info{version=\"0.1.0\"}"], 1.0);
    assert!(after["process_start_time_seconds"] > 1.7e9);
    assert!(after["process_resident_memory_bytes"] > 1e6);
    assert!(after["process_resident_memory_peak_bytes"] >= after["process_resident_memory_bytes"]);
    assert!(after["process_open_fds"] > 3.0);
    assert_eq!(after["liveness_database_max_connections"], 5.0);
    assert!(after["liveness_database_connections"] >= after["liveness_database_idle_connections"]);
    // The one that asks.
    assert!(after["liveness_connections"] >= 1.0);
    let nothing = [
        "liveness_requests_in_flight",
        "liveness_body_bytes",
        "liveness_bodies_waiting",
        "liveness_database_waiting_reads",
        "liveness_waiting_writes",
        "liveness_waiting_write_bytes",
        "liveness_failed_commits_total",
    ];
    assert!(nothing.iter().all(|series| after[*series] == 0.0), "{after:?}");
}

#[test]
fn the_alerts_are_of_metrics_that_there_are() {
    let list = tempfile::NamedTempFile::new().unwrap();
    let list = list.path().to_str().unwrap();
    let settings = [
        ("LIVENESS_JWT_REVOKED_FILE", list),
        ("LIVENESS_FACE_KEYS", "file:face-keys"),
        ("LIVENESS_WEBHOOK_URL", "http://127.0.0.1:9/"),
        (
            "LIVENESS_WEBHOOK_SECRET",
            "whsec_c2l4dGVlbi1vci1tb3JlLWJ5dGVzLW9mLWEta2V5",
        ),
    ];
    let server = Server::with(Engine::Sqlite, &settings);
    assert_eq!(server.send(UPDATE, &customer(1), &report("a", true)).status, 200);
    assert_eq!(server.send(UPDATE, "no token", &json!({})).status, 401);
    let mut all = metrics(&server);
    // The jobs and the webhooks are counted within a second.
    let counted = ["liveness_jobs_dead", "liveness_webhooks_oldest_seconds"];
    while !counted
        .iter()
        .all(|name| all.keys().any(|series| series.starts_with(name)))
    {
        all = metrics(&server);
    }
    let shown: BTreeSet<_> = all.keys().map(|series| series.split('{').next().unwrap()).collect();

    let rules = include_str!("../../../../docs/alerts.yml");
    let words = rules.split(|letter: char| !letter.is_ascii_lowercase() && letter != '_');
    let asked: BTreeSet<_> = words
        .filter(|word| word.starts_with("liveness_") || word.starts_with("process_"))
        .collect();

    assert_eq!(asked.difference(&shown).collect::<Vec<_>>(), [&""; 0]);
    assert!(asked.contains("liveness_requests_total"), "{asked:?}");
}

#[test]
fn it_is_read_and_nothing_else() {
    let server = Server::start(Engine::Sqlite);
    let mut wire = Wire::to(&server);
    wire.send("HEAD /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    assert_eq!(wire.head().0, 200);
    assert_eq!(wire.rest(), b"");
    let refused = exchange(&server, "DELETE /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_eq!(refused.codes(), (405, "12"));
    assert_eq!(refused.header("allow"), Some("GET, HEAD"));
}
