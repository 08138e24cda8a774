//! Rules about the alarms of the SDK: `alarm.flash`, `alarm.motion`, `alarm.depth`, `alarm.glare` and `alarm.contours`.
//!
//! An SDK may report success although it was alarmed itself, so its alarms are looked for in all that it reports.

mod true_fields;

use self::true_fields::for_each_true_field;
use super::Seen;
use crate::NewLivenessCheck;
use crate::policy::{Alarm, Effect};

/// Asks rules about alarms, all in one pass. A rule speaks if a field with one of its names, in any ASCII case, is true at any
/// level of `metadata` or `imageMetadata`. Seen are the names, as the policy has them.
///
/// The boolean `true` is true, and so is the text `true` in any ASCII case, for bridges that make texts of all values. If an object
/// has a name twice, one that is true is enough. Rules that are off are not asked.
pub(in crate::verdict) fn heard<const N: usize>(check: &NewLivenessCheck, rules: [&Alarm; N]) -> [Option<Seen>; N] {
    let mut heard = rules.map(|_| Vec::<&str>::new());
    if rules.iter().any(|rule| rule.effect != Effect::Off) {
        for object in [&check.metadata, &check.image_metadata].into_iter().flatten() {
            for_each_true_field(object.as_json(), |field| {
                for (rule, heard) in rules.iter().zip(&mut heard) {
                    hear(rule, field, heard);
                }
            });
        }
    }
    heard.map(|names| (!names.is_empty()).then(|| Seen::of(names)))
}

fn hear<'a>(rule: &'a Alarm, field: &str, heard: &mut Vec<&'a str>) {
    if rule.effect == Effect::Off {
        return;
    }
    let meant = rule.names.iter().find(|name| name.eq_ignore_ascii_case(field));
    if let Some(name) = meant.filter(|name| !heard.contains(&name.as_str())) {
        heard.push(name);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::sample::{Case, Sample, object, says, silent, try_cases};
    use super::*;
    use crate::policy::Policy;

    fn reports(sample: &mut Sample, metadata: &str) {
        sample.check.metadata = object(metadata);
    }

    #[test]
    fn an_alarm_is_heard_wherever_the_sdk_reports_it() {
        const SPEAKS: fn() -> Option<Seen> = || says(json!(["screenFlashSpoofDetected"]), json!(null));
        let cases: [Case; 20] = [
            ("the honest phone", |_| {}, silent()),
            (
                "nothing told",
                |sample| (sample.check.metadata, sample.check.image_metadata) = (None, None),
                silent(),
            ),
            (
                "where the SDK has it",
                |sample| reports(sample, r#"{"antiSpoofingDetection":{"screenFlashSpoofDetected":true}}"#),
                SPEAKS(),
            ),
            (
                "no alarm",
                |sample| {
                    reports(
                        sample,
                        r#"{"antiSpoofingDetection":{"screenFlashSpoofDetected":false}}"#,
                    )
                },
                silent(),
            ),
            (
                "at the top",
                |sample| reports(sample, r#"{"screenFlashSpoofDetected":true}"#),
                SPEAKS(),
            ),
            (
                "in the final capture",
                |sample| reports(sample, r#"{"finalCapture":{"screenFlashSpoofDetected":true}}"#),
                SPEAKS(),
            ),
            (
                "in a list",
                |sample| reports(sample, r#"{"frames":[{"a":1},{"screenFlashSpoofDetected":true}]}"#),
                SPEAKS(),
            ),
            (
                "of the image",
                |sample| sample.check.image_metadata = object(r#"{"screenFlashSpoofDetected":true}"#),
                SPEAKS(),
            ),
            (
                "of both, once",
                |sample| {
                    reports(sample, r#"{"screenFlashSpoofDetected":true}"#);
                    sample.check.image_metadata = object(r#"{"a":{"screenFlashSpoofDetected":true}}"#);
                },
                SPEAKS(),
            ),
            (
                "in another case",
                |sample| {
                    reports(
                        sample,
                        r#"{"ScreenFlashSpoofDetected":true,"SCREENFLASHSPOOFDETECTED":true}"#,
                    )
                },
                SPEAKS(),
            ),
            (
                "with escapes",
                |sample| reports(sample, r#"{"\u0073creen\u0046lashSpoofDetected":true}"#),
                SPEAKS(),
            ),
            (
                "as a text",
                |sample| reports(sample, r#"{"screenFlashSpoofDetected":"True"}"#),
                SPEAKS(),
            ),
            (
                "as a number, which is a score rather than an alarm",
                |sample| reports(sample, r#"{"screenFlashSpoofDetected":1}"#),
                silent(),
            ),
            (
                "twice, first true",
                |sample| {
                    reports(
                        sample,
                        r#"{"screenFlashSpoofDetected":true,"screenFlashSpoofDetected":false}"#,
                    )
                },
                SPEAKS(),
            ),
            (
                "twice, then true",
                |sample| {
                    reports(
                        sample,
                        r#"{"screenFlashSpoofDetected":false,"screenFlashSpoofDetected":true}"#,
                    )
                },
                SPEAKS(),
            ),
            (
                "behind a number that no parser takes",
                |sample| reports(sample, r#"{"x":1e999,"screenFlashSpoofDetected":true}"#),
                SPEAKS(),
            ),
            (
                "in a text",
                |sample| reports(sample, r#"{"note":"\"screenFlashSpoofDetected\":true"}"#),
                silent(),
            ),
            (
                "as a value",
                |sample| reports(sample, r#"{"true":"screenFlashSpoofDetected"}"#),
                silent(),
            ),
            (
                "a longer name",
                |sample| {
                    reports(
                        sample,
                        r#"{"screenFlashSpoofDetectedAt":true,"noScreenFlashSpoofDetected":true}"#,
                    )
                },
                silent(),
            ),
            (
                "an alarm of another rule",
                |sample| reports(sample, r#"{"depthSpoofDetected":true}"#),
                silent(),
            ),
        ];
        let policy = Policy::enforce();
        try_cases(cases, |facts| {
            let [flash] = heard(facts.check, [&policy.rules().alarm_flash]);
            flash
        });
    }

    #[test]
    fn each_rule_has_names_of_its_own_and_more_by_the_policy() {
        let policy = Policy::parse(
            "base = \"record\"\n[rules]\n\"alarm.depth\" = { names = [\"depthSpoofDetected\", \"isFlat\", \"übertrieben\"] }\n\
             \"alarm.motion\" = \"off\"\n",
        )
        .unwrap();
        let rules = policy.rules();
        let rules = [
            &rules.alarm_flash,
            &rules.alarm_motion,
            &rules.alarm_depth,
            &rules.alarm_glare,
            &rules.alarm_contours,
        ];
        let mut sample = Sample::honest();
        reports(
            &mut sample,
            r#"{"antiSpoofingDetection":{"screenGlareDetected":true,"ISFLAT":true,"lackOfFacialContoursDetected":"TRUE",
                "motionCorrelationCheckFailed":true,"depthSpoofDetected":true,"ÜBERTRIEBEN":true,"\u00fcBertrieben":true}}"#,
        );
        let expected = [
            silent(),
            silent(),
            says(json!(["isFlat", "depthSpoofDetected", "übertrieben"]), json!(null)),
            says(json!(["screenGlareDetected"]), json!(null)),
            says(json!(["lackOfFacialContoursDetected"]), json!(null)),
        ];
        assert_eq!(heard(&sample.check, rules), expected);
    }
}
