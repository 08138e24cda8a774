//! Resident memory under many uploads and many slow readers at once: `LIVENESS_BODY_MEMORY` and `LIVENESS_ANSWER_MEMORY` bound it, not
//! how many there are.

use std::io::{ErrorKind, Write as _};
use std::sync::{Barrier, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::json;

use crate::engine::{Engine, on_each_engine};
use crate::metrics::{metric, wait_for};
use crate::server::{FACE, Server, admin, customer, report};
use crate::wire::{DETAILS, STATUS, UPDATE, Wire, bearer, head, total_count};

const UPLOADS: usize = 64;
const MEGABYTE: f64 = 1e6;
/// So many images at once keep a host busy for long that is built for tests: one test sends them at a time.
static ALONE: Mutex<()> = Mutex::new(());

/// Sends 64 images of 5 MB at once, and gives back how many were recorded and the most memory that it took.
///
/// No body ends before all the others are sent but for their ends, as far as the server takes them.
fn upload(server: &Server) -> (usize, f64) {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let image = BASE64_STANDARD.encode([FACE, &vec![7; 5_000_000 - FACE.len()]].concat());
    let length = (beginning(0).len() + image.len() + END.len()).to_string();
    let all_sent = Barrier::new(UPLOADS);
    let send = |number: usize| {
        let authorization = bearer(&customer(number as i64 + 1));
        let headers = [
            ("Authorization", authorization.as_str()),
            ("Content-Type", "application/json"),
            ("Content-Length", &length),
        ];
        let mut wire = Wire::to(server);
        wire.send(head(UPDATE, &headers) + &beginning(number));
        let sent = send_what_is_taken(&wire, image.as_bytes());
        all_sent.wait();
        // Who is told 503 is not read to the end.
        let _ = wire.try_send(&image[sent..]).and_then(|()| wire.try_send(END));
        wire.answer()
    };
    let answers: Vec<_> = thread::scope(|scope| {
        let uploads: Vec<_> = (0..UPLOADS)
            .map(|number| {
                let send = &send;
                scope.spawn(move || send(number))
            })
            .collect();
        uploads.into_iter().map(|upload| upload.join().unwrap()).collect()
    });
    let recorded = answers.iter().filter(|answer| answer.codes() == (200, "00")).count();
    for answer in answers {
        assert!([(200, "00"), (503, "91")].contains(&answer.codes()), "{answer:?}");
    }
    (
        recorded,
        metric(server, "process_resident_memory_peak_bytes") / MEGABYTE,
    )
}

/// Before the image, of equal length for all, so that they can share it.
fn beginning(number: usize) -> String {
    format!(r#"{{"sessionId":"s-{number:02}","isSuccessful":true,"imageBase64":""#)
}

/// Behind it.
const END: &str = r#""}"#;

/// Sends until nothing is taken for a second; gives back how much was.
fn send_what_is_taken(wire: &Wire, bytes: &[u8]) -> usize {
    let mut sender = wire.sender();
    sender.set_write_timeout(Some(Duration::from_secs(1))).unwrap();
    let mut sent = 0;
    while sent < bytes.len() {
        match sender.write(&bytes[sent..]) {
            Ok(taken) => sent += taken,
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::WouldBlock, "{error}");
                break;
            }
        }
    }
    sender.set_write_timeout(None).unwrap();
    sent
}

fn sixty_four_uploads_at_once_stay_under_700_mb(engine: Engine) {
    let server = Server::start(engine);
    let (recorded, peak) = upload(&server);
    assert!(peak < 700.0, "{peak} MB for {recorded} uploads");
    assert!(recorded > 0);
    // Of a 503 the outcome may be unknown.
    assert!(total_count(&server) >= recorded as i64);
}

#[test]
fn a_small_budget_keeps_memory_small() {
    let server = Server::with(Engine::Sqlite, &[("LIVENESS_BODY_MEMORY", "30000000")]);
    let (recorded, peak) = upload(&server);
    // Without the budget it is more than 400 MB.
    assert!(peak < 250.0, "{peak} MB for {recorded} uploads");
    assert!(recorded > 0);
}

/// The most memory that it took, in MB.
fn peak(server: &Server) -> f64 {
    metric(server, "process_resident_memory_peak_bytes") / MEGABYTE
}

#[test]
fn four_hundred_strangers_who_read_slowly_take_less_than_30_mb() {
    let server = Server::start(Engine::Sqlite);
    let before = peak(&server);
    let mut strangers: Vec<_> = (0..400).map(|_| Wire::with_small_window(&server)).collect();
    for stranger in &mut strangers {
        stranger.send("GET /docs/swagger-ui-bundle.js HTTP/1.1\r\nHost: x\r\n\r\n");
    }
    for stranger in &mut strangers {
        assert_eq!(stranger.head().0, 200);
    }
    assert_eq!(metric(&server, "liveness_connections"), 401.0);
    // The host itself, as it is built for tests, has its code in memory too.
    let taken = peak(&server) - before;
    assert!(taken < 30.0, "{taken} MB");
}

fn sixty_slow_looks_at_faces_of_5_mib_stay_under_330_mb(engine: Engine) {
    let server = Server::start(engine);
    let mut large = report("s", true);
    large["imageBase64"] = json!(BASE64_STANDARD.encode([FACE, &vec![7; (5 << 20) - FACE.len()]].concat()));
    large["metadata"] = json!({ "verificationResult": true });
    assert_eq!(server.send(UPDATE, &customer(1), &large).codes(), (200, "00"));

    let (authorization, body) = (bearer(&admin()), json!({ "userId": 1 }).to_string());
    let length = body.len().to_string();
    let headers = [
        ("Authorization", authorization.as_str()),
        ("Content-Type", "application/json"),
        ("Content-Length", &length),
    ];
    let mut looks: Vec<_> = (0..60).map(|_| Wire::with_small_window(&server)).collect();
    for look in &mut looks {
        look.send(head(DETAILS, &headers) + &body);
    }
    // Half of the memory is one reviewer's, and is full of answers that nobody reads.
    wait_for(&server, "liveness_answers_waiting", 51.0);
    let unwritten = metric(&server, "liveness_answer_bytes");
    assert!((60e6..=64.0 * 1024.0 * 1024.0).contains(&unwritten), "{unwritten}");
    assert_eq!(server.send(STATUS, &customer(2), &json!({})).codes(), (200, "00"));
    let statuses: Vec<_> = looks.iter_mut().map(|look| look.head().0).collect();
    let count = |status| statuses.iter().filter(|found| **found == status).count();
    assert_eq!((count(200), count(429)), (9, 51), "{statuses:?}");
    let peak = peak(&server);
    assert!(peak < 330.0, "{peak} MB");

    drop(looks);
    wait_for(&server, "liveness_answer_bytes", 0.0);
}

on_each_engine! {
    sixty_slow_looks_at_faces_of_5_mib_stay_under_330_mb,
    sixty_four_uploads_at_once_stay_under_700_mb,
}
