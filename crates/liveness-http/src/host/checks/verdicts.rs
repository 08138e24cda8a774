//! Looks whether verdicts count that old records do not have.

use liveness_core::store::Store;

use super::findings::Findings;
use crate::config::ServeConfig;

/// Warns of successful records without a verdict, where verdicts count. A schema from before verdicts has none to ask for.
pub(crate) fn check(config: &ServeConfig, store: &Store, findings: &mut Findings) {
    let counts = config.policy.load().is_ok_and(|policy| policy.verdict().counts);
    if !counts || store.check_schema().is_err() {
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
