//! The host with key-encryption keys on a token.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use crate::durability::until;
use crate::engine::Engine;
use crate::server::{FACE, Server, admin, customer};
use crate::soft_token::SoftToken;

fn start(token: &SoftToken) -> Server {
    let settings = token.settings();
    let settings: Vec<_> = settings.iter().map(|(name, value)| (*name, value.as_str())).collect();
    Server::with(Engine::Sqlite, &settings)
}

fn record(server: &Server, user: i64) -> u16 {
    let body =
        json!({"sessionId": format!("session-{user}"), "isSuccessful": true, "imageBase64": STANDARD.encode(FACE)});
    server.send("SubmitLivenessCheckCommand", &customer(user), &body).status
}

fn look(server: &Server, user: i64) -> String {
    let shown = server.send("GetUserLivenessCheckQuery", &admin(), &json!({"userId": user}));
    assert_eq!(shown.status, 200, "{shown:?}");
    shown.data()["LivenessCheck"]["ImageBase64"]
        .as_str()
        .unwrap_or_default()
        .to_owned()
}

#[test]
#[ignore = "needs SoftHSM: .ci/test"]
fn a_face_that_a_token_keeps_is_shown_after_a_restart() {
    let token = SoftToken::new();
    let mut server = start(&token);
    let body = json!({
        "sessionId": "session-1", "isSuccessful": true, "imageBase64": STANDARD.encode(FACE),
        "metadata": {"verificationResult": true},
    });
    assert_eq!(
        server.send("SubmitLivenessCheckCommand", &customer(1), &body).status,
        200
    );
    let expected = format!("data:image/jpeg;base64,{}", STANDARD.encode(FACE));
    assert_eq!(look(&server, 1), expected);
    assert_eq!(server.get("/health/ready").status, 200);

    server.signal("TERM");

    assert_eq!(server.wait().code(), Some(0));
    assert_eq!(look(&server.restart(), 1), expected);
}

/// The libraries of tokens do not bear it when a process ends while a thread is in them.
#[test]
#[ignore = "needs SoftHSM: .ci/test"]
fn a_stop_while_the_token_is_asked_ends_with_exit_code_0() {
    let token = SoftToken::new();
    let mut server = start(&token);
    for _ in 0..5 {
        let recorded = AtomicUsize::new(0);
        thread::scope(|scope| {
            for lane in 0..4 {
                let (server, recorded) = (&server, &recorded);
                scope.spawn(move || {
                    let body = |user: i64| {
                        let session = format!("session-{user}");
                        json!({"sessionId": session, "isSuccessful": true, "imageBase64": STANDARD.encode(FACE)})
                    };
                    for user in 1.. {
                        let user = user * 4 + lane;
                        let authorization = format!("Bearer {}", customer(user));
                        let headers = [("Authorization", authorization.as_str())];
                        let body = body(user).to_string();
                        let sent = crate::server::try_post(
                            server.address(),
                            "SubmitLivenessCheckCommand",
                            &headers,
                            body.as_bytes(),
                        );
                        if sent.is_err() {
                            break;
                        }
                        recorded.fetch_add(1, Ordering::Relaxed);
                    }
                });
            }
            until(|| recorded.load(Ordering::Relaxed) >= 40);
            server.signal("TERM");
        });
        assert_eq!(server.wait().code(), Some(0), "{}", server.log());
        server = server.restart();
    }
    assert_eq!(record(&server, 1_000_000), 200);
}
