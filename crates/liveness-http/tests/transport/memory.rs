//! Resident memory under many uploads at once: it is bounded by `LIVENESS_BODY_MEMORY`, not by how many there are.

use std::io::{ErrorKind, Write as _};
use std::sync::Barrier;
use std::thread;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use crate::engine::{Engine, on_each_engine};
use crate::metrics::metric;
use crate::server::{FACE, Server, customer};
use crate::wire::{UPDATE, Wire, bearer, head, total_count};

const UPLOADS: usize = 64;
const MEGABYTE: f64 = 1e6;

/// Sends 64 images of 5 MB at once, and gives back how many were recorded and the most memory that it took.
///
/// No body ends before all the others are sent but for their ends, as far as the server takes them.
fn upload(server: &Server) -> (usize, f64) {
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

on_each_engine! {
    sixty_four_uploads_at_once_stay_under_700_mb,
}
