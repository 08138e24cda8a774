//! Judges reports before they are recorded: binds each to its issued session, and asks the rules of the policy in force.
//!
//! Reports of one transaction are judged in their order, so that each sees what the ones before it have recorded.

use std::collections::HashMap;

use super::attempts::{Attempt, Tallies};
use super::dating::Dated;
use super::due_report::DueReport;
use super::image_digests;
use super::issued_sessions::{self, Naming};
use super::judgment::JudgmentColumns;
use super::policy_in_force::PolicyInForce;
use crate::CompletionRule;
use crate::store::engine::connection::Connection;
use crate::store::engine::error::StoreError;
use crate::trail::leaf::Sha256;
use crate::verdict::{Facts, SessionBinding, Verdict, VerdictOutcome, judge};

/// A report that is judged, and may be recorded.
pub(crate) struct Judged<'a> {
    pub(crate) dated: Dated<'a>,
    pub(crate) image_digest: Option<&'a Sha256>,
    pub(crate) verdict: Verdict,
    pub(crate) columns: JudgmentColumns,
    /// The issued session that the record uses up.
    pub(crate) uses: Option<&'a str>,
}

impl Judged<'_> {
    /// Whether the attempt has failed: the phone says so, or the verdict does not accept it.
    pub(crate) fn is_failure(&self) -> bool {
        let check = self.dated.check();
        let (successful, verified) = (check.is_successful, check.metrics.run.verification_result);
        self.verdict.outcome != VerdictOutcome::Accepted || !CompletionRule::AnySuccessful.accepts(successful, verified)
    }
}

/// Judges reports, in their order. One that the policy refuses has an error instead.
pub(crate) fn judge_each<'a>(
    conn: &mut Connection<'_>,
    in_force: &PolicyInForce,
    tallies: &mut Tallies<'_>,
    reports: &[DueReport<'a>],
) -> Result<Vec<Result<Judged<'a>, StoreError>>, StoreError> {
    let sessions = issued_sessions::of_reports(conn, reports)?;
    let reused = image_digests::reused(conn, reports, &in_force.policy.rules().image_reused)?;
    let mut lights = HashMap::new();
    let judged = reports.iter().zip(reused).map(|(report, reuse)| {
        let check = report.dated.check();
        let session = issued_sessions::bind(&sessions, Naming::of(check), &in_force.policy);
        let attempt = Attempt::of(check);
        // Before the refusal of an unbound report, so that who has to wait is told to wait.
        tallies.admit(attempt, matches!(session, Ok(SessionBinding::Bound(_))))?;
        let session = session?;
        let light = check.metrics.run.lighting_value.map(|light| light.get());
        let facts = Facts {
            check,
            // Not the time of the record, which is never before the user's newest: a clock that was ahead once would count.
            recorded_at: check.created_at,
            session: &session,
            picture: report.picture,
            reuse,
            last_light: lights.insert(check.user.id, light).unwrap_or(report.dated.last_light),
        };
        let verdict = judge(&facts, &in_force.policy, &in_force.version);
        let (session, uses) = match &session {
            SessionBinding::Bound(session) => (Some(session), issued_sessions::named(check)),
            SessionBinding::Unbound(_) => (None, None),
        };
        let judged = Judged {
            dated: report.dated,
            image_digest: report.image_digest,
            columns: JudgmentColumns::of(&verdict, in_force.digest, session)?,
            verdict,
            uses,
        };
        tallies.count(attempt, judged.is_failure());
        Ok(judged)
    });
    Ok(judged.collect())
}
