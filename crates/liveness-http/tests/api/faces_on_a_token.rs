//! The host with key-encryption keys on a token.

use std::sync::atomic::{AtomicI64, Ordering};
use std::thread;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::durability::until;
use crate::engine::Engine;
use crate::server::{FACE, Server, admin, customer, try_post};
use crate::soft_token::SoftToken;

const SUBMIT: &str = "SubmitLivenessCheckCommand";

fn start(token: &SoftToken) -> Server {
    let settings = token.settings();
    let settings: Vec<_> = settings.iter().map(|(name, value)| (*name, value.as_str())).collect();
    Server::with(Engine::Sqlite, &settings)
}

fn with_face(user: i64) -> Value {
    json!({
        "sessionId": format!("session-{user}"), "isSuccessful": true, "imageBase64": STANDARD.encode(FACE),
        "metadata": {"verificationResult": true},
    })
}

fn look(server: &Server, user: i64) -> Value {
    let shown = server.send("GetUserLivenessCheckQuery", &admin(), &json!({"userId": user}));
    shown.data()["LivenessCheck"]["ImageBase64"].clone()
}

#[test]
#[ignore = "needs SoftHSM: .ci/test"]
fn a_face_that_a_token_keeps_is_shown_after_a_restart() {
    let token = SoftToken::new();
    let mut server = start(&token);
    // It has made its first key.
    assert_eq!(token.objects().len(), 1);
    let recorded = server.send(SUBMIT, &customer(1), &with_face(1));
    assert_eq!(recorded.codes(), (200, "00"));
    let face = format!("data:image/jpeg;base64,{}", STANDARD.encode(FACE));
    assert_eq!(look(&server, 1), face.as_str());

    server.signal("TERM");

    assert_eq!(server.wait().code(), Some(0));
    assert_eq!(look(&server.restart(), 1), face.as_str());
}

/// Records until nobody listens any more.
fn record_on(server: &Server, next_user: &AtomicI64) {
    loop {
        let user = next_user.fetch_add(1, Ordering::Relaxed);
        let authorization = format!("Bearer {}", customer(user));
        let headers = [("Authorization", authorization.as_str())];
        let body = with_face(user).to_string();
        if try_post(server.address(), SUBMIT, &headers, body.as_bytes()).is_err() {
            return;
        }
    }
}

/// The library of a token does not bear it when the process ends while a thread is in it.
#[test]
#[ignore = "needs SoftHSM: .ci/test"]
fn a_stop_while_the_token_is_asked_ends_with_exit_code_0() {
    let token = SoftToken::new();
    let mut server = start(&token);
    let next_user = AtomicI64::new(1);
    for stop in 1..=5 {
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| record_on(&server, &next_user));
            }
            until(|| next_user.load(Ordering::Relaxed) > stop * 100);
            server.signal("TERM");
        });
        assert_eq!(server.wait().code(), Some(0), "{}", server.log());
        server = server.restart();
    }
    let recorded = server.send(SUBMIT, &customer(1_000_000), &with_face(1_000_000));
    assert_eq!(recorded.codes(), (200, "00"));
}
