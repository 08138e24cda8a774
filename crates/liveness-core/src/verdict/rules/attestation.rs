//! The rule about what another service attests of the phone.

use super::Seen;
use crate::NewLivenessCheck;

/// `attestation.failed`: the backend around this one gave an attestation that did not pass. Seen is who attests.
pub(in crate::verdict) fn failed(check: &NewLivenessCheck) -> Option<Seen> {
    let failed = check.attestation.as_ref().filter(|attestation| !attestation.passed);
    failed.map(|attestation| Seen::of(attestation.provider.as_str()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::sample::{Case, Sample, says, silent, try_cases};
    use super::*;
    use crate::Attestation;

    fn attests(sample: &mut Sample, passed: bool) {
        let provider = "play_integrity".to_owned();
        sample.check.attestation = Some(Attestation { provider, passed });
    }

    #[test]
    fn only_an_attestation_that_did_not_pass_speaks() {
        let cases: [Case; 3] = [
            ("nobody attests", |_| {}, silent()),
            ("passed", |sample| attests(sample, true), silent()),
            (
                "did not pass",
                |sample| attests(sample, false),
                says(json!("play_integrity"), json!(null)),
            ),
        ];
        try_cases(cases, |facts| failed(facts.check));
    }
}
