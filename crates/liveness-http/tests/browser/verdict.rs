//! The verdict: its reasons in words, what it cannot tell, and issued challenges beside those that were completed.

use liveness_core::policy::Policy;
use serde_json::{Value, json};

use crate::reviewer::{Reviewer, face_of};
use crate::server::customer;

#[test]
#[ignore = "needs chromedriver: .ci/test"]
fn each_reason_is_a_sentence_with_what_was_seen_and_its_bound() {
    let reviewer = Reviewer::new();
    let run = json!({
        "sessionId": "s-1", "isSuccessful": true, "imageBase64": face_of(1),
        "metadata": {
            "verificationResult": true, "sessionDuration": 900, "lightingValue": 0.5,
            "challenges": ["BLINK", "SMILE", "NOD"], "completedChallenges": ["BLINK", "SMILE", "NOD"],
            "antiSpoofingDetection": { "screenGlareDetected": true },
        },
    });
    reviewer.record(1, &run);
    reviewer.enter("#/checks/1");
    let browser = &reviewer.browser;

    browser.sees("A person has to look at this report.");
    let told = browser.text("#verdict");
    for sentence in [
        "Took 900 ms for 3 challenges; at least 1,200 ms are expected.",
        "The phone saw a glare, as of a screen that was filmed. It says so in screenGlareDetected.",
        "The image has 96 pixels on its shorter side; at least 200 are expected.",
        "The light value 0.5 is one that phones give when they could not measure it.",
        "The run belongs to no session that this server issued: the report names none.",
        "Nobody has seen whether this is a living person.",
    ] {
        assert!(told.contains(sentence), "{sentence}: {told}");
    }
    reviewer.leave(&[]);
}

/// The codes of all rules, as a policy prints them, without comments.
fn codes() -> Vec<String> {
    let printed = Policy::enforce().to_toml();
    let rules = printed.split_once("[rules]").unwrap().1;
    let lines = rules.lines().take_while(|line| !line.starts_with('['));
    lines
        .filter_map(|line| Some(line.strip_prefix('"')?.split_once('"')?.0.to_owned()))
        .collect()
}

#[test]
#[ignore = "needs chromedriver: .ci/test"]
fn every_rule_has_a_sentence_and_what_is_not_known_is_shown_as_it_is() {
    let reviewer = Reviewer::new();
    reviewer.open("");
    let say = |reason: &Value| {
        let check = json!({ "Verdict": { "Outcome": "review", "Policy": "0123", "Reasons": [reason] } });
        let told = reviewer.browser.script_async(&format!(
            "import('/admin/verdict.js').then(({{ verdictPanel }}) => \
             verdictPanel({check}).querySelector('.reasons li').children[1].textContent)"
        ));
        told.as_str().unwrap().to_owned()
    };
    let numbers = [
        "time.too_fast",
        "time.impossible",
        "time.clock",
        "challenges.incomplete",
    ];
    let codes = codes();
    assert!(codes.len() >= 17, "{codes:?}");

    for code in &codes {
        let (saw, bound) = match code.as_str() {
            number if numbers.contains(&number) => (json!(1), json!(2)),
            "challenges.order" => (json!(["NOD"]), json!(["BLINK"])),
            "image.reused" => (json!(["another_user", 7]), json!(null)),
            _ => (json!("x"), json!(null)),
        };
        let told = say(&json!({ "Code": code, "Effect": "review", "Saw": saw, "Bound": bound }));
        assert!(
            !told.contains("It saw") && !told.contains("This rule spoke"),
            "{code}: {told}"
        );
        // What is not of the kind that the page expects takes no reason away.
        assert!(!say(&json!({ "Code": code, "Effect": "new", "Saw": null, "Bound": null })).is_empty());
    }
    let unknown = json!({ "Code": "moon.phase", "Effect": "note", "Saw": { "phase": "full" }, "Bound": [1] });
    assert_eq!(say(&unknown), "It saw {\"phase\":\"full\"}. Its bound is [1].");
    reviewer.leave(&[]);
}

#[test]
#[ignore = "needs chromedriver: .ci/test"]
fn issued_challenges_stand_beside_completed_ones_with_their_times() {
    let reviewer = Reviewer::new();
    let issued = reviewer
        .server
        .send("StartLivenessSessionCommand", &customer(1), &json!({}));
    assert_eq!(issued.status, 200, "{}", issued.json);
    let session = issued.data()["sessionId"].as_str().unwrap().to_owned();
    let asked: Vec<_> = issued.data()["challenges"].as_array().unwrap().clone();
    let done = [&asked[1], &asked[0]];
    let run = json!({
        "sessionId": session, "isSuccessful": true,
        "metadata": { "completedChallenges": done, "challengeResults": [
            { "challenge": done[0], "completedAt": "2026-03-22T14:00:01.250Z" }, { "challenge": done[1], "durationMs": 1300 },
        ] },
    });
    reviewer.record(1, &run);
    let browser = &reviewer.browser;
    browser.chromium("Emulation.setTimezoneOverride", &json!({ "timezoneId": "UTC" }));

    reviewer.enter("#/checks/1");

    browser.until("document.querySelector('.issued')");
    let rows = browser.script(
        "return [...document.querySelectorAll('.issued tbody tr')].map((row) => [...row.cells].map((cell) => cell.innerText))",
    );
    let expected = json!([
        [asked[0], done[0], "14:00:01.250", "✕ another one"],
        [asked[1], done[1], "1.3 s", "✕ another one"],
        [asked[2], "–", "–", "✕ missing"],
    ]);
    assert_eq!(rows, expected);
    browser.sees(&format!("in session {session}"));
    reviewer.leave(&[]);
}

#[test]
#[ignore = "needs chromedriver: .ci/test"]
fn times_of_challenges_are_found_in_the_forms_that_phones_have() {
    let reviewer = Reviewer::new();
    reviewer.open("");
    let times = |metadata: Value| {
        let check = json!({
            "Metadata": metadata, "Challenges": ["BLINK", "TURN_LEFT"], "IssuedSession": null,
            "CompletedChallenges": ["ChallengeType.blink", "ChallengeType.turnLeft"],
        });
        reviewer.browser.script_async(&format!(
            "import('/admin/challenge_times.js').then(({{ challengeTimes }}) => {{ const of = challengeTimes({check}); \
             return {check}.CompletedChallenges.map(of); }})"
        ))
    };

    for (metadata, expected) in [
        (
            json!({ "challengeTimes": { "BLINK": 900, "turn_left": 1200 } }),
            json!(["0.9 s", "1.2 s"]),
        ),
        (json!({ "challengeDurations": [900, 1200] }), json!(["0.9 s", "1.2 s"])),
        (
            json!({ "challengeDurationsSeconds": [0.9, 1.2] }),
            json!(["0.9 s", "1.2 s"]),
        ),
        (
            json!({ "challengeResults": [{ "type": "turnLeft", "durationMs": 1200 }] }),
            json!([null, "1.2 s"]),
        ),
        (
            json!({ "challengeLog": [{ "name": "BLINK", "startMs": 10, "durationMs": 900 }] }),
            json!(["startMs 0.01 s, durationMs 0.9 s", null]),
        ),
        // Of another length than what was completed, other things, and nothing.
        (json!({ "challengeTimes": [900] }), json!([null, null])),
        (
            json!({ "challengeTimes": "soon", "challengeSeed": 7, "times": [1, 2] }),
            json!([null, null]),
        ),
        (json!(null), json!([null, null])),
    ] {
        assert_eq!(times(metadata.clone()), expected, "{metadata}");
    }
    reviewer.leave(&[]);
}
