//! The tables of cases of the rules about challenges.

use serde_json::json;

use super::*;
use crate::verdict::rules::sample::{Case, Sample, says, silent, try_cases};

/// Issued: BLINK, SMILE, TURN_LEFT.
fn completed(sample: &mut Sample, names: &[&str]) {
    sample.tells(None, [None, Some(names)]);
}

#[test]
fn of_an_issued_session_all_challenges_are_to_be_completed() {
    let cases: [Case; 14] = [
        ("all", |_| {}, silent()),
        (
            "none told",
            |sample| sample.tells(Some(3), [Some(&["BLINK", "SMILE", "TURN_LEFT"]), None]),
            says(json!(0), json!(3)),
        ),
        (
            "an empty list",
            |sample| completed(sample, &[]),
            says(json!(0), json!(3)),
        ),
        (
            "the first",
            |sample| completed(sample, &["BLINK"]),
            says(json!(1), json!(3)),
        ),
        (
            "the last",
            |sample| completed(sample, &["TURN_LEFT"]),
            says(json!(1), json!(3)),
        ),
        (
            "two of three",
            |sample| completed(sample, &["BLINK", "SMILE"]),
            says(json!(2), json!(3)),
        ),
        (
            "one three times",
            |sample| completed(sample, &["BLINK", "BLINK", "BLINK"]),
            says(json!(1), json!(3)),
        ),
        (
            "another in place of one",
            |sample| completed(sample, &["BLINK", "SMILE", "NOD"]),
            says(json!(2), json!(3)),
        ),
        (
            "all, in another order",
            |sample| completed(sample, &["TURN_LEFT", "SMILE", "BLINK"]),
            silent(),
        ),
        (
            "all, and one more",
            |sample| completed(sample, &["BLINK", "SMILE", "TURN_LEFT", "NOD"]),
            silent(),
        ),
        (
            "all, by the names of an SDK",
            |sample| {
                completed(
                    sample,
                    &["ChallengeType.blink", "ChallengeType.smile", "ChallengeType.turnLeft"],
                )
            },
            silent(),
        ),
        (
            "what the report was asked for does not count",
            |sample| sample.tells(Some(1), [Some(&["BLINK"]), Some(&["BLINK"])]),
            says(json!(1), json!(3)),
        ),
        (
            "one that is issued twice",
            |sample| {
                sample.issue(&["BLINK", "SMILE", "BLINK"], 10_000);
                completed(sample, &["BLINK", "SMILE"]);
            },
            says(json!(2), json!(3)),
        ),
        (
            "nothing was asked for",
            |sample| {
                sample.issue(&[], 10_000);
                sample.tells(None, [None, None]);
            },
            silent(),
        ),
    ];
    try_cases(cases, incomplete);
}

/// Without an issued session.
fn tells(sample: &mut Sample, count: Option<i64>, lists: [Option<&[&str]>; 2]) {
    sample.unbind();
    sample.tells(count, lists);
}

#[test]
fn without_an_issued_session_the_report_says_what_was_asked_for() {
    let cases: [Case; 12] = [
        ("all", |sample| sample.unbind(), silent()),
        ("nothing told", |sample| tells(sample, None, [None, None]), silent()),
        (
            "completed not told",
            |sample| tells(sample, Some(3), [Some(&["BLINK", "SMILE", "NOD"]), None]),
            silent(),
        ),
        (
            "asked not told",
            |sample| tells(sample, None, [None, Some(&["BLINK"])]),
            silent(),
        ),
        (
            "fewer by count",
            |sample| tells(sample, Some(3), [None, Some(&["BLINK"])]),
            says(json!(1), json!(3)),
        ),
        (
            "none by count",
            |sample| tells(sample, Some(3), [None, Some(&[])]),
            says(json!(0), json!(3)),
        ),
        (
            "fewer by list",
            |sample| tells(sample, None, [Some(&["BLINK", "SMILE"]), Some(&["SMILE"])]),
            says(json!(1), json!(2)),
        ),
        (
            "fewer by list, although not by count",
            |sample| tells(sample, Some(1), [Some(&["BLINK", "SMILE"]), Some(&["SMILE"])]),
            says(json!(1), json!(2)),
        ),
        (
            "fewer by count, although not by list",
            |sample| tells(sample, Some(3), [Some(&["BLINK"]), Some(&["BLINK"])]),
            says(json!(1), json!(3)),
        ),
        (
            "one three times",
            |sample| tells(sample, Some(3), [Some(&["BLINK", "SMILE", "NOD"]), Some(&["NOD"; 3])]),
            says(json!(1), json!(3)),
        ),
        (
            "all, in other words and another order",
            |sample| {
                let (asked, done) = (["ChallengeType.turnLeft", "blink"], ["BLINK", "TURN_LEFT"]);
                tells(sample, Some(2), [Some(&asked), Some(&done)]);
            },
            silent(),
        ),
        (
            "more than asked",
            |sample| tells(sample, Some(1), [Some(&["BLINK"]), Some(&["BLINK", "NOD"])]),
            silent(),
        ),
    ];
    try_cases(cases, incomplete);
}

fn out_of_order(completed: &[&str]) -> Option<Seen> {
    says(json!(completed), json!(["BLINK", "SMILE", "TURN_LEFT"]))
}

#[test]
fn of_an_issued_session_the_order_is_kept() {
    let cases: [Case; 15] = [
        ("as issued", |_| {}, silent()),
        (
            "by the names of an SDK",
            |sample| {
                completed(
                    sample,
                    &["ChallengeType.blink", "ChallengeType.smile", "ChallengeType.turnLeft"],
                )
            },
            silent(),
        ),
        ("not told", |sample| sample.tells(Some(3), [None, None]), silent()),
        ("none yet", |sample| completed(sample, &[]), silent()),
        ("the first only", |sample| completed(sample, &["BLINK"]), silent()),
        (
            "the first two",
            |sample| completed(sample, &["BLINK", "SMILE"]),
            silent(),
        ),
        (
            "one was left out",
            |sample| completed(sample, &["BLINK", "TURN_LEFT"]),
            out_of_order(&["BLINK", "TURN_LEFT"]),
        ),
        (
            "the last only",
            |sample| completed(sample, &["TURN_LEFT"]),
            out_of_order(&["TURN_LEFT"]),
        ),
        (
            "another order",
            |sample| completed(sample, &["SMILE", "BLINK", "TURN_LEFT"]),
            out_of_order(&["SMILE", "BLINK", "TURN_LEFT"]),
        ),
        (
            "one twice",
            |sample| completed(sample, &["BLINK", "BLINK", "SMILE", "TURN_LEFT"]),
            out_of_order(&["BLINK", "BLINK", "SMILE", "TURN_LEFT"]),
        ),
        (
            "one three times",
            |sample| completed(sample, &["BLINK", "BLINK", "BLINK"]),
            out_of_order(&["BLINK", "BLINK", "BLINK"]),
        ),
        (
            "one more",
            |sample| completed(sample, &["BLINK", "SMILE", "TURN_LEFT", "NOD"]),
            out_of_order(&["BLINK", "SMILE", "TURN_LEFT", "NOD"]),
        ),
        (
            "a wrong one",
            |sample| completed(sample, &["BLINK", "SMILE", "TURN_RIGHT"]),
            out_of_order(&["BLINK", "SMILE", "TURN_RIGHT"]),
        ),
        (
            "what the report was asked for does not count",
            |sample| sample.tells(None, [Some(&["NOD"]), Some(&["BLINK", "SMILE", "TURN_LEFT"])]),
            silent(),
        ),
        (
            "without an issued session",
            |sample| {
                completed(sample, &["TURN_LEFT", "BLINK"]);
                sample.unbind();
            },
            silent(),
        ),
    ];
    try_cases(cases, order);
}

#[test]
fn one_challenge_has_many_names() {
    let turn_left = [
        "TURN_LEFT",
        "turn_left",
        "turnLeft",
        "TURN-LEFT",
        "Turn Left",
        "turnleft",
        "ChallengeType.turnLeft",
        "ChallengeType.TURN_LEFT",
        "sdk.ChallengeType.turnLeft",
        ".turnLeft",
    ];
    for one in turn_left {
        for other in turn_left {
            assert!(is_same(one, other), "{one} and {other}");
        }
    }
    for other in [
        "TURN_RIGHT",
        "TURN",
        "LEFT",
        "turnLeft.",
        "turnLeft2",
        "",
        "ChallengeType",
        "türnLeft",
    ] {
        assert!(!is_same("TURN_LEFT", other), "{other}");
    }
    assert!(is_same("ÖFFNEN", "ÖFFNEN") && is_same("a.öffnen", "Öffnen") == is_same("ö", "Ö"));
}
