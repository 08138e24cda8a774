//! What was acknowledged is there, whatever happens to the process.

use std::collections::HashMap;
use std::io::Write as _;
use std::net::{Shutdown, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection as _;
use diesel::{Connection as _, SqliteConnection};
use liveness_core::FaceImage;
use serde_json::{Value, json};

use crate::audit::entries;
use crate::engine::{Engine, on_each_engine};
use crate::faults::{bring_back, take_away};
use crate::server::{FACE, Server, admin, customer, report, try_post};

/// A face that nobody else has: the picture, and the user's number behind its end.
fn face_of(user: i64) -> String {
    let bytes = [FACE, &user.to_be_bytes()[..], &vec![user as u8; 20_000]].concat();
    FaceImage::from_bytes(bytes).unwrap().to_data_uri()
}

/// Submits for a user of its own each time, from many threads, until told to stop; gives back the record of
/// every user whose submit was acknowledged.
fn submit_until(server: &Server, stop: &AtomicBool, acknowledged: &AtomicI64) -> HashMap<i64, i64> {
    let next = AtomicI64::new(1);
    let submit = || {
        let mut records = HashMap::new();
        while !stop.load(Ordering::Relaxed) {
            let user = next.fetch_add(1, Ordering::Relaxed);
            let mut body = report(&format!("session-{user}"), true);
            body["imageBase64"] = json!(face_of(user));
            body["metadata"] = json!({ "verificationResult": true });
            let token = format!("Bearer {}", customer(user));
            let headers = [("Authorization", &*token)];
            let sent = try_post(
                server.address(),
                "SubmitLivenessCheckCommand",
                &headers,
                body.to_string().as_bytes(),
            );
            // A connection that breaks, or an answer that does not come whole, acknowledges nothing.
            let Ok(mut response) = sent else { continue };
            let Ok(answer) = response.body_mut().read_json::<Value>() else {
                continue;
            };
            if response.status() == 200 {
                records.insert(user, answer["data"]["id"].as_i64().unwrap());
                acknowledged.fetch_add(1, Ordering::Relaxed);
            }
        }
        records
    };
    thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(submit)).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    })
}

/// Waits until it is so; a test that waits for a minute has failed.
pub fn until(is_so: impl Fn() -> bool) {
    let patience = Instant::now() + Duration::from_secs(60);
    while !is_so() {
        assert!(Instant::now() < patience, "it never came to be");
        thread::yield_now();
    }
}

fn assert_all_there(server: &Server, records: &HashMap<i64, i64>) {
    for (user, record) in records {
        let shown = server.send("GetUserLivenessCheckQuery", &admin(), &json!({ "userId": user }));
        let check = &shown.data()["LivenessCheck"];
        assert_eq!(check["Id"], json!(record), "the record of user {user}");
        assert!(check["ImageBase64"] == json!(face_of(*user)), "the face of user {user}");
    }
    assert_none_is_half_written(server, "SubmitLivenessCheckCommand", records.len());
}

/// Every record has its entry and is counted, and every entry of a success has its record; there are `at_least` so many.
fn assert_none_is_half_written(server: &Server, command: &str, at_least: usize) {
    let entries = entries(server);
    let done = entries
        .iter()
        .filter(|entry| entry.message == command && entry.outcome == "00")
        .count();
    let (counted, users) = listed(server, json!({}));
    assert_eq!((counted, users.len()), (done, done));
    assert!(done >= at_least, "{done} records");
    for user in users {
        let (counted, records) = listed(server, json!({ "selfServiceUserId": user }));
        assert_eq!(counted, records.len(), "of user {user}");
    }
}

/// The total that a list tells, and whose the records on all its pages are.
fn listed(server: &Server, mut filter: Value) -> (usize, Vec<i64>) {
    filter["pageSize"] = json!(100);
    let mut users = Vec::new();
    for page in 1.. {
        filter["pageNumber"] = json!(page);
        let answer = server.send("RetrieveLivenessChecksQuery", &admin(), &filter);
        let items = answer.data()["Items"].as_array().unwrap().clone();
        users.extend(items.iter().map(|item| item["SelfServiceUserId"].as_i64().unwrap()));
        if items.is_empty() {
            return (answer.data()["TotalCount"].as_u64().unwrap() as usize, users);
        }
    }
    unreachable!("a list ends")
}

fn every_acknowledged_record_survives_sigkill(engine: Engine) {
    let server = Server::start(engine);
    let (stop, acknowledged) = (AtomicBool::new(false), AtomicI64::new(0));

    let records = thread::scope(|scope| {
        let submitting = scope.spawn(|| submit_until(&server, &stop, &acknowledged));
        until(|| acknowledged.load(Ordering::Relaxed) >= 150);
        server.signal("KILL");
        stop.store(true, Ordering::Relaxed);
        submitting.join().unwrap()
    });
    let server = server.restart();

    assert_all_there(&server, &records);
}

fn sigterm_under_load_loses_nothing_and_exits_0(engine: Engine) {
    let mut server = Server::start(engine);
    let (stop, acknowledged) = (AtomicBool::new(false), AtomicI64::new(0));

    let records = thread::scope(|scope| {
        let submitting = scope.spawn(|| submit_until(&server, &stop, &acknowledged));
        until(|| acknowledged.load(Ordering::Relaxed) >= 150);
        server.signal("TERM");
        // Submitting goes on while the server stops, until nobody listens any more.
        until(|| TcpStream::connect(server.address()).is_err());
        stop.store(true, Ordering::Relaxed);
        submitting.join().unwrap()
    });
    assert_eq!(server.wait().code(), Some(0));
    let server = server.restart();

    assert_all_there(&server, &records);
}

/// Submits for users 1 to `last`.
fn submit_for(server: &Server, last: i64) -> HashMap<i64, i64> {
    let submit = |user| {
        let mut body = report(&format!("session-{user}"), true);
        body["imageBase64"] = json!(face_of(user));
        body["metadata"] = json!({ "verificationResult": true });
        let answer = server.send("SubmitLivenessCheckCommand", &customer(user), &body);
        (user, answer.data()["id"].as_i64().unwrap())
    };
    (1..=last).map(submit).collect()
}

#[test]
fn after_a_stop_the_database_file_alone_holds_every_record() {
    let mut server = Server::start(Engine::Sqlite);
    let records = submit_for(&server, 20);

    server.signal("TERM");
    assert_eq!(server.wait().code(), Some(0));

    let file = server.database().file();
    for companion in ["-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{companion}", file.display()));
    }
    assert_all_there(&server.restart(), &records);
}

#[test]
fn a_stop_says_so_if_a_reader_keeps_the_database_file_from_being_whole() {
    let mut server = Server::start(Engine::Sqlite);
    let records = submit_for(&server, 1);
    let mut reader = SqliteConnection::establish(&server.database().file().to_string_lossy()).unwrap();
    let begin = "BEGIN; SELECT count(*) FROM liveness_checks";
    reader.batch_execute(begin).unwrap();
    let more = server.send("SubmitLivenessCheckCommand", &customer(2), &report("session-2", true));
    assert_eq!(more.status, 200);

    server.signal("TERM");

    assert_eq!(server.wait().code(), Some(0));
    until(|| server.log().contains("the database file alone is not whole"));
    drop(reader);
    let server = server.restart();
    assert_eq!(listed(&server, json!({})).0, 2);
    assert_eq!(records.len(), 1);
}

#[test]
fn a_log_that_is_not_written_back_is_told_until_it_is() {
    let server = Server::start(Engine::Sqlite);
    let face = FaceImage::from_bytes([FACE, &vec![7; 5_000_000]].concat()).unwrap();
    let mut body = report("session-1", true);
    body["imageBase64"] = json!(face.to_data_uri());
    let submit = || {
        let answer = server.send("SubmitLivenessCheckCommand", &customer(1), &body);
        assert_eq!(answer.status, 200);
    };
    submit();
    // A checkpoint does not pass what somebody still reads.
    let mut reader = SqliteConnection::establish(&server.database().file().to_string_lossy()).unwrap();
    let begin = "BEGIN; SELECT count(*) FROM liveness_checks";
    reader.batch_execute(begin).unwrap();

    (0..14).for_each(|_| submit());
    assert_eq!(server.log().matches("that are not in the database file").count(), 1);
    assert!(!server.log().contains("is written back into the database file again"));

    drop(reader);
    submit();
    assert!(server.log().contains("is written back into the database file again"));
}

#[test]
fn sigterm_ends_the_process_whatever_its_clients_do() {
    let mut server = Server::with(Engine::Sqlite, &[("LIVENESS_SHUTDOWN_GRACE", "3s")]);
    let mut stalled = server.connect();
    stalled.write_all(head(&customer(1), 100).as_bytes()).unwrap();
    stalled.write_all(b"{").unwrap();
    let mut in_head = server.connect();
    in_head.write_all(b"POST /x HTTP/1.1\r\nHos").unwrap();
    let idle = server.connect();
    // An answer on another connection shows that the three before it were accepted.
    assert_eq!(server.get("/health/ready").status, 200);

    server.signal("TERM");
    let status = server.wait();

    assert_eq!(status.code(), Some(0));
    drop((stalled, in_head, idle));
}

fn a_command_is_finished_although_its_client_has_gone(engine: Engine) {
    let server = Server::start(engine);
    for user in 1..=20 {
        let body = report(&format!("session-{user}"), true).to_string();
        let mut connection = server.connect();
        connection
            .write_all(head(&customer(user), body.len()).as_bytes())
            .unwrap();
        connection.write_all(body.as_bytes()).unwrap();
        connection.shutdown(Shutdown::Both).unwrap();
    }

    // Nobody is left to be answered, so the log tells when the last one is done.
    until(|| server.log().matches("UpdateLivenessCheckCommand code=00").count() == 20);

    assert_none_is_half_written(&server, "UpdateLivenessCheckCommand", 20);
}

fn head(token: &str, length: usize) -> String {
    format!(
        "POST /api/BPMSelfService/commands/UpdateLivenessCheckCommand HTTP/1.1\r\nHost: x\r\n\
         Authorization: Bearer {token}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
    )
}

fn a_database_that_is_gone_is_503_until_it_is_back(engine: Engine) {
    let server = Server::start(engine);
    assert_eq!(
        server
            .send("SubmitLivenessCheckCommand", &customer(1), &report("s-1", true))
            .status,
        200
    );

    take_away(&server);
    let refused = server.send("SubmitLivenessCheckCommand", &customer(1), &report("s-2", true));
    let unready = server.get("/health/ready");
    let alive = server.get("/health/live");
    bring_back(&server);
    let accepted = server.send("SubmitLivenessCheckCommand", &customer(1), &report("s-2", true));

    assert_eq!(
        [refused.codes(), unready.codes(), alive.codes()],
        [(503, "91"), (503, "91"), (200, "00")]
    );
    assert!(refused.header("retry-after").is_some());
    assert_eq!(
        (accepted.codes(), server.get("/health/ready").codes()),
        ((200, "00"), (200, "00"))
    );
}

on_each_engine! {
    every_acknowledged_record_survives_sigkill,
    sigterm_under_load_loses_nothing_and_exits_0,
    a_command_is_finished_although_its_client_has_gone,
    a_database_that_is_gone_is_503_until_it_is_back,
}
