//! Warns if the policy counts verdicts, but older records have none.

use liveness_core::policy::Policy;
use liveness_core::store::Store;

use super::findings::Findings;

/// Warns of successful records without a verdict, where verdicts count. A schema from before verdicts has none to ask for.
pub(crate) fn check(policy: &Policy, store: &Store, findings: &mut Findings) {
    if !policy.verdict().counts || store.check_schema().is_err() {
        return;
    }
    if let Ok(unjudged @ 1..) = store.unjudged_checks() {
        findings.warning(
            "policy",
            format!("{unjudged} successful records are older than verdicts, and do not pass where verdicts count"),
            "have these users run again, approve the records on the review page, or set `counts = false` under [verdict] meanwhile",
        );
    }
}
