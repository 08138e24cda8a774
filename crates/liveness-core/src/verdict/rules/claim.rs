//! Rules about the claim of the phone.

use super::Seen;
use crate::NewLivenessCheck;

/// `claim.failed`: the phone itself says that the check failed. Seen are the fields that say so.
pub(in crate::verdict) fn failed(check: &NewLivenessCheck) -> Option<Seen> {
    let failed = [
        ("isSuccessful", check.is_successful),
        (
            "metadata.verificationResult",
            check.metrics.run.verification_result.unwrap_or(true),
        ),
    ];
    of_fields(failed.into_iter().filter(|(_, is_good)| !is_good))
}

/// `claim.contradiction`: a verdict of the SDK disagrees with `isSuccessful`. Seen are the fields that disagree.
pub(in crate::verdict) fn contradiction(check: &NewLivenessCheck) -> Option<Seen> {
    let verdicts = [
        ("metadata.verificationResult", check.metrics.run),
        ("metadata.finalCapture.verificationResult", check.metrics.final_capture),
        ("imageMetadata.verificationResult", check.image_metrics),
    ];
    let disagrees = |verdict: bool| verdict != check.is_successful;
    of_fields(
        verdicts
            .into_iter()
            .filter(|(_, metrics)| metrics.verification_result.is_some_and(disagrees)),
    )
}

fn of_fields<T>(fields: impl Iterator<Item = (&'static str, T)>) -> Option<Seen> {
    let mut fields = fields.map(|(field, _)| field).peekable();
    fields.peek()?;
    Some(Seen::of(fields.collect::<Vec<_>>()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::sample::{Case, Sample, says, silent, try_cases};
    use super::*;

    const RUN: &str = "metadata.verificationResult";
    const CAPTURE: &str = "metadata.finalCapture.verificationResult";
    const IMAGE: &str = "imageMetadata.verificationResult";

    fn claims(sample: &mut Sample, is_successful: bool, verdicts: [Option<bool>; 3]) {
        sample.check.is_successful = is_successful;
        let [run, capture, image] = verdicts;
        sample.check.metrics.run.verification_result = run;
        sample.check.metrics.final_capture.verification_result = capture;
        sample.check.image_metrics.verification_result = image;
    }

    #[test]
    fn a_claim_that_says_no_has_failed() {
        let cases: [Case; 8] = [
            ("the honest phone", |_| {}, silent()),
            ("no verdict besides", |sample| claims(sample, true, [None; 3]), silent()),
            (
                "isSuccessful",
                |sample| claims(sample, false, [Some(true); 3]),
                says(json!(["isSuccessful"]), json!(null)),
            ),
            (
                "isSuccessful alone",
                |sample| claims(sample, false, [None; 3]),
                says(json!(["isSuccessful"]), json!(null)),
            ),
            (
                "the run",
                |sample| claims(sample, true, [Some(false), None, None]),
                says(json!([RUN]), json!(null)),
            ),
            (
                "both",
                |sample| claims(sample, false, [Some(false), None, None]),
                says(json!(["isSuccessful", RUN]), json!(null)),
            ),
            (
                "a capture is not the run",
                |sample| claims(sample, true, [Some(true), Some(false), None]),
                silent(),
            ),
            (
                "an image is not the run",
                |sample| claims(sample, true, [Some(true), None, Some(false)]),
                silent(),
            ),
        ];
        try_cases(cases, |facts| failed(facts.check));
    }

    #[test]
    fn verdicts_that_disagree_are_a_contradiction() {
        let cases: [Case; 10] = [
            ("the honest phone", |_| {}, silent()),
            ("no verdicts", |sample| claims(sample, true, [None; 3]), silent()),
            (
                "a failure without verdicts",
                |sample| claims(sample, false, [None; 3]),
                silent(),
            ),
            (
                "an honest failure",
                |sample| claims(sample, false, [Some(false); 3]),
                silent(),
            ),
            (
                "the run says no",
                |sample| claims(sample, true, [Some(false), Some(true), Some(true)]),
                says(json!([RUN]), json!(null)),
            ),
            (
                "the final capture says no",
                |sample| claims(sample, true, [Some(true), Some(false), Some(true)]),
                says(json!([CAPTURE]), json!(null)),
            ),
            (
                "the image says no",
                |sample| claims(sample, true, [None, None, Some(false)]),
                says(json!([IMAGE]), json!(null)),
            ),
            (
                "all say no",
                |sample| claims(sample, true, [Some(false); 3]),
                says(json!([RUN, CAPTURE, IMAGE]), json!(null)),
            ),
            (
                "a failure, and the run says yes",
                |sample| claims(sample, false, [Some(true), Some(false), None]),
                says(json!([RUN]), json!(null)),
            ),
            (
                "a failure, and the pictures say yes",
                |sample| claims(sample, false, [Some(false), Some(true), Some(true)]),
                says(json!([CAPTURE, IMAGE]), json!(null)),
            ),
        ];
        try_cases(cases, |facts| contradiction(facts.check));
    }
}
