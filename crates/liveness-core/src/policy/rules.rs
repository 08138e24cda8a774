//! The rules of the verdict: what each does when it speaks, and its bounds.

use std::time::Duration;

use toml::de::{DeTable, DeValue};

use super::base::Base;
use super::effect::{Effect, EffectWord};
use super::forms::{Count, Form as _, Span};
use super::table::{Keys, Line, Wrong, keys, nearest};
use super::texts::{Names, Shares, quoted};

const MILLISECOND: Duration = Duration::from_millis(1);
const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

keys! {
    /// A rule without bounds.
    Rule {
        /// What it does when it speaks.
        effect: Effect as EffectWord;
    }
}

keys! {
    /// The rule `time.too_fast`.
    TooFast {
        /// What it does when it speaks.
        effect: Effect as EffectWord, Effect::Review, Effect::Review;
        /// The least time for each challenge.
        at_least: Duration as Span(MILLISECOND, MINUTE), 400 * MILLISECOND, 400 * MILLISECOND;
    }
}

keys! {
    /// The rule `time.impossible`.
    Impossible {
        /// What it does when it speaks.
        effect: Effect as EffectWord, Effect::Reject, Effect::Reject;
        /// How much longer than possible a run may be.
        leeway: Duration as Span(Duration::ZERO, 60 * MINUTE), 2000 * MILLISECOND, 2000 * MILLISECOND;
    }
}

keys! {
    /// The rule `time.clock`.
    ClockOff {
        /// What it does when it speaks.
        effect: Effect as EffectWord, Effect::Note, Effect::Note;
        /// How far off the phone's clock may be.
        at_most: Duration as Span(Duration::ZERO, 365 * DAY), 5 * MINUTE, 5 * MINUTE;
    }
}

keys! {
    /// A rule about an alarm of the SDK.
    Alarm {
        /// What it does when it speaks.
        effect: Effect as EffectWord;
        /// The names of the fields in which SDKs report the alarm.
        names: Vec<String> as Names(str::eq_ignore_ascii_case);
    }
}

keys! {
    /// The rule `image.broken`.
    BrokenImage {
        /// What it does when it speaks.
        effect: Effect as EffectWord, Effect::Review, Effect::Review;
        /// The least pixels on a side.
        at_least: u32 as Count(1, 10_000), 200, 200;
    }
}

keys! {
    /// The rule `image.reused`.
    ReusedImage {
        /// What it does when the image was recorded for another user.
        effect: Effect as EffectWord, Effect::Reject, Effect::Reject;
        /// What it does when the image was recorded for the same user.
        same_user: Effect as EffectWord, Effect::Review, Effect::Review;
    }
}

keys! {
    /// The rule `light.constant`.
    ConstantLight {
        /// What it does when it speaks.
        effect: Effect as EffectWord, Effect::Note, Effect::Note;
        /// What SDKs report when they could not measure.
        values: Vec<f64> as Shares, vec![0.0, 0.5], vec![0.0, 0.5];
    }
}

fn rule(effect: Effect) -> Rule {
    Rule { effect }
}

fn alarm(effect: Effect, name: &str) -> Alarm {
    let names = vec![name.to_owned()];
    Alarm { effect, names }
}

/// Declares the rules: what makes each of them speak, its code, and what it is under a base.
macro_rules! rules {
    ($($(#[doc = $says:literal])+ $field:ident: $type:ty = $code:literal, $default:expr;)+) => {
        /// The rules of the verdict. Each is documented with what makes it speak.
        #[derive(Debug, Clone, PartialEq)]
        #[non_exhaustive]
        pub struct Rules {
            $($(#[doc = $says])+ pub $field: $type,)+
        }

        impl Rules {
            /// The codes of the rules, in the order of the policy.
            pub const CODES: &'static [&'static str] = &[$($code),+];

            pub(super) fn of(base: Base) -> Self {
                fn default<T>(of: impl Fn(Base) -> T, base: Base) -> T {
                    of(base)
                }
                Self { $($field: default($default, base),)+ }
            }
        }

        impl Keys for Rules {
            fn keys(&self) -> &'static [&'static str] {
                Self::CODES
            }

            fn set(&mut self, key: &str, value: &DeValue<'_>) -> Result<(), Vec<Wrong>> {
                match key {
                    $($code => set(&mut self.$field, value),)+
                    _ => Ok(()),
                }
            }

            fn lines(&self) -> Vec<Line> {
                vec![$(Line {
                    key: quoted($code),
                    value: written(&self.$field),
                    says: &[$($says),+],
                }),+]
            }
        }
    };
}

rules! {
    /// `isSuccessful` or `verificationResult` is false.
    claim_failed: Rule = "claim.failed", |_| rule(Effect::Reject);
    /// The verdicts in metadata, finalCapture and imageMetadata disagree with `isSuccessful`.
    claim_contradiction: Rule = "claim.contradiction", |_| rule(Effect::Review);
    /// The report names no session that the server has issued.
    session_unbound: Rule = "session.unbound", |base| rule(base.choose(Effect::Note, Effect::Review));
    /// Fewer challenges were completed than asked for, or none was told of for an issued session.
    challenges_incomplete: Rule = "challenges.incomplete", |_| rule(Effect::Reject);
    /// The completed challenges are not those that were issued, in their order.
    challenges_order: Rule = "challenges.order", |_| rule(Effect::Reject);
    /// The run took less than `at_least` for each challenge.
    time_too_fast: TooFast = "time.too_fast", TooFast::of;
    /// The run took longer than the time since its session was issued, and `leeway`.
    time_impossible: Impossible = "time.impossible", Impossible::of;
    /// The phone's clock is more than `at_most` off.
    time_clock: ClockOff = "time.clock", ClockOff::of;
    /// The SDK reports one of `names` as true: its screen flash shows a spoof.
    alarm_flash: Alarm = "alarm.flash", |_| alarm(Effect::Reject, "screenFlashSpoofDetected");
    /// The SDK reports one of `names` as true: face and phone do not move together.
    alarm_motion: Alarm = "alarm.motion", |_| alarm(Effect::Reject, "motionCorrelationCheckFailed");
    /// The SDK reports one of `names` as true: the face is flat.
    alarm_depth: Alarm = "alarm.depth", |_| alarm(Effect::Reject, "depthSpoofDetected");
    /// The SDK reports one of `names` as true: a screen glares.
    alarm_glare: Alarm = "alarm.glare", |_| alarm(Effect::Review, "screenGlareDetected");
    /// The SDK reports one of `names` as true: a face without contours.
    alarm_contours: Alarm = "alarm.contours", |_| alarm(Effect::Review, "lackOfFacialContoursDetected");
    /// Success is claimed without an image.
    image_missing: Rule = "image.missing", |_| rule(Effect::Review);
    /// The image does not decode, or has fewer than `at_least` pixels on a side.
    image_broken: BrokenImage = "image.broken", BrokenImage::of;
    /// The very bytes of the image were recorded before: `effect` for another user, `same_user` for this one.
    image_reused: ReusedImage = "image.reused", ReusedImage::of;
    /// The light is one of `values`, which SDKs give when they could not measure, or that of the user's last run.
    light_constant: ConstantLight = "light.constant", ConstantLight::of;
    /// An attestation of the phone and the app, which the backend around this one has asked for, did not pass.
    attestation_failed: Rule = "attestation.failed", |_| rule(Effect::Review);
}

/// Sets a rule to a word, which is its effect whatever the case, or to a table of an effect and bounds.
fn set(rule: &mut impl Keys, value: &DeValue<'_>) -> Result<(), Vec<Wrong>> {
    match value {
        DeValue::Table(table) => set_keys(rule, table),
        word if EffectWord.read(word).is_some() => {
            let effects = rule.keys().iter().filter(|key| ["effect", "same_user"].contains(*key));
            effects.copied().try_for_each(|key| rule.set(key, word))
        }
        _ => Err(vec![Wrong::must_be(&what_is_right(rule))]),
    }
}

fn what_is_right(rule: &impl Keys) -> String {
    let words = EffectWord.must_be();
    match rule.keys() {
        [_] => words,
        [_, bounds @ ..] => format!(
            "{words}, or a table such as {} with effect, {}",
            written(rule),
            bounds.join(", ")
        ),
        [] => String::new(),
    }
}

fn set_keys(rule: &mut impl Keys, table: &DeTable<'_>) -> Result<(), Vec<Wrong>> {
    let mut wrong = Vec::new();
    for (key, value) in table {
        let (offset, key) = (Some(key.span().start), key.get_ref().as_ref());
        if !rule.keys().contains(&key) {
            let message = match rule.keys() {
                [_] => format!(".{key}: this rule has no bounds, only an effect"),
                keys => format!(".{key}: this rule has no such bound{}", nearest(key, keys)),
            };
            wrong.push(Wrong { offset, message });
        } else if let Err(within) = rule.set(key, value.get_ref()) {
            let message = |within: Wrong| format!(".{key}{}", within.message);
            wrong.extend(within.into_iter().map(|within| Wrong {
                offset,
                message: message(within),
            }));
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong) }
}

/// A rule as TOML: a word, if it has no bounds.
fn written(rule: &impl Keys) -> String {
    let lines = rule.lines();
    match lines.as_slice() {
        [effect] => effect.value.clone(),
        lines => {
            let pairs: Vec<_> = lines
                .iter()
                .map(|line| format!("{} = {}", line.key, line.value))
                .collect();
            format!("{{ {} }}", pairs.join(", "))
        }
    }
}
