//! Tests of the verdict: which rules are asked, and what decides.

use super::*;
use crate::verdict::rules::sample::{NOW, Sample, light, object};
use crate::verdict::{Picture, Reuse, VerdictOutcome};
use crate::{Attestation, SessionDuration};

fn codes(verdict: &Verdict) -> Vec<&str> {
    verdict.reasons.iter().map(|reason| reason.code.as_ref()).collect()
}

/// A rule, and what makes it speak.
type Speaks = (&'static str, fn(&mut Sample));

/// All rules, in the order of the policy.
fn all() -> [Speaks; 18] {
    [
        ("claim.failed", |sample| {
            sample.check.is_successful = false;
            sample.check.metrics.run.verification_result = Some(false);
            sample.check.metrics.final_capture.verification_result = Some(false);
            sample.check.image_metrics.verification_result = Some(false);
        }),
        ("claim.contradiction", |sample| {
            sample.check.image_metrics.verification_result = Some(false);
        }),
        ("session.unbound", Sample::unbind),
        ("challenges.incomplete", |sample| sample.tells(Some(3), [None, None])),
        ("challenges.order", |sample| {
            sample.tells(None, [None, Some(&["SMILE", "BLINK", "TURN_LEFT"])]);
        }),
        ("time.too_fast", |sample| sample.lasts([Some(100), None, None])),
        ("time.impossible", |sample| sample.lasts([Some(60_000), None, None])),
        ("time.clock", |sample| sample.check.metrics.timestamp = Some(0)),
        ("alarm.flash", |sample| {
            sample.check.metadata = object(r#"{"screenFlashSpoofDetected":true}"#);
        }),
        ("alarm.motion", |sample| {
            sample.check.metadata = object(r#"{"motionCorrelationCheckFailed":true}"#);
        }),
        ("alarm.depth", |sample| {
            sample.check.metadata = object(r#"{"depthSpoofDetected":true}"#);
        }),
        ("alarm.glare", |sample| {
            sample.check.metadata = object(r#"{"screenGlareDetected":true}"#);
        }),
        ("alarm.contours", |sample| {
            sample.check.metadata = object(r#"{"lackOfFacialContoursDetected":true}"#);
        }),
        ("image.missing", |sample| {
            (sample.check.image, sample.picture) = (None, None);
        }),
        ("image.broken", |sample| {
            sample.picture = Some(Picture::Broken("cut off"))
        }),
        ("image.reused", |sample| {
            sample.reuse = Some(Reuse {
                check_id: 41,
                of_another_user: true,
            });
        }),
        ("light.constant", |sample| {
            sample.check.metrics.run.lighting_value = light(0.5);
        }),
        ("attestation.failed", |sample| {
            sample.check.attestation = Some(Attestation {
                provider: "app_attest".to_owned(),
                passed: false,
            });
        }),
    ]
}

#[test]
fn the_honest_phone_is_accepted_by_both_policies() {
    for policy in [Policy::record(), Policy::enforce()] {
        let verdict = judge(&Sample::honest().facts(), &policy, "v");
        assert_eq!(verdict, Verdict::of("v".to_owned(), Vec::new()));
        assert_eq!(verdict.outcome, VerdictOutcome::Accepted);
    }
}

#[test]
fn each_rule_of_the_policy_speaks_alone_and_with_its_effect() {
    let policy = Policy::enforce();
    let effects: Vec<Effect> = all()
        .map(|(code, change)| {
            let mut sample = Sample::honest();
            change(&mut sample);
            let verdict = judge(&sample.facts(), &policy, "v");
            assert_eq!(codes(&verdict), [code]);
            assert_eq!(verdict.outcome, VerdictOutcome::of(verdict.reasons[0].effect), "{code}");
            verdict.reasons[0].effect
        })
        .to_vec();

    use Effect::{Note, Reject, Review};
    let expected = [
        Reject, Review, Review, Reject, Reject, Review, Reject, Note, Reject, Reject, Reject, Review, Review, Review,
        Review, Reject, Note, Review,
    ];
    assert_eq!(effects, expected);
    assert_eq!(all().map(|(code, _)| code), Rules::CODES);
}

#[test]
fn a_rule_that_is_off_is_not_asked() {
    for (code, change) in all() {
        let policy = Policy::parse(&format!("base = \"enforce\"\n[rules]\n\"{code}\" = \"off\"\n")).unwrap();
        let mut sample = Sample::honest();
        change(&mut sample);
        assert_eq!(codes(&judge(&sample.facts(), &policy, "v")), [""; 0], "{code}");
    }
}

#[test]
fn the_worst_effect_decides_and_all_rules_that_spoke_are_told_in_the_order_of_the_policy() {
    let mut sample = Sample::honest();
    // A later one undoes what an earlier one changed, where both change the same.
    for (_, change) in all()
        .into_iter()
        .rev()
        .filter(|(code, _)| *code != "challenges.incomplete")
    {
        change(&mut sample);
    }
    sample.check.image_metrics.verification_result = Some(true);
    let alarms = r#"{"screenFlashSpoofDetected":true,"motionCorrelationCheckFailed":true,"depthSpoofDetected":true,
        "screenGlareDetected":true,"lackOfFacialContoursDetected":true}"#;
    sample.check.image_metadata = object(alarms);

    let verdict = judge(&sample.facts(), &Policy::record(), "v");

    let told: Vec<&&str> = Rules::CODES
        .iter()
        .filter(|code| codes(&verdict).contains(code))
        .collect();
    assert_eq!(codes(&verdict).iter().collect::<Vec<_>>(), told);
    assert!(told.len() >= 12, "{told:?}");
    assert_eq!(verdict.outcome, VerdictOutcome::Rejected);
    assert_eq!(verdict.policy, "v");
}

#[test]
fn of_a_reused_image_each_user_has_an_effect() {
    let of = |of_another_user, rule: &str| {
        let policy = Policy::parse(&format!("base = \"enforce\"\n[rules]\n\"image.reused\" = {rule}\n")).unwrap();
        let mut sample = Sample::honest();
        sample.reuse = Some(Reuse {
            check_id: 41,
            of_another_user,
        });
        judge(&sample.facts(), &policy, "v")
            .reasons
            .first()
            .map(|reason| reason.effect)
    };
    let cases = [
        ("{ same_user = \"review\" }", Some(Effect::Reject), Some(Effect::Review)),
        ("{ same_user = \"off\" }", Some(Effect::Reject), None),
        ("{ effect = \"off\" }", None, Some(Effect::Review)),
        ("\"off\"", None, None),
        ("\"note\"", Some(Effect::Note), Some(Effect::Note)),
    ];
    for (rule, another, same) in cases {
        assert_eq!((of(true, rule), of(false, rule)), (another, same), "{rule}");
    }
}

#[test]
fn bounds_are_those_of_the_policy() {
    let policy = Policy::parse(
        "base = \"enforce\"\n[rules]\n\"time.too_fast\" = { at_least = \"1400ms\" }\n\"time.impossible\" = { leeway = \"0s\" }\n\
         \"time.clock\" = { at_most = \"1s\" }\n\"image.broken\" = { at_least = 481 }\n\"light.constant\" = { values = [0.93] }\n\
         \"alarm.glare\" = { names = [\"verificationResult\"] }\n",
    )
    .unwrap();
    let mut sample = Sample::honest();
    sample.check.metrics.run.session_duration = SessionDuration::from_millis(4199).ok();
    sample.check.metrics.final_capture.session_duration = SessionDuration::from_millis(10_001).ok();
    sample.check.metrics.timestamp = Some(NOW + 1001);
    sample.check.metadata = object(r#"{"verificationResult":true}"#);

    let verdict = judge(&sample.facts(), &policy, "v");

    let expected = [
        "time.too_fast",
        "time.impossible",
        "time.clock",
        "alarm.glare",
        "image.broken",
        "light.constant",
    ];
    assert_eq!(codes(&verdict), expected);
}

#[test]
fn a_verdict_names_no_user_and_no_field_of_the_phone_but_what_a_rule_saw() {
    let mut sample = Sample::honest();
    for (_, change) in all() {
        change(&mut sample);
    }
    let told = format!("{:?}", judge(&sample.facts(), &Policy::record(), "v"));
    for secret in ["1234", "USR-", "sdk-session", "lvs_"] {
        assert!(!told.contains(secret), "{secret} in {told}");
    }
}
