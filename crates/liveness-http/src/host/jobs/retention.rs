//! The job that erases the faces that were kept for as long as the policy says.

use std::time::Duration;

use liveness_core::jobs::{JobDone, JobError, JobKind};
use liveness_core::policy::Policy;
use liveness_core::store::{ErasureError, ErasureOrder, FaceOutcome, JobHandler, RunningJob, StoreError};
use liveness_core::{Clock as _, Reason, Shown, SystemClock};

use super::entry_of;

const MINUTE: Duration = Duration::from_secs(60);

/// Erases faces by their age.
pub(super) struct RetainFaces {
    /// Whether the record passed and how long its face is kept, by what became of it. `None` is for ever.
    kept: [(FaceOutcome, bool, Option<Duration>); 3],
}

impl RetainFaces {
    /// Where verdicts count, a record that the verdict or a decision speaks against has not passed, whatever its phone claims.
    pub(super) fn of(policy: &Policy) -> Self {
        let counts = policy.verdict().counts;
        let retention = policy.retention();
        let outcomes = [
            (FaceOutcome::Passed, true),
            (FaceOutcome::Doubted, !counts),
            (FaceOutcome::Failed, false),
        ];
        let kept = |passed| if passed { retention.passed } else { retention.not_passed };
        Self {
            kept: outcomes.map(|(outcome, passed)| (outcome, passed, kept(passed))),
        }
    }
}

impl JobHandler for RetainFaces {
    fn kind(&self) -> JobKind {
        const { JobKind::new("faces.retention") }
    }

    /// A minute, if the policy ends the keeping of any face.
    fn every(&self) -> Option<Duration> {
        self.kept.iter().any(|(.., kept)| kept.is_some()).then_some(MINUTE)
    }

    fn run(&self, job: &RunningJob) -> Result<JobDone, JobError> {
        let mut done = Done::default();
        for (outcome, passed, kept) in self.kept {
            let Some(kept) = kept else { continue };
            erase_old(job, outcome, (passed, kept), &mut done)?;
        }
        if done.erased > 0 {
            log::info!(
                "{} faces were erased that had been kept for as long as the policy says",
                done.erased
            );
        }
        done.failure.map_or(Ok(JobDone::Done), Err)
    }
}

/// What a run has done.
#[derive(Default)]
struct Done {
    erased: u64,
    /// Why a face was not erased. One that is broken keeps no other from being erased.
    failure: Option<JobError>,
}

/// Erases the faces of records of which this became. If the host stops, the next run goes on.
fn erase_old(
    job: &RunningJob,
    outcome: FaceOutcome,
    (passed, kept): (bool, Duration),
    done: &mut Done,
) -> Result<(), JobError> {
    let age = i64::try_from(kept.as_millis()).unwrap_or(i64::MAX);
    let before = SystemClock.now().plus_millis(age.saturating_neg());
    let mut after = None;
    loop {
        let found = job.block_on(job.store().erasures().old_faces(outcome, before, after));
        let found = found
            .map_err(|error| JobError::with_cause(&error))?
            .map_err(|error| JobError::with_cause(&error))?;
        let Some((ids, next)) = found else { return Ok(()) };
        for id in ids {
            if job.should_stop() {
                return Ok(());
            }
            match erase(job, id, (passed, kept))? {
                Ok(()) => done.erased += 1,
                Err(ErasureError::Store(error @ StoreError::Internal(_))) => {
                    done.failure = Some(JobError::with_cause(&error))
                }
                Err(ErasureError::Store(error)) => return Err(JobError::with_cause(&error)),
                // Somebody was faster, or has just placed a hold.
                Err(_) => {}
            }
        }
        after = Some(next);
    }
}

fn erase(job: &RunningJob, id: i64, (passed, kept): (bool, Duration)) -> Result<Result<(), ErasureError>, JobError> {
    let outcome = if passed { "passed" } else { "not passed" };
    let reason = Reason::parse(&format!("retention: {outcome}, kept for {}", in_days(kept)));
    let order = ErasureOrder {
        reason: reason.map_err(|_| JobError::give_up("the reason of the erasure is no reason"))?,
        entry: entry_of(job, "faces retention", Shown::default()),
        traceparent: None,
    };
    let ended = job.block_on(job.store().erasures().erase_face(id, order));
    Ok(ended.map_err(|error| JobError::with_cause(&error))?.map(drop))
}

/// A duration in days, if it is one of days.
pub(super) fn in_days(kept: Duration) -> String {
    const DAY: u64 = 24 * 60 * 60;
    match kept.as_secs() {
        seconds if seconds.is_multiple_of(DAY) => format!("{} d", seconds / DAY),
        seconds => format!("{seconds} s"),
    }
}

#[cfg(test)]
mod tests {
    use liveness_core::Decision;
    use liveness_core::store::{DecisionOrder, Store};

    use super::super::tests::{entry, record, run, sealing_store, wait};
    use super::*;

    fn has_face(store: &Store, id: i64) -> bool {
        wait(store.checks().evidence(id)).unwrap().unwrap().face.is_some()
    }

    #[test]
    fn a_face_is_erased_once_it_was_kept_for_as_long_as_the_policy_says_unless_it_is_held() {
        let folder = tempfile::tempdir().unwrap();
        let store = sealing_store(&folder);
        let policy = "base = \"record\"\n[retention]\npassed = \"2h\"\nnot_passed = \"1h\"\n";
        let policy = Policy::parse(policy).unwrap();
        let job = || RetainFaces::of(&policy);
        let hour = 60 * 60;
        let old = [record(&store, 1, true, 3 * hour), record(&store, 2, false, 2 * hour)];
        let young = [record(&store, 3, true, hour), record(&store, 4, false, hour / 2)];
        let held = record(&store, 5, true, 3 * hour);
        let order = || ErasureOrder {
            reason: Reason::parse("a lawsuit").unwrap(),
            entry: entry(SystemClock.now()),
            traceparent: None,
        };
        wait(store.holds().place(5, false, order())).unwrap();

        assert_eq!(run(&store, job()), Ok(JobDone::Done));

        assert_eq!(old.map(|id| has_face(&store, id)), [false, false]);
        assert_eq!(young.map(|id| has_face(&store, id)), [true, true]);
        assert!(has_face(&store, held));
        let receipts = wait(store.trail().newest(2)).unwrap();
        let told: Vec<_> = receipts
            .iter()
            .map(|entry| entry.subject.shown.purpose.clone().unwrap())
            .collect();
        assert_eq!(
            told,
            [
                "retention: not passed, kept for 3600 s",
                "retention: passed, kept for 7200 s"
            ]
        );
        assert!(receipts.iter().all(|entry| entry.principal == "liveness-http"));

        wait(store.holds().lift(5, order())).unwrap();
        assert_eq!(run(&store, job()), Ok(JobDone::Done));
        assert!(!has_face(&store, held));
    }

    #[test]
    fn where_verdicts_count_a_success_that_they_speak_against_has_not_passed() {
        let folder = tempfile::tempdir().unwrap();
        let rejects = |counts| {
            let policy = format!(
                "base = \"record\"\n[retention]\npassed = \"9h\"\nnot_passed = \"1h\"\n[verdict]\ncounts = {counts}\n\
                 [rules]\n\"image.broken\" = {{ effect = \"review\", at_least = 5000 }}\n"
            );
            Policy::parse(&policy).unwrap()
        };
        let store = sealing_store(&folder).with_policy(rejects(true)).unwrap();
        let hour = 60 * 60;
        let [approved, doubted] = [1, 2].map(|user| record(&store, user, true, 3 * hour));
        let decided = DecisionOrder {
            liveness_check_id: approved,
            decision: Decision::Approve,
            reason: Reason::parse("the passport").unwrap(),
            seen: 0,
            own_user: None,
            entry: entry(SystemClock.now()),
            traceparent: None,
        };
        wait(store.reviews().decide(decided)).unwrap();
        let faces = || [approved, doubted].map(|id| has_face(&store, id));

        assert_eq!(run(&store, RetainFaces::of(&rejects(false))), Ok(JobDone::Done));
        assert_eq!(faces(), [true, true]);
        assert_eq!(run(&store, RetainFaces::of(&rejects(true))), Ok(JobDone::Done));
        assert_eq!(faces(), [true, false]);
    }

    #[test]
    fn without_an_end_there_is_no_job() {
        assert_eq!(RetainFaces::of(&Policy::record()).every(), None);
        assert_eq!(in_days(Duration::from_secs(365 * 24 * 60 * 60)), "365 d");
    }
}
