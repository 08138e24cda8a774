//! Erasures over HTTP: what they answer, and what is shown afterwards.

use serde_json::{Value, json};

use crate::engine::{Engine, on_each_engine};
use crate::server::{Server, admin, customer, token};

const IMAGE: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

fn send(server: &Server, message: &str, token: &str, body: Value) -> (u16, Value) {
    let answer = server.send(message, token, &body);
    (answer.status, answer.json)
}

fn officer() -> String {
    token(&json!({ "sub": "officer-1", "role": "officer" }))
}

fn an_officer_erases_a_face_and_the_second_time_it_is_gone(engine: Engine) {
    let server = Server::start(engine);
    let run = json!({"sessionId": "session-1", "isSuccessful": true, "imageBase64": IMAGE});
    let (status, recorded) = send(&server, "SubmitLivenessCheckCommand", &customer(1), run);
    assert_eq!(status, 200, "{recorded}");
    let id = &recorded["data"]["id"];
    let erase = json!({"id": id, "reason": "Request 2026-118"});
    let hold = json!({"userId": 1, "reason": "Case 77/2026"});

    assert_eq!(send(&server, "EraseFaceCommand", &admin(), erase.clone()).0, 403);
    assert_eq!(send(&server, "PlaceLegalHoldCommand", &officer(), hold.clone()).0, 200);
    let (status, held) = send(&server, "EraseFaceCommand", &officer(), erase.clone());
    assert_eq!((status, &held["statusCode"]), (409, &json!("94")));
    assert_eq!(send(&server, "LiftLegalHoldCommand", &officer(), hold).0, 200);
    let (status, erased) = send(&server, "EraseFaceCommand", &officer(), erase.clone());
    assert_eq!((status, &erased["data"]["id"]), (200, id), "{erased}");
    let (status, gone) = send(&server, "EraseFaceCommand", &officer(), erase);
    assert_eq!((status, &gone["statusCode"]), (410, &json!("25")));

    let (_, shown) = send(&server, "GetLivenessCheckQuery", &admin(), json!({"id": id}));
    let check = &shown["data"]["LivenessCheck"];
    assert_eq!(
        (&check["HasImage"], &check["ImageBase64"]),
        (&json!(false), &json!(null))
    );
    assert_eq!(check["Face"]["Sha256"], erased["data"]["faceSha256"]);
    assert_eq!(check["Face"]["ErasedBecause"], "Request 2026-118");
}

on_each_engine!(an_officer_erases_a_face_and_the_second_time_it_is_gone);
