//! The rule about how well lit the face was.

use super::Seen;
use crate::verdict::facts::Facts;

/// `light.constant`: the light of the run is one of `values`, or the very number of the user's last run. The bound is what it
/// equals: `values`, or that number.
pub(in crate::verdict) fn constant(facts: &Facts<'_>, values: &[f64]) -> Option<Seen> {
    let light = facts.check.metrics.run.lighting_value?.get();
    if values.contains(&light) {
        return Some(Seen::beyond(light, values));
    }
    let last = facts.last_light.filter(|last| *last == light)?;
    Some(Seen::beyond(light, last))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::sample::{Case, Sample, light, says, silent, try_cases};
    use super::*;

    fn lit(sample: &mut Sample, run: f64, last: Option<f64>) {
        sample.check.metrics.run.lighting_value = light(run);
        sample.last_light = last;
    }

    #[test]
    fn light_that_was_not_measured_is_constant() {
        let cases: [Case; 11] = [
            ("measured", |_| {}, silent()),
            (
                "not told",
                |sample| {
                    sample.check.metrics.run.lighting_value = None;
                    sample.last_light = Some(0.5);
                },
                silent(),
            ),
            (
                "before the first frame",
                |sample| lit(sample, 0.0, None),
                says(json!(0.0), json!([0.0, 0.5])),
            ),
            (
                "zero with a sign",
                |sample| lit(sample, -0.0, None),
                says(json!(-0.0), json!([0.0, 0.5])),
            ),
            (
                "the calculation failed",
                |sample| lit(sample, 0.5, None),
                says(json!(0.5), json!([0.0, 0.5])),
            ),
            ("nearly", |sample| lit(sample, 0.500_000_1, None), silent()),
            (
                "that of the last run",
                |sample| lit(sample, 0.931_372_549, Some(0.931_372_549)),
                says(json!(0.931_372_549), json!(0.931_372_549)),
            ),
            (
                "nearly that of the last run",
                |sample| lit(sample, 0.931_372_549, Some(0.931_372_548)),
                silent(),
            ),
            (
                "both",
                |sample| lit(sample, 0.5, Some(0.5)),
                says(json!(0.5), json!([0.0, 0.5])),
            ),
            ("another than the last", |sample| lit(sample, 0.9, Some(0.5)), silent()),
            (
                "that of a picture does not count",
                |sample| {
                    sample.check.image_metrics.lighting_value = light(0.5);
                    sample.check.metrics.final_capture.lighting_value = light(0.0);
                },
                silent(),
            ),
        ];
        try_cases(cases, |facts| constant(facts, &[0.0, 0.5]));
    }

    #[test]
    fn without_values_only_the_last_run_counts() {
        let cases: [Case; 2] = [
            ("0.5", |sample| lit(sample, 0.5, None), silent()),
            (
                "0.5 again",
                |sample| lit(sample, 0.5, Some(0.5)),
                says(json!(0.5), json!(0.5)),
            ),
        ];
        try_cases(cases, |facts| constant(facts, &[]));
    }
}
