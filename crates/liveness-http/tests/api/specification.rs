//! Every example of the specification, field for field, and what was added to it, through real HTTP.

use std::sync::Arc;

use liveness_bus::Bus;
use liveness_bus::liveness::{Liveness, Settings, module};
use liveness_core::store::StoredUsers;
use liveness_core::{FaceImage, FixedClock};
use liveness_http::LivenessApi;
use liveness_http::token::{TokenRules, TokenVerifier, VerificationKey};
use serde_json::{Value, json};

use crate::engine::{Database, Engine, on_each_engine};
use crate::faults::execute;
use crate::in_process::serve;
use crate::server::{Answer, FACE, SECRET, admin, post, token};

/// The host in this process, with a clock that stands still.
struct Host {
    address: String,
    clock: Arc<FixedClock>,
    database: Database,
}

impl Host {
    fn start(engine: Engine) -> Self {
        let clock = Arc::new(FixedClock::at("2026-03-22T14:00:05Z".parse().unwrap()));
        let database = Database::create(engine);
        let store = database.store();
        store.migrate().unwrap();
        let users = Arc::new(StoredUsers::new(store.users().clone(), true));
        let liveness = Liveness::new(store.clone(), users.clone(), Settings::default());
        let bus = Bus::builder()
            .module(module(liveness))
            .audit_sink(store)
            .build()
            .unwrap();
        let key = VerificationKey::hs256(SECRET.as_bytes()).unwrap();
        let verifier = TokenVerifier::new(vec![key], TokenRules::default());
        let api = LivenessApi::builder(bus, verifier, users)
            .clock(clock.clone())
            .trusted_proxies("127.0.0.1".parse().unwrap())
            .build();
        let address = serve(move |app| api.configure(app));
        Self {
            address,
            clock,
            database,
        }
    }

    /// The next record is 42, as in the examples.
    fn after_41_records(engine: Engine) -> Self {
        let host = Self::start(engine);
        execute(
            &host.database,
            "INSERT INTO liveness_sessions (session_id, self_service_user_id, created_at) VALUES ('other', 99, 0); \
             INSERT INTO liveness_checks \
             (id, self_service_user_id, session_id, is_successful, passed, has_image, created_at) \
             VALUES (41, 99, 'other', TRUE, TRUE, FALSE, 0)",
            "SELECT setval(pg_get_serial_sequence('liveness_checks', 'id'), 41)",
        );
        host
    }

    fn send(&self, message: &str, token: &str, body: &Value) -> Answer {
        let headers = [
            ("Authorization", &*format!("Bearer {token}")),
            ("User-Agent", "..."),
            ("X-Device-Platform", "Android"),
            ("X-App-Version", "2.1.0"),
            ("X-Forwarded-For", "41.58.12.100"),
        ];
        post(&self.address, message, &headers, body.to_string().as_bytes())
    }
}

fn jane() -> String {
    token(&json!({
        "sub": "1234", "role": "customer", "email": "customer@example.com",
        "given_name": "Jane", "family_name": "Doe",
    }))
}

/// The specification's own stops in the middle: `data:image/jpeg;base64,/9j/4AAQSkZJRgAB...`
fn face() -> String {
    FaceImage::from_bytes(FACE.to_vec()).unwrap().to_data_uri()
}

fn successful_run() -> Value {
    json!({
        "sessionId": "sdk-session-abc123",
        "isSuccessful": true,
        "imageBase64": face(),
        "metadata": {
            "timestamp": 1_742_680_800_000_i64,
            "completedAt": "2026-03-22T14:00:00Z",
            "verificationResult": true,
            "sessionDuration": 4200,
            "lightingValue": 0.93,
            "challengeCount": 3,
            "completedChallenges": ["BLINK", "SMILE", "TURN_LEFT"],
            "challenges": ["BLINK", "SMILE", "TURN_LEFT"],
            "finalCapture": { "verificationResult": true, "sessionDuration": 1100, "lightingValue": 0.95 }
        },
        "imageMetadata": { "verificationResult": true, "sessionDuration": 900, "lightingValue": 0.91 }
    })
}

fn failed_run() -> Value {
    json!({
        "sessionId": "sdk-session-abc123",
        "isSuccessful": false,
        "metadata": {
            "verificationResult": false,
            "sessionDuration": 8000,
            "lightingValue": 0.42,
            "challengeCount": 3,
            "completedChallenges": ["BLINK"]
        }
    })
}

fn submit_and_update_answer_as_in_the_examples(engine: Engine) {
    let host = Host::after_41_records(engine);
    let mut with_path = successful_run();
    with_path["imagePath"] = json!("/uploads/liveness/abc123.jpg");

    let submitted = host.send("SubmitLivenessCheckCommand", &jane(), &with_path);
    host.clock.advance(295_000);
    let updated = host.send("UpdateLivenessCheckCommand", &jane(), &failed_run());

    let expected = json!({
        "isSuccessful": true,
        "statusCode": "00",
        "message": "Liveness check completed successfully.",
        "data": {
            "id": 42,
            "sessionId": "sdk-session-abc123",
            "isSuccessful": true,
            "verificationResult": true,
            "challengeCount": 3,
            "completedAt": "2026-03-22T14:00:00Z",
            "createdAt": "2026-03-22T14:00:05Z"
        }
    });
    assert_eq!((submitted.status, &submitted.json), (200, &expected));
    let expected = json!({
        "isSuccessful": true,
        "statusCode": "00",
        "message": "Liveness check recorded but verification was not successful.",
        "data": {
            "id": 43,
            "sessionId": "sdk-session-abc123",
            "isSuccessful": false,
            "verificationResult": false,
            "challengeCount": 3,
            "completedAt": null,
            "createdAt": "2026-03-22T14:05:00Z"
        }
    });
    assert_eq!((updated.status, &updated.json), (200, &expected));
}

fn status_answers_as_in_the_examples(engine: Engine) {
    let host = Host::start(engine);

    let before = host.send("CheckLivenessStatusQuery", &jane(), &json!({}));
    host.send("SubmitLivenessCheckCommand", &jane(), &successful_run());
    host.send("UpdateLivenessCheckCommand", &jane(), &failed_run());
    let after = host.send("CheckLivenessStatusQuery", &jane(), &json!({}));

    let expected = json!({
        "isSuccessful": true,
        "statusCode": "00",
        "message": "Liveness check has not been completed.",
        "data": { "HasCompletedLivenessCheck": false, "LivenessCheckDate": null, "SessionId": null }
    });
    assert_eq!((before.status, &before.json), (200, &expected));
    let expected = json!({
        "isSuccessful": true,
        "statusCode": "00",
        "message": "Liveness check has been completed.",
        "data": {
            "HasCompletedLivenessCheck": true,
            "LivenessCheckDate": "2026-03-22T14:00:00Z",
            "SessionId": "sdk-session-abc123"
        }
    });
    assert_eq!((after.status, &after.json), (200, &expected));
}

fn a_users_check_answers_as_in_the_example(engine: Engine) {
    let host = Host::after_41_records(engine);
    host.send("SubmitLivenessCheckCommand", &jane(), &successful_run());

    let shown = host.send("GetUserLivenessCheckQuery", &admin(), &json!({ "userId": 1234 }));

    let expected = json!({
        "isSuccessful": true,
        "statusCode": "00",
        "data": {
            "UserId": 1234,
            "EmailAddress": "customer@example.com",
            "UserId2": "USR-00001234",
            "FirstName": "Jane",
            "LastName": "Doe",
            "MiddleName": null,
            "DisplayName": "Jane Doe",
            "HasCompletedLivenessCheck": true,
            "LivenessCheck": {
                "Id": 42,
                "SessionId": "sdk-session-abc123",
                "IsSuccessful": true,
                "VerificationResult": true,
                "SessionDuration": 4200,
                "LightingValue": 0.93,
                "ChallengeCount": 3,
                "CompletedChallenges": ["BLINK", "SMILE", "TURN_LEFT"],
                "FinalCaptureVerificationResult": true,
                "ImageBase64": face(),
                "HasImage": true,
                "ImagePath": null,
                "ImageVerificationResult": true,
                "CompletedAt": "2026-03-22T14:00:00Z",
                "CreatedAt": "2026-03-22T14:00:05Z",
                "DeviceInfo": "{\"userAgent\":\"...\",\"devicePlatform\":\"Android\",\"appVersion\":\"2.1.0\"}",
                "ClientIp": "41.58.12.100"
            }
        }
    });
    assert_eq!((shown.status, &shown.json), (200, &expected));
}

fn a_users_check_is_null_when_the_latest_record_failed(engine: Engine) {
    let host = Host::start(engine);
    host.send("SubmitLivenessCheckCommand", &jane(), &successful_run());
    host.send("UpdateLivenessCheckCommand", &jane(), &failed_run());

    let shown = host.send("GetUserLivenessCheckQuery", &admin(), &json!({ "userId": 1234 }));

    assert_eq!(shown.data()["HasCompletedLivenessCheck"], json!(false));
    assert_eq!(shown.data()["LivenessCheck"], Value::Null);
}

fn a_record_answers_with_the_fields_of_a_users_check_and_its_own(engine: Engine) {
    let host = Host::after_41_records(engine);
    host.send("SubmitLivenessCheckCommand", &jane(), &successful_run());
    let mut of_user = host.send("GetUserLivenessCheckQuery", &admin(), &json!({ "userId": 1234 }));
    host.send("UpdateLivenessCheckCommand", &jane(), &failed_run());

    let shown = host.send("GetLivenessCheckQuery", &admin(), &json!({ "id": 42 }));
    let failed = host.send("GetLivenessCheckQuery", &admin(), &json!({ "id": 43 }));
    let none = host.send("GetLivenessCheckQuery", &admin(), &json!({ "id": 44 }));

    // The specification's own query is the only one without.
    of_user.json["message"] = json!("Liveness check retrieved successfully.");
    let expected = &mut of_user.json["data"];
    expected["HasCompletedLivenessCheck"] = json!(false);
    let verdict = shown.data()["LivenessCheck"]["Verdict"].clone();
    assert!(
        verdict["Reasons"].is_array() && verdict["Policy"].is_string(),
        "{verdict}"
    );
    let own = json!({
        "Verdict": verdict, "Decisions": [], "IssuedSession": null,
        "PreRegistrationId": null,
        "Challenges": ["BLINK", "SMILE", "TURN_LEFT"],
        "FinalCaptureSessionDuration": 1100,
        "FinalCaptureLightingValue": 0.95,
        "ImageSessionDuration": 900,
        "ImageLightingValue": 0.91,
        "Metadata": successful_run()["metadata"],
        "ImageMetadata": successful_run()["imageMetadata"],
        // Of the bytes of the face, which is not sealed here.
        "Face": {
            "Sha256": "c2dc46280cab2b3dd49b2116fe08df7699bcc7ebe1eb67bff7a01aac9d5ec3e3",
            "ErasedAt": null, "ErasedBecause": null, "HeldSince": null,
        },
    });
    for (name, value) in own.as_object().unwrap() {
        expected["LivenessCheck"][name] = value.clone();
    }
    assert_eq!((shown.status, &shown.json), (200, &of_user.json));
    let of_failed = &failed.data()["LivenessCheck"];
    assert_eq!(
        (&of_failed["Id"], &of_failed["IsSuccessful"]),
        (&json!(43), &json!(false))
    );
    assert_eq!(none.codes(), (404, "25"));
}

fn the_list_answers_to_the_request_of_the_example(engine: Engine) {
    let host = Host::after_41_records(engine);
    host.send("SubmitLivenessCheckCommand", &jane(), &successful_run());

    let request = json!({ "selfServiceUserId": 1234, "pageNumber": 1, "pageSize": 20 });
    let listed = host.send("RetrieveLivenessChecksQuery", &admin(), &request);

    let verdict = listed.data()["Items"][0]["Verdict"].clone();
    assert!(verdict.is_string(), "{verdict}");
    let expected = json!({
        "Items": [{
            "Id": 42,
            "SelfServiceUserId": 1234,
            "PreRegistrationId": null,
            "UserId2": "USR-00001234",
            "EmailAddress": "customer@example.com",
            "DisplayName": "Jane Doe",
            "SessionId": "sdk-session-abc123",
            "IsSuccessful": true,
            "VerificationResult": true,
            "SessionDuration": 4200,
            "LightingValue": 0.93,
            "ChallengeCount": 3,
            "CompletedChallenges": ["BLINK", "SMILE", "TURN_LEFT"],
            "FinalCaptureVerificationResult": true,
            "HasImage": true,
            "ImagePath": null,
            "ImageVerificationResult": true,
            "CompletedAt": "2026-03-22T14:00:00Z",
            "CreatedAt": "2026-03-22T14:00:05Z",
            "DeviceInfo": "{\"userAgent\":\"...\",\"devicePlatform\":\"Android\",\"appVersion\":\"2.1.0\"}",
            "ClientIp": "41.58.12.100", "Verdict": verdict, "Decision": null
        }],
        "PageNumber": 1,
        "PageSize": 20,
        "TotalCount": 1,
        "TotalPages": 1,
        "HasPreviousPage": false,
        "HasNextPage": false
    });
    assert_eq!((listed.status, listed.data()), (200, &expected));
}

on_each_engine! {
    submit_and_update_answer_as_in_the_examples,
    status_answers_as_in_the_examples,
    a_users_check_answers_as_in_the_example,
    a_users_check_is_null_when_the_latest_record_failed,
    a_record_answers_with_the_fields_of_a_users_check_and_its_own,
    the_list_answers_to_the_request_of_the_example,
}
