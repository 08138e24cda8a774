//! Asks the rules of a policy about a report.

use super::facts::Facts;
use super::outcome::{Reason, Verdict};
use super::rules::{Seen, alarms, attestation, challenges, claim, image, light, session, time};
use crate::policy::{Effect, Policy, Rules};

/// Judges a report by the rules of a policy. `version` is the [version](Policy::version) of that policy, which is not made
/// here because it costs more than all rules.
///
/// The same facts have the same verdict under the same policy, whenever they are judged. Rules that are off are not asked.
pub fn judge(facts: &Facts<'_>, policy: &Policy, version: &str) -> Verdict {
    let mut reasons = Reasons(Vec::new());
    let (rules, check) = (policy.rules(), facts.check);
    reasons.ask("claim.failed", rules.claim_failed.effect, || claim::failed(check));
    reasons.ask("claim.contradiction", rules.claim_contradiction.effect, || {
        claim::contradiction(check)
    });
    reasons.ask("session.unbound", rules.session_unbound.effect, || {
        session::unbound(facts.session)
    });
    reasons.ask("challenges.incomplete", rules.challenges_incomplete.effect, || {
        challenges::incomplete(facts)
    });
    reasons.ask("challenges.order", rules.challenges_order.effect, || {
        challenges::order(facts)
    });
    reasons.ask_about_time(facts, rules);
    reasons.ask_about_alarms(facts, rules);
    reasons.ask_about_image(facts, rules);
    reasons.ask("light.constant", rules.light_constant.effect, || {
        light::constant(facts, &rules.light_constant.values)
    });
    reasons.ask("attestation.failed", rules.attestation_failed.effect, || {
        attestation::failed(check)
    });
    Verdict::of(version.to_owned(), reasons.0)
}

/// The rules that spoke, in the order of the policy.
struct Reasons(Vec<Reason>);

impl Reasons {
    fn ask(&mut self, code: &'static str, effect: Effect, rule: impl FnOnce() -> Option<Seen>) {
        if effect == Effect::Off {
            return;
        }
        if let Some(Seen { saw, bound }) = rule() {
            self.0.push(Reason {
                code: code.into(),
                effect,
                saw,
                bound,
            });
        }
    }

    fn ask_about_time(&mut self, facts: &Facts<'_>, rules: &Rules) {
        self.ask("time.too_fast", rules.time_too_fast.effect, || {
            time::too_fast(facts, rules.time_too_fast.at_least)
        });
        self.ask("time.impossible", rules.time_impossible.effect, || {
            time::impossible(facts, rules.time_impossible.leeway)
        });
        self.ask("time.clock", rules.time_clock.effect, || {
            time::clock(facts, rules.time_clock.at_most)
        });
    }

    fn ask_about_alarms(&mut self, facts: &Facts<'_>, rules: &Rules) {
        let alarms = [
            ("alarm.flash", &rules.alarm_flash),
            ("alarm.motion", &rules.alarm_motion),
            ("alarm.depth", &rules.alarm_depth),
            ("alarm.glare", &rules.alarm_glare),
            ("alarm.contours", &rules.alarm_contours),
        ];
        let heard = alarms::heard(facts.check, alarms.map(|(_, rule)| rule));
        for ((code, rule), seen) in alarms.into_iter().zip(heard) {
            self.ask(code, rule.effect, || seen);
        }
    }

    fn ask_about_image(&mut self, facts: &Facts<'_>, rules: &Rules) {
        self.ask("image.missing", rules.image_missing.effect, || image::missing(facts));
        self.ask("image.broken", rules.image_broken.effect, || {
            image::broken(facts.picture, rules.image_broken.at_least)
        });
        let effect = image::effect_of_reuse(facts, &rules.image_reused);
        self.ask("image.reused", effect, || image::reused(facts));
    }
}

#[cfg(test)]
mod tests;
