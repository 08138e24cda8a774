//! The tables of cases of the rules about time.

use serde_json::json;

use super::*;
use crate::verdict::rules::sample::{Case, NOW, Sample, at, says, silent, try_cases};

/// Without an issued session.
fn tells(sample: &mut Sample, count: Option<i64>, lists: [Option<&[&str]>; 2], run: i64) {
    sample.unbind();
    sample.tells(count, lists);
    sample.lasts([Some(run), None, None]);
}

#[test]
fn a_run_takes_time_for_each_challenge() {
    let cases: [Case; 16] = [
        ("the honest phone", |_| {}, silent()),
        (
            "just long enough",
            |sample| sample.lasts([Some(1200), None, None]),
            silent(),
        ),
        (
            "too short",
            |sample| sample.lasts([Some(1199), None, None]),
            says(json!(1199), json!(1200)),
        ),
        (
            "no time",
            |sample| sample.lasts([Some(0), None, None]),
            says(json!(0), json!(1200)),
        ),
        (
            "a picture is a part of the run",
            |sample| sample.lasts([None, Some(10), Some(10)]),
            silent(),
        ),
        (
            "too short by our clock, whatever the phone tells",
            |sample| sample.issue(&["BLINK", "SMILE", "TURN_LEFT"], 1199),
            says(json!(1199), json!(1200)),
        ),
        (
            "too short by our clock, and nothing told",
            |sample| {
                sample.issue(&["BLINK", "SMILE", "TURN_LEFT"], 5);
                sample.lasts([None; 3]);
            },
            says(json!(5), json!(1200)),
        ),
        (
            "long enough by our clock",
            |sample| {
                sample.issue(&["BLINK", "SMILE", "TURN_LEFT"], 1200);
                sample.lasts([None; 3]);
            },
            silent(),
        ),
        (
            "our clock went back",
            |sample| sample.issue(&["BLINK"], -60_000),
            says(json!(0), json!(400)),
        ),
        (
            "as many as issued, however few are told",
            |sample| {
                sample.tells(Some(1), [Some(&["BLINK"]), Some(&["BLINK"])]);
                sample.lasts([Some(500), None, None]);
            },
            says(json!(500), json!(1200)),
        ),
        (
            "unbound, by count",
            |sample| tells(sample, Some(3), [None, None], 1199),
            says(json!(1199), json!(1200)),
        ),
        (
            "unbound, by the list presented",
            |sample| tells(sample, None, [Some(&["BLINK", "NOD"]), None], 799),
            says(json!(799), json!(800)),
        ),
        (
            "unbound, by the list completed",
            |sample| tells(sample, None, [None, Some(&["BLINK", "NOD"])], 799),
            says(json!(799), json!(800)),
        ),
        (
            "unbound, by the most",
            |sample| tells(sample, Some(1), [Some(&["BLINK", "NOD"]), Some(&[])], 800),
            silent(),
        ),
        (
            "unbound, and no challenges told",
            |sample| tells(sample, None, [None, None], 0),
            silent(),
        ),
        (
            "unbound, and no duration told",
            |sample| {
                sample.unbind();
                sample.lasts([None, Some(1), Some(1)]);
            },
            silent(),
        ),
    ];
    try_cases(cases, |facts| too_fast(facts, Duration::from_millis(400)));
}

#[test]
fn nothing_takes_longer_than_since_the_session_was_issued() {
    let cases: [Case; 12] = [
        ("the honest phone", |_| {}, silent()),
        (
            "all of the time",
            |sample| sample.lasts([Some(10_000), None, None]),
            silent(),
        ),
        (
            "within the leeway",
            |sample| sample.lasts([Some(12_000), None, None]),
            silent(),
        ),
        (
            "beyond it",
            |sample| sample.lasts([Some(12_001), None, None]),
            says(json!(12_001), json!(12_000)),
        ),
        (
            "a final capture beyond it",
            |sample| sample.lasts([Some(4200), Some(12_001), None]),
            says(json!(12_001), json!(12_000)),
        ),
        (
            "an image beyond it",
            |sample| sample.lasts([None, None, Some(i64::from(i32::MAX))]),
            says(json!(i32::MAX), json!(12_000)),
        ),
        ("nothing told", |sample| sample.lasts([None; 3]), silent()),
        (
            "at once",
            |sample| sample.issue(&["BLINK"], 0),
            says(json!(4200), json!(2000)),
        ),
        (
            "the clock of another node is a little behind",
            |sample| sample.issue(&["BLINK"], -100),
            says(json!(4200), json!(1900)),
        ),
        (
            "as far behind as the leeway",
            |sample| sample.issue(&["BLINK"], -2000),
            says(json!(4200), json!(0)),
        ),
        (
            "our clock went back",
            |sample| sample.issue(&["BLINK"], -2001),
            silent(),
        ),
        (
            "unbound",
            |sample| {
                sample.unbind();
                sample.lasts([Some(i64::from(i32::MAX)), None, None]);
            },
            silent(),
        ),
    ];
    try_cases(cases, |facts| impossible(facts, Duration::from_secs(2)));
}

/// The phone's times, in milliseconds after now.
fn phone(sample: &mut Sample, timestamp: Option<i64>, completed_at: Option<i64>) {
    sample.check.metrics.timestamp = timestamp.map(|millis| NOW + millis);
    sample.check.metrics.completed_at = completed_at.map(at);
}

#[test]
fn a_clock_that_is_far_off_is_told() {
    const AT_MOST: i64 = 300_000;
    let cases: [Case; 11] = [
        ("the honest phone", |_| {}, silent()),
        ("nothing told", |sample| phone(sample, None, None), silent()),
        (
            "behind, within the bound",
            |sample| phone(sample, Some(-AT_MOST), Some(-AT_MOST)),
            silent(),
        ),
        (
            "ahead, within the bound",
            |sample| phone(sample, Some(AT_MOST), Some(AT_MOST)),
            silent(),
        ),
        (
            "behind",
            |sample| phone(sample, Some(-AT_MOST - 1), None),
            says(json!(-300_001), json!(AT_MOST)),
        ),
        (
            "ahead",
            |sample| phone(sample, None, Some(AT_MOST + 1)),
            says(json!(300_001), json!(AT_MOST)),
        ),
        (
            "the further one",
            |sample| phone(sample, Some(-400_000), Some(500_000)),
            says(json!(500_000), json!(AT_MOST)),
        ),
        (
            "the further one, behind",
            |sample| phone(sample, Some(-600_000), Some(500_000)),
            says(json!(-600_000), json!(AT_MOST)),
        ),
        (
            "a phone without a battery",
            |sample| phone(sample, Some(-NOW), None),
            says(json!(-NOW), json!(AT_MOST)),
        ),
        (
            "seconds for milliseconds",
            |sample| phone(sample, Some(NOW / 1000 - NOW), Some(0)),
            says(json!(NOW / 1000 - NOW), json!(AT_MOST)),
        ),
        (
            "the end of all numbers",
            |sample| sample.check.metrics.timestamp = Some(i64::MAX),
            says(json!(i64::MAX - NOW), json!(AT_MOST)),
        ),
    ];
    try_cases(cases, |facts| clock(facts, Duration::from_secs(300)));
}
