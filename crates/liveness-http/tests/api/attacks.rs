//! What an attacker with a customer's token tries, against the running binary under the policy `enforce`; and the honest phone
//! beside it, which passes.

use std::fs;
use std::thread::sleep;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jsonwebtoken::get_current_timestamp;
use serde_json::{Value, json};

use crate::concurrency::at_once;
use crate::engine::{Engine, on_each_engine};
use crate::server::{Answer, Server, admin, customer};

const ENFORCE: [(&str, &str); 1] = [("LIVENESS_POLICY", "enforce")];
const START: &str = "StartLivenessSessionCommand";
const SUBMIT: &str = "SubmitLivenessCheckCommand";
const UPDATE: &str = "UpdateLivenessCheckCommand";
/// A picture that has at least 200 pixels on each side.
const PICTURE: &[u8] = include_bytes!("../../../../docs/images/review-sign-in.png");
/// The least time that three challenges take, with a margin.
const A_RUN: Duration = Duration::from_millis(1300);

/// The picture of somebody, in Base64. What stands behind a picture is not read, so each has bytes of its own.
fn face_of(somebody: &str) -> String {
    STANDARD.encode([PICTURE, somebody.as_bytes()].concat())
}

fn start(node: &Server, user: i64) -> Value {
    let started = node.send(START, &customer(user), &json!({}));
    assert_eq!(started.codes(), (200, "00"), "{started:?}");
    started.data().clone()
}

/// What an honest phone reports of a run in this session.
fn honest(user: i64, session: &Value) -> Value {
    json!({
        "sessionId": format!("sdk-{user}"),
        "issuedSessionId": session["sessionId"],
        "isSuccessful": true,
        "imageBase64": face_of(&user.to_string()),
        "metadata": {
            "timestamp": get_current_timestamp() * 1000,
            "verificationResult": true,
            "sessionDuration": 1250,
            "lightingValue": 0.61,
            "challengeCount": 3,
            "challenges": session["challenges"],
            "completedChallenges": session["challenges"],
            "finalCapture": {"verificationResult": true},
            "antiSpoofingDetection": {"screenFlashSpoofDetected": false, "screenGlareDetected": false},
        },
        "imageMetadata": {"verificationResult": true},
    })
}

fn has_passed(node: &Server, user: i64) -> bool {
    let status = node.send("CheckLivenessStatusQuery", &customer(user), &json!({}));
    status.data()["HasCompletedLivenessCheck"] == json!(true)
}

/// The verdict on a record: its outcome, and the codes of the rules that spoke.
fn verdict(node: &Server, recorded: &Answer) -> (String, Vec<String>) {
    assert_eq!(recorded.codes(), (200, "00"), "{recorded:?}");
    let look = json!({"id": recorded.data()["id"], "purpose": "a test"});
    let shown = node.send("GetLivenessCheckQuery", &admin(), &look);
    let verdict = &shown.data()["LivenessCheck"]["Verdict"];
    let codes = verdict["Reasons"].as_array().unwrap().iter();
    let codes = codes.map(|reason| reason["Code"].as_str().unwrap().to_owned());
    (verdict["Outcome"].as_str().unwrap().to_owned(), codes.collect())
}

/// What an attacker changes in an honest report.
type Change = fn(&mut Value);

const ATTACKS: [(&str, Change, &str, &str); 7] = [
    (
        "challenges in another order",
        |report| {
            let completed = report["metadata"]["completedChallenges"].as_array_mut().unwrap();
            completed.reverse();
        },
        "rejected",
        "challenges.order",
    ),
    (
        "faster than a person",
        |report| report["metadata"]["sessionDuration"] = json!(300),
        "review",
        "time.too_fast",
    ),
    (
        "longer than the session is there",
        |report| report["metadata"]["sessionDuration"] = json!(60_000),
        "rejected",
        "time.impossible",
    ),
    (
        "the face of somebody else",
        |report| report["imageBase64"] = json!(face_of("100")),
        "rejected",
        "image.reused",
    ),
    (
        "an alarm of the SDK, with success",
        |report| report["metadata"]["antiSpoofingDetection"]["screenFlashSpoofDetected"] = json!(true),
        "rejected",
        "alarm.flash",
    ),
    (
        "metadata that contradicts itself",
        |report| report["metadata"]["finalCapture"]["verificationResult"] = json!(false),
        "review",
        "claim.contradiction",
    ),
    (
        "challenges that were not done",
        |report| {
            let completed = report["metadata"]["completedChallenges"].as_array_mut().unwrap();
            completed.pop();
        },
        "rejected",
        "challenges.incomplete",
    ),
];

fn what_is_recorded_of_an_attack_passes_nobody_and_the_honest_phone_passes_beside_it(engine: Engine) {
    let node = Server::with(engine, &ENFORCE);
    let session = start(&node, 100);
    let sessions: Vec<_> = (0..ATTACKS.len() as i64).map(|user| start(&node, user + 1)).collect();
    let second = start(&node, 100);
    sleep(A_RUN);

    let passed = node.send(SUBMIT, &customer(100), &honest(100, &session));
    assert_eq!(verdict(&node, &passed), ("accepted".to_owned(), vec![]));
    assert_eq!(passed.data()["verdict"], json!("accepted"));
    assert!(has_passed(&node, 100));
    // One's own face again: a person looks.
    let again = node.send(SUBMIT, &customer(100), &honest(100, &second));
    let (outcome, codes) = verdict(&node, &again);
    assert_eq!(
        (outcome.as_str(), codes.contains(&"image.reused".to_owned())),
        ("review", true)
    );

    for ((user, (attack, change, outcome, code)), session) in (1..).zip(ATTACKS).zip(&sessions) {
        let mut report = honest(user, session);
        change(&mut report);
        let recorded = node.send(SUBMIT, &customer(user), &report);
        assert_eq!(
            verdict(&node, &recorded),
            (outcome.to_owned(), vec![code.to_owned()]),
            "{attack}"
        );
        assert!(!has_passed(&node, user), "{attack}");
        let message = recorded.json["message"].as_str().unwrap();
        assert!(!message.contains(code), "{attack}: {message}");
    }
}

fn what_names_no_good_session_is_not_recorded(engine: Engine) {
    let node = Server::with(engine, &ENFORCE);
    let session = start(&node, 1);
    sleep(A_RUN);
    let report = honest(1, &session);
    let mut hand_made = report.clone();
    hand_made.as_object_mut().unwrap().remove("issuedSessionId");

    let without = node.send(SUBMIT, &customer(1), &hand_made);
    let of_another = node.send(SUBMIT, &customer(2), &report);
    let used = node.send(SUBMIT, &customer(1), &report);
    let replayed = node.send(SUBMIT, &customer(1), &report);

    let codes = [&without, &of_another, &used, &replayed].map(Answer::codes);
    assert_eq!(codes, [(409, "94"), (409, "94"), (200, "00"), (409, "94")]);
    assert_eq!([1, 2].map(|user| has_passed(&node, user)), [true, false]);
}

fn an_expired_session_is_410(engine: Engine) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("policy.toml");
    fs::write(&file, "base = \"enforce\"\n[session]\nttl = \"1s\"\n").unwrap();
    let node = Server::with(engine, &[("LIVENESS_POLICY", file.to_str().unwrap())]);
    let session = start(&node, 1);
    sleep(A_RUN);

    let late = node.send(SUBMIT, &customer(1), &honest(1, &session));

    assert_eq!((late.codes(), has_passed(&node, 1)), ((410, "25"), false));
}

fn two_submissions_at_once_on_two_nodes_are_one(engine: Engine) {
    let one = Server::with(engine, &ENFORCE);
    let other = one.beside();
    let session = start(&one, 1);
    sleep(A_RUN);
    let report = honest(1, &session);

    let nodes = [one, other];
    let mut codes = at_once(2, |place| nodes[place].send(SUBMIT, &customer(1), &report).codes().0);

    codes.sort_unstable();
    assert_eq!(codes, [200, 409]);
}

/// Fails in each of these sessions, on two nodes in turn. Returns the statuses.
fn fail_in_each(nodes: &[Server; 2], sessions: &[Value]) -> Vec<u16> {
    let fail = |(place, session): (usize, &Value)| {
        let failed = json!({"sessionId": session["sessionId"], "isSuccessful": false});
        nodes[place % 2].send(UPDATE, &customer(1), &failed).codes().0
    };
    sessions.iter().enumerate().map(fail).collect()
}

fn sessions_that_are_started_before_the_failures_do_not_pass_the_wait(engine: Engine) {
    let one = Server::with(engine, &ENFORCE);
    let nodes = [one.beside(), one];
    let sessions: Vec<_> = (0..60).map(|place| start(&nodes[place % 2], 1)).collect();

    let answers = fail_in_each(&nodes, &sessions);

    // Five attempts are left, so five sessions are open: the newest.
    assert_eq!(answers, [[410; 55].as_slice(), &[200; 5]].concat());
    assert_eq!(nodes[0].send(START, &customer(1), &json!({})).codes(), (429, "65"));
    assert_eq!(nodes[1].send(START, &customer(2), &json!({})).codes(), (200, "00"));
}

fn sixty_failures_lock_the_user_until_an_administrator_unlocks_them(engine: Engine) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("policy.toml");
    fs::write(&file, "base = \"enforce\"\n[attempts]\nin_a_row = \"off\"\n").unwrap();
    let one = Server::with(engine, &[("LIVENESS_POLICY", file.to_str().unwrap())]);
    let nodes = [one.beside(), one];
    let sessions: Vec<_> = (0..50).map(|place| start(&nodes[place % 2], 1)).collect();

    let answers = fail_in_each(&nodes, &[sessions.as_slice(), &sessions[..10]].concat());

    assert_eq!(answers, [[200; 50].as_slice(), &[403; 10]].concat());
    let locked = nodes[0].send(START, &customer(1), &json!({}));
    assert_eq!(locked.codes(), (403, "62"));
    assert_eq!(nodes[1].send(START, &customer(2), &json!({})).codes(), (200, "00"));
    let unlock = json!({"userId": 1, "reason": "Passport seen"});
    assert_eq!(
        nodes[1].send("UnlockUserCommand", &admin(), &unlock).codes(),
        (200, "00")
    );
    // Fifty records are what a day allows, too.
    let unlocked = nodes[0].send(START, &customer(1), &json!({}));
    assert_eq!((unlocked.codes(), has_passed(&nodes[0], 1)), ((429, "65"), false));
}

fn five_failures_in_a_row_make_the_user_wait(engine: Engine) {
    let node = Server::with(engine, &ENFORCE);
    let left: Vec<_> = (0..5)
        .map(|_| {
            let session = start(&node, 1);
            let failed = json!({"sessionId": session["sessionId"], "isSuccessful": false});
            assert_eq!(node.send(UPDATE, &customer(1), &failed).codes(), (200, "00"));
            session["attemptsLeft"].as_i64().unwrap()
        })
        .collect();
    assert_eq!(left, [5, 4, 3, 2, 1]);

    let waits = node.send(START, &customer(1), &json!({}));

    assert_eq!(waits.codes(), (429, "65"));
    let seconds: u64 = waits.header("Retry-After").unwrap().parse().unwrap();
    assert!((1..=30).contains(&seconds), "{seconds}");
}

on_each_engine! {
    what_is_recorded_of_an_attack_passes_nobody_and_the_honest_phone_passes_beside_it,
    what_names_no_good_session_is_not_recorded,
    an_expired_session_is_410,
    two_submissions_at_once_on_two_nodes_are_one,
    sessions_that_are_started_before_the_failures_do_not_pass_the_wait,
    sixty_failures_lock_the_user_until_an_administrator_unlocks_them,
    five_failures_in_a_row_make_the_user_wait,
}
