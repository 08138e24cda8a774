//! Tests of the policy: what the two words say, and what is printed.

mod mistakes;

use std::time::Duration;

use super::*;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn in_part(part: &str, line: &str) -> String {
    format!("base = \"record\"\n[{part}]\n{line}\n")
}

#[test]
fn the_word_record_refuses_nothing_and_keeps_everything() {
    let policy = Policy::default();

    assert_eq!(policy, Policy::record());
    assert_eq!((policy.session().required, policy.session().count), (false, 3));
    assert_eq!(policy.session().ttl, Duration::from_secs(300));
    assert_eq!(
        policy.session().challenges.join(" "),
        "BLINK SMILE TURN_LEFT TURN_RIGHT NOD"
    );
    let attempts = policy.attempts();
    assert_eq!((attempts.in_a_row, attempts.delay, attempts.in_all), (None, None, None));
    assert_eq!((policy.quota().records_a_day, policy.quota().bytes_a_day), (None, None));
    assert_eq!((policy.verdict().counts, policy.review().second), (false, false));
    assert_eq!((policy.looks().purpose, policy.looks().faces_a_day), (false, None));
    let retention = policy.retention();
    assert_eq!(
        (retention.passed, retention.not_passed, retention.records),
        (None, None, None)
    );
    assert_eq!(retention.rotate, Some(30 * DAY));
    assert_eq!(policy.rules().session_unbound.effect, Effect::Note);
}

#[test]
fn the_word_enforce_refuses_and_keeps_faces_for_a_time() {
    let policy = Policy::enforce();

    assert!(policy.session().required && policy.verdict().counts && policy.looks().purpose);
    let attempts = policy.attempts();
    assert_eq!((attempts.in_a_row, attempts.in_all), (Some(5), Some(50)));
    assert_eq!(attempts.delay, Some(Duration::from_secs(30)));
    assert_eq!(policy.quota().records_a_day, Some(50));
    assert_eq!(policy.quota().bytes_a_day, Some(100_000_000));
    assert!(!policy.review().second);
    assert_eq!(policy.looks().faces_a_day, Some(500));
    let retention = policy.retention();
    assert_eq!(
        (retention.passed, retention.not_passed),
        (Some(365 * DAY), Some(30 * DAY))
    );
    assert_eq!((retention.records, retention.rotate), (None, Some(30 * DAY)));
    assert_eq!(policy.rules().session_unbound.effect, Effect::Review);
}

#[test]
fn the_rules_have_the_effects_and_bounds_of_the_contract() {
    let written = Policy::record().to_toml();
    let rules = [
        r#""claim.failed" = "reject""#,
        r#""claim.contradiction" = "review""#,
        r#""session.unbound" = "note""#,
        r#""challenges.incomplete" = "reject""#,
        r#""challenges.order" = "reject""#,
        r#""time.too_fast" = { effect = "review", at_least = "400ms" }"#,
        r#""time.impossible" = { effect = "reject", leeway = "2s" }"#,
        r#""time.clock" = { effect = "note", at_most = "5m" }"#,
        r#""alarm.flash" = { effect = "reject", names = ["screenFlashSpoofDetected"] }"#,
        r#""alarm.motion" = { effect = "reject", names = ["motionCorrelationCheckFailed"] }"#,
        r#""alarm.depth" = { effect = "reject", names = ["depthSpoofDetected"] }"#,
        r#""alarm.glare" = { effect = "review", names = ["screenGlareDetected"] }"#,
        r#""alarm.contours" = { effect = "review", names = ["lackOfFacialContoursDetected"] }"#,
        r#""image.missing" = "review""#,
        r#""image.broken" = { effect = "review", at_least = 200 }"#,
        r#""image.reused" = { effect = "reject", same_user = "review" }"#,
        r#""light.constant" = { effect = "note", values = [0.0, 0.5] }"#,
        r#""attestation.failed" = "review""#,
    ];
    for rule in rules {
        assert!(written.lines().any(|line| line == rule), "{rule} in\n{written}");
    }
}

#[test]
fn a_file_says_what_differs_from_its_base() {
    let policy = Policy::parse(
        "# ours\nbase = \"enforce\"\n[rules]\n\"claim.failed\" = \"review\"\n\"time.too_fast\" = { at_least = \"250 ms\" }\n\
         [attempts]\nother_way = \"Call us: 0800 1234\"\n[retention]\npassed = \"forever\"\nnot_passed = \"2w\"\n",
    )
    .unwrap();

    let expected = [
        "attempts.other_way",
        "rules.claim.failed",
        "rules.time.too_fast",
        "retention.passed",
        "retention.not_passed",
    ];
    assert_eq!(policy.differences(&Policy::enforce()), expected);
    assert_eq!(policy.rules().time_too_fast.effect, Effect::Review);
    assert_eq!(policy.rules().time_too_fast.at_least, Duration::from_millis(250));
    assert_eq!(policy.retention().not_passed, Some(14 * DAY));
    assert_eq!(policy.attempts().other_way.as_deref(), Some("Call us: 0800 1234"));
}

#[test]
fn a_word_sets_both_effects_of_a_reused_image() {
    let off = Policy::parse(&in_part("rules", r#""image.reused" = "off""#)).unwrap();
    let one = Policy::parse(&in_part("rules", r#""image.reused" = { same_user = "off" }"#)).unwrap();

    let effects = |policy: &Policy| {
        (
            policy.rules().image_reused.effect,
            policy.rules().image_reused.same_user,
        )
    };
    assert_eq!(effects(&off), (Effect::Off, Effect::Off));
    assert_eq!(effects(&one), (Effect::Reject, Effect::Off));
}

#[test]
fn what_is_printed_is_read_as_the_same_policy_of_the_same_version() {
    for policy in [Policy::record(), Policy::enforce()] {
        let printed = policy.to_toml();
        let read = Policy::parse(&printed).unwrap();
        assert_eq!(read, policy);
        assert_eq!(printed.lines().next(), Some(format!("# {}", read.version()).as_str()));
    }
}

#[test]
fn the_version_is_the_digest_of_the_lines_that_say_something() {
    use sha2::{Digest as _, Sha256};

    let printed = Policy::enforce().to_toml();
    let said = printed
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    let said: String = said.map(|line| format!("{line}\n")).collect();
    let digest: String = Sha256::digest(said).iter().map(|byte| format!("{byte:02x}")).collect();

    assert_eq!(Policy::enforce().version(), digest);
    assert_ne!(Policy::record().version(), digest);
}

#[test]
fn comments_order_and_spelling_do_not_change_the_version() {
    let one = "base = \"record\"\n[looks]\npurpose = true\nfaces_a_day = 500\n[retention]\npassed = \"7d\"\n";
    let other =
        "# why\nbase = 'record'\nretention.passed = \"1w\"\n[looks]\nfaces_a_day = 0x1f4 # many\npurpose = true\n";

    let (one, other) = (Policy::parse(one).unwrap(), Policy::parse(other).unwrap());

    assert_eq!(one.version(), other.version());
    assert_ne!(one.version(), Policy::record().version());
}

/// For each part, keys with values that they can have.
const VALUES: [(&str, &str, &[&str]); 22] = [
    ("session", "required", &["true", "false"]),
    ("session", "ttl", &["\"1s\"", "\"90s\"", "\"1d\"", "\"1500ms\""]),
    (
        "session",
        "challenges",
        &["[\"A\", \"B\", \"C\"]", "[\"é\\\"\\\\\", \"b\\tc\", \"D\"]"],
    ),
    ("session", "count", &["1", "2", "3"]),
    ("attempts", "delay", &["\"1s\"", "\"1h\""]),
    ("attempts", "in_a_row", &["1", "\"off\"", "1000000"]),
    ("attempts", "in_all", &["\"off\"", "7"]),
    (
        "attempts",
        "other_way",
        &["\"off\"", "\"Say \\\"hello\\\" \\\\ été\"", "'c:\\x'"],
    ),
    ("quota", "records_a_day", &["\"off\"", "50"]),
    (
        "quota",
        "bytes_a_day",
        &["\"off\"", "\"1 B\"", "\"1500 kB\"", "\"3MiB\"", "\"9000 TB\""],
    ),
    ("verdict", "counts", &["true", "false"]),
    (
        "rules",
        "\"claim.failed\"",
        &["\"off\"", "\"note\"", "{ effect = \"review\" }"],
    ),
    ("rules", "\"time.too_fast\"", &["\"off\"", "{ at_least = \"1ms\" }"]),
    (
        "rules",
        "\"time.impossible\"",
        &["\"note\"", "{ leeway = \"0s\" }", "{ leeway = \"0ms\" }"],
    ),
    ("rules", "\"alarm.flash\"", &["\"note\"", "{ names = [\"a\", \"b\"] }"]),
    ("rules", "\"image.reused\"", &["\"note\"", "{ same_user = \"off\" }"]),
    (
        "rules",
        "\"light.constant\"",
        &["\"off\"", "{ values = [] }", "{ values = [1, 1e-7, -0.0, 0.3] }"],
    ),
    ("review", "second", &["true", "false"]),
    ("looks", "faces_a_day", &["\"off\"", "1", "10000"]),
    ("retention", "passed", &["\"forever\"", "\"1s\"", "\"36500d\""]),
    ("retention", "records", &["\"forever\"", "\"1d\"", "\"36500d\""]),
    ("retention", "rotate", &["\"off\"", "\"12h\"", "\"30d\""]),
];

/// The next number of a sequence that looks random (Knuth's MMIX).
fn next(state: &mut u64) -> usize {
    *state = state
        .wrapping_mul(6_364_136_223_846_793_005)
        .wrapping_add(1_442_695_040_888_963_407);
    (*state >> 33) as usize
}

/// A policy file that says something of some keys.
fn random_file(state: &mut u64) -> String {
    let mut file = format!("base = \"{}\"\n", ["record", "enforce"][next(state) % 2]);
    let mut part = "";
    for (of, key, values) in VALUES {
        // A number of attempts needs a delay.
        if next(state).is_multiple_of(3) && !["delay", "count"].contains(&key) {
            continue;
        }
        if part != of {
            file += &format!("[{of}]\n");
            part = of;
        }
        file += &format!("{key} = {}\n", values[next(state) % values.len()]);
    }
    file
}

#[test]
fn any_policy_is_printed_as_what_it_is() {
    let mut state = 20_261_130;
    for _ in 0..2000 {
        let file = random_file(&mut state);
        let policy = Policy::parse(&file).unwrap_or_else(|mistakes| panic!("{mistakes} in\n{file}"));
        let printed = policy.to_toml();
        let read = Policy::parse(&printed).unwrap_or_else(|mistakes| panic!("{mistakes} in\n{printed}"));
        assert_eq!(read, policy, "{file}");
        assert_eq!(read.to_toml(), printed, "{file}");
    }
}
