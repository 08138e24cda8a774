//! A reviewer before the page: a browser, a host with records, and the way in.

use serde_json::{Value, json};

use crate::driver::Browser;
use crate::engine::Engine;
use crate::server::{Answer, FACE, Server, admin, post, token};

const UPDATE: &str = "UpdateLivenessCheckCommand";

/// Where the page is, on a host and with a browser of the test's own.
pub struct Reviewer {
    pub browser: Browser,
    pub server: Server,
}

impl Reviewer {
    /// Before an empty host.
    pub fn new() -> Self {
        Self::with(&[])
    }

    /// The same with settings of the host's.
    pub fn with(settings: &[(&str, &str)]) -> Self {
        Self {
            browser: Browser::start(),
            server: Server::with(Engine::Sqlite, settings),
        }
    }

    /// Opens the page at a place.
    pub fn open(&self, place: &str) {
        self.browser
            .open(&format!("http://{}/admin{place}", self.server.address()));
    }

    /// Opens the page at a place, and signs in as an administrator.
    pub fn enter(&self, place: &str) {
        self.open(place);
        sign_in(&self.browser, &admin());
        self.browser
            .until("document.querySelector('#sign-out') && !document.querySelector('[aria-busy]')");
    }

    /// Opens the page at a place, and signs in as this administrator, with this browser.
    pub fn enter_as(&self, browser: &Browser, name: &str, place: &str) {
        browser.open("about:blank");
        browser.open(&format!("http://{}/admin{place}", self.server.address()));
        sign_in(browser, &token(&json!({ "sub": name, "role": "admin" })));
        browser.until("document.querySelector('#sign-out') && !document.querySelector('[aria-busy]')");
    }

    /// The record with this number, as another administrator is shown it.
    pub fn shown(&self, id: i64) -> Value {
        let other = token(&json!({ "sub": "other", "role": "admin" }));
        let answer = self.server.send("GetLivenessCheckQuery", &other, &json!({ "id": id }));
        assert_eq!(answer.status, 200, "{}", answer.json);
        answer.data()["LivenessCheck"].clone()
    }

    /// Records a run of a user.
    pub fn record(&self, user: i64, body: &Value) -> Answer {
        self.record_from(&json!({ "sub": user.to_string(), "role": "customer" }), &[], body)
    }

    /// The same with claims and headers of the phone's.
    pub fn record_from(&self, claims: &Value, headers: &[(&str, &str)], body: &Value) -> Answer {
        let bearer = format!("Bearer {}", token(claims));
        let headers = [&[("Authorization", &*bearer)], headers].concat();
        let answer = post(self.server.address(), UPDATE, &headers, body.to_string().as_bytes());
        assert_eq!(answer.status, 200, "{}", answer.json);
        answer
    }

    /// Ends the test: nothing was tried that the page's policy forbids, no script failed, and of what could not be loaded
    /// there is no more than the test knows of.
    pub fn leave(self, known: &[&str]) {
        let is_known = |complaint: &String| known.iter().any(|part| complaint.contains(part));
        let unknown: Vec<_> = self
            .browser
            .complaints()
            .into_iter()
            .filter(|text| !is_known(text))
            .collect();
        assert_eq!(unknown, [""; 0]);
    }
}

/// A host's settings for a policy, `record` with these lines besides; and the folder of the policy's file.
pub fn policy(lines: &str) -> (String, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("policy.toml");
    std::fs::write(&file, format!("base = \"record\"\n{lines}\n")).unwrap();
    (file.to_str().unwrap().to_owned(), folder)
}

pub fn sign_in(browser: &Browser, token: &str) {
    browser.fill("#token", token);
    browser.click("form button");
}

/// A run with everything in it that there is.
pub fn full_run(session: &str) -> Value {
    json!({
        "sessionId": session,
        "isSuccessful": true,
        "imageBase64": face(),
        "metadata": {
            "completedAt": "2026-03-22T14:00:00Z",
            "verificationResult": true,
            "sessionDuration": 4200,
            "lightingValue": 0.93,
            "challengeCount": 3,
            "completedChallenges": ["BLINK", "TURN_LEFT"],
            "challenges": ["BLINK", "SMILE", "TURN_LEFT"],
            "finalCapture": { "verificationResult": true, "sessionDuration": 1100, "lightingValue": 0.95, "depth": 0.1 },
            "spoofAlarm": "screen replay suspected",
        },
        "imageMetadata": { "verificationResult": true, "sessionDuration": 900, "lightingValue": 0.915 },
    })
}

pub fn face() -> String {
    data_uri(FACE.to_vec())
}

/// The same face in other bytes, by a comment of its own: no two of these were recorded before.
pub fn face_of(number: u8) -> String {
    let comment = [0xff, 0xfe, 0, 3, number];
    data_uri([&FACE[..2], &comment, &FACE[2..]].concat())
}

fn data_uri(bytes: Vec<u8>) -> String {
    liveness_core::FaceImage::from_bytes(bytes).unwrap().to_data_uri()
}
