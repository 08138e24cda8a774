//! The job that deletes issued sessions that nobody used.

use std::time::Duration;

use liveness_core::jobs::{JobDone, JobError, JobKind};
use liveness_core::store::{JobHandler, RunningJob};
use liveness_core::{Clock as _, Shown, SystemClock};

use super::audit;

const HOUR: Duration = Duration::from_secs(60 * 60);

/// Deletes sessions that have expired a day ago or earlier and that nobody used.
pub(super) struct SweepSessions;

impl JobHandler for SweepSessions {
    fn kind(&self) -> JobKind {
        const { JobKind::new("sessions.sweep") }
    }

    fn every(&self) -> Option<Duration> {
        Some(HOUR)
    }

    /// If the host stops, the next run goes on.
    fn run(&self, job: &RunningJob) -> Result<JobDone, JobError> {
        let sessions = job.store().sessions();
        let swept = sessions.sweep(SystemClock.now(), || job.should_stop());
        let swept = swept.map_err(|error| JobError::with_cause(&error))?;
        if swept > 0 {
            let done = Shown {
                count: Some(swept),
                detail: Some("done; issued sessions that nobody used".to_owned()),
                ..Shown::default()
            };
            audit(job, "sessions sweep", done)?;
            log::info!("{swept} issued sessions were deleted that nobody used");
        }
        Ok(JobDone::Done)
    }
}

#[cfg(test)]
mod tests {
    use liveness_core::store::Store;
    use liveness_core::{AuditEntry, AuditSubject};

    use super::super::tests::{run, wait};
    use super::*;

    fn entry(hours_ago: i64) -> AuditEntry {
        AuditEntry {
            at: SystemClock.now().plus_millis(hours_ago * -3_600_000),
            request_id: "request".into(),
            principal: "1".into(),
            issuer: None,
            actor: None,
            roles: "customer".into(),
            self_service_user_id: Some(1),
            message: "StartLivenessSessionCommand".into(),
            outcome: "00".into(),
            client_address: None,
            subject: AuditSubject::default(),
        }
    }

    #[test]
    fn the_job_sweeps_what_has_expired_for_a_day_and_leaves_an_entry_if_it_did() {
        let store = Store::in_memory().unwrap();
        store.migrate().unwrap();
        for hours_ago in [23, 25, 26] {
            wait(store.sessions().start(1, entry(hours_ago))).unwrap();
        }

        assert_eq!(run(&store, SweepSessions), Ok(JobDone::Done));
        assert_eq!(run(&store, SweepSessions), Ok(JobDone::Done));

        let entries = wait(store.trail().newest(9)).unwrap();
        let swept: Vec<_> = entries
            .iter()
            .filter(|entry| entry.message == "sessions sweep")
            .collect();
        let [swept] = swept.as_slice() else {
            panic!("{entries:?}")
        };
        assert_eq!(
            (&*swept.principal, swept.subject.shown.count),
            ("liveness-http", Some(2))
        );
    }
}
