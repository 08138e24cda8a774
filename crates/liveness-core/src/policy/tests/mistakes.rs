//! Every kind of mistake in a policy file is named with its line.

use super::in_part;
use crate::policy::Policy;

fn mistakes(text: &str) -> Vec<String> {
    let mistakes = Policy::parse(text).expect_err(text);
    mistakes.iter().map(ToString::to_string).collect()
}

/// A line in a part, which is the third of its file, and what is said of it.
const MISTAKES: [(&str, &str, &str); 33] = [
    (
        "looks",
        "purpos = true",
        "looks.purpos: there is no such key in [looks]; did you mean purpose?",
    ),
    (
        "looks",
        "x = 1",
        "looks.x: there is no such key in [looks]; known are purpose, faces_a_day",
    ),
    ("looks", "purpose = \"yes\"", "looks.purpose: must be true or false"),
    (
        "looks",
        "faces_a_day = 0",
        "looks.faces_a_day: must be a whole number from 1 to 10000, or \"off\"",
    ),
    (
        "looks",
        "faces_a_day = -1",
        "looks.faces_a_day: must be a whole number from 1 to 10000, or \"off\"",
    ),
    (
        "looks",
        "faces_a_day = 1.5",
        "looks.faces_a_day: must be a whole number from 1 to 10000, or \"off\"",
    ),
    (
        "looks",
        "faces_a_day = \"500\"",
        "looks.faces_a_day: must be a whole number from 1 to 10000, or \"off\"",
    ),
    (
        "looks",
        "faces_a_day = false",
        "looks.faces_a_day: must be a whole number from 1 to 10000, or \"off\"",
    ),
    (
        "session",
        "ttl = \"25h\"",
        "session.ttl: must be a duration such as \"90s\", \"5m\", \"12h\" or \"30d\", from \"1s\" to \"1d\"",
    ),
    (
        "session",
        "ttl = 300",
        "session.ttl: must be a duration such as \"90s\", \"5m\", \"12h\" or \"30d\", from \"1s\" to \"1d\"",
    ),
    (
        "session",
        "ttl = \"forever\"",
        "session.ttl: must be a duration such as \"90s\", \"5m\", \"12h\" or \"30d\", from \"1s\" to \"1d\"",
    ),
    (
        "session",
        "ttl = \"5 months\"",
        "session.ttl: must be a duration such as \"90s\", \"5m\", \"12h\" or \"30d\", from \"1s\" to \"1d\"",
    ),
    (
        "session",
        "count = 6",
        "session.count: must be at most 5, as many as there are challenges",
    ),
    (
        "session",
        "challenges = [\"NOD\"]",
        "session.count: must be at most 1, as many as there are challenges",
    ),
    (
        "session",
        "challenges = []",
        "session.challenges: must be a list of 1 to 100 names, each of 1 to 64 characters, none of them twice",
    ),
    (
        "session",
        "challenges = [\"NOD\", \"NOD\"]",
        "session.challenges: must be a list of 1 to 100 names, each of 1 to 64 characters, none of them twice",
    ),
    (
        "session",
        "challenges = [\"NOD\", \"turn_left\", \"ChallengeType.turnLeft\"]",
        "session.challenges: must be a list of 1 to 100 names, each of 1 to 64 characters, none of them twice",
    ),
    (
        "rules",
        "\"alarm.flash\" = { names = [\"flashSpoof\", \"FlashSpoof\"] }",
        "rules.alarm.flash.names: must be a list of 1 to 100 names, each of 1 to 64 characters, none of them twice",
    ),
    (
        "attempts",
        "in_a_row = 5",
        "attempts.in_a_row: must have a delay beside it, which says how long to wait, such as delay = \"30s\"",
    ),
    (
        "attempts",
        "other_way = \"\"",
        "attempts.other_way: must be a text of 1 to 1000 characters without control characters, or \"off\"",
    ),
    (
        "quota",
        "bytes_a_day = 100",
        "quota.bytes_a_day: must be a size such as \"100 MB\", \"64 KiB\" or \"512 B\", from 1 B to 9000 TB, or \"off\"",
    ),
    (
        "quota",
        "bytes_a_day = \"0 B\"",
        "quota.bytes_a_day: must be a size such as \"100 MB\", \"64 KiB\" or \"512 B\", from 1 B to 9000 TB, or \"off\"",
    ),
    (
        "retention",
        "passed = \"off\"",
        "retention.passed: must be a duration such as \"90s\", \"5m\", \"12h\" or \"30d\", from \"1s\" to \"36500d\", or \"forever\"",
    ),
    (
        "retention",
        "passed = \"99999999999999999999d\"",
        "retention.passed: must be a duration such as \"90s\", \"5m\", \"12h\" or \"30d\", from \"1s\" to \"36500d\", or \"forever\"",
    ),
    (
        "rules",
        "\"claim.failed\" = \"refuse\"",
        "rules.claim.failed: must be \"off\", \"note\", \"review\" or \"reject\"",
    ),
    (
        "rules",
        "\"claim.faild\" = \"reject\"",
        "rules.claim.faild: there is no such key in [rules]; did you mean claim.failed?",
    ),
    (
        "rules",
        "\"claim.failed\" = { at_least = 0.5 }",
        "rules.claim.failed.at_least: this rule has no bounds, only an effect",
    ),
    (
        "rules",
        "\"time.clock\" = { at_least = \"5m\" }",
        "rules.time.clock.at_least: this rule has no such bound; did you mean at_most?",
    ),
    (
        "rules",
        "\"time.clock\" = { at_mos = \"5m\" }",
        "rules.time.clock.at_mos: this rule has no such bound; did you mean at_most?",
    ),
    (
        "rules",
        "\"image.broken\" = { effect = \"no\" }",
        "rules.image.broken.effect: must be \"off\", \"note\", \"review\" or \"reject\"",
    ),
    (
        "rules",
        "\"image.broken\" = 200",
        "rules.image.broken: must be \"off\", \"note\", \"review\" or \"reject\", or a table such as { effect = \"review\", at_least = 200 } with effect, at_least",
    ),
    (
        "rules",
        "\"light.constant\" = { values = [2] }",
        "rules.light.constant.values: must be a list of at most 100 numbers from 0 to 1",
    ),
    (
        "rules",
        "claim.failed = \"reject\"",
        "rules.claim: a name with a dot needs quotes: \"claim.failed\"",
    ),
];

#[test]
fn every_mistake_is_named_with_its_line_and_what_would_be_right() {
    for (part, line, expected) in MISTAKES {
        assert_eq!(
            mistakes(&in_part(part, line)),
            [format!("line 3: {expected}")],
            "{line}"
        );
    }
}

#[test]
fn what_is_no_toml_and_what_is_said_twice_is_named_with_its_line() {
    let cases = [
        (
            "looks",
            "purpose = true\npurpose = true",
            "line 4: purpose: is said twice; leave one of them out",
        ),
        (
            "looks",
            "purpose = true\n[looks]",
            "line 4: looks: is said twice; leave one of them out",
        ),
        ("looks", "purpose = yes", "line 3: no valid TOML: "),
        ("looks", "purpose true", "line 3: no valid TOML: "),
        ("looks", "purpose = \"", "line 3: no valid TOML: "),
        ("rules", "\"image.broken\" = { at_least = 1", "line 3: no valid TOML: "),
    ];
    for (part, line, expected) in cases {
        let found = mistakes(&in_part(part, line));
        assert!(found[0].starts_with(expected), "{line}: {found:?}");
    }
}

#[test]
fn a_policy_begins_with_its_base_and_has_no_parts_of_its_own() {
    let missing = "base: is missing: a policy begins with base = \"record\" or base = \"enforce\"";
    let cases = [
        ("", format!("line 1: {missing}")),
        ("[session]\nrequired = false\n", format!("line 1: {missing}")),
        (
            "\nbase = \"strict\"\n",
            "line 2: base: must be \"record\" or \"enforce\"".to_owned(),
        ),
        (
            "base = 1\n",
            "line 1: base: must be \"record\" or \"enforce\"".to_owned(),
        ),
        (
            "base = \"record\"\n[lokks]\n",
            "line 2: lokks: there is no such part; did you mean looks?".to_owned(),
        ),
        (
            "base = \"record\"\nrequired = true\n",
            "line 2: required: must be below its part: [session]".to_owned(),
        ),
        (
            "bse = 1\nbase = \"record\"\n",
            "line 1: bse: there is no such key; did you mean base?".to_owned(),
        ),
        (
            "wat = 1\nbase = \"record\"\n",
            "line 1: wat: there is no such key; known are base".to_owned(),
        ),
        (
            "base = \"record\"\nlooks = true\n",
            "line 2: looks: must be a part: [looks], and its keys below".to_owned(),
        ),
        (
            "base = \"record\"\n[[looks]]\npurpose = true\n",
            "line 2: looks: must be a part: [looks], and its keys below".to_owned(),
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(mistakes(text), [expected], "{text:?}");
    }
}

#[test]
fn all_mistakes_are_named_at_once_in_the_order_of_their_lines() {
    let text = "bse = \"record\"\n[session]\nrequired = 1\nttl = \"0s\"\n[looks]\npurpose = yes\n[rules]\nclaim.failed = \"off\"\n\
                \"time.clock\" = { effect = 1, at_most = 2 }\n[nothing]\n";

    let found = mistakes(text);

    let lines: Vec<_> = found.iter().map(|mistake| mistake.split(':').next().unwrap()).collect();
    let expected = [
        "line 1", "line 1", "line 3", "line 4", "line 6", "line 8", "line 9", "line 9", "line 10",
    ];
    assert_eq!(lines, expected, "{found:#?}");
}
