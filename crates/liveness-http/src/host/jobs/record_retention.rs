//! The job that erases the records that were kept for as long as the policy says.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use liveness_core::jobs::{JobDone, JobError, JobKind};
use liveness_core::policy::Retention;
use liveness_core::store::{ErasureError, ErasureOrder, JobHandler, OldRecord, RunningJob, StoreError};
use liveness_core::{Clock as _, Reason, Shown, SystemClock, Timestamp};

use super::entry_of;
use super::retention::in_days;

const MINUTE: Duration = Duration::from_secs(60);

/// Erases records by their age: what names a person in them, and their faces. The records stay with their outcomes.
pub(super) struct RetainRecords {
    /// How long a record is kept. `None` is for ever.
    kept: Option<Duration>,
    /// How far this host has come. Another host, or one that has just started, looks at all old records once.
    done: Mutex<Progress>,
}

/// How far the erasures have come.
#[derive(Debug, Clone, Default)]
struct Progress {
    /// The last record that was looked at.
    last: Option<OldRecord>,
    /// Users of whom records before that were left: they were under a hold, or a record could not be erased.
    left: BTreeSet<i64>,
    /// How many were erased in this run.
    erased: u64,
    /// Why a record was not erased. One that is broken keeps no other from being erased.
    failure: Option<JobError>,
}

impl RetainRecords {
    pub(super) fn of(retention: &Retention) -> Self {
        Self {
            kept: retention.records,
            done: Mutex::default(),
        }
    }
}

impl JobHandler for RetainRecords {
    fn kind(&self) -> JobKind {
        const { JobKind::new("records.retention") }
    }

    /// A minute, if the policy ends the keeping of records.
    fn every(&self) -> Option<Duration> {
        self.kept.map(|_| MINUTE)
    }

    fn run(&self, job: &RunningJob) -> Result<JobDone, JobError> {
        let Some(kept) = self.kept else {
            return Ok(JobDone::Done);
        };
        // One job of a kind runs at a time. The lock is held for no longer than it takes to read or write it.
        let mut done = self.done.lock().unwrap_or_else(PoisonError::into_inner).clone();
        (done.erased, done.failure) = (0, None);
        let ended = erase_old(job, kept, &mut done);
        if done.erased > 0 {
            log::info!(
                "{} records were erased that had been kept for as long as the policy says",
                done.erased
            );
        }
        let failure = done.failure.clone();
        *self.done.lock().unwrap_or_else(PoisonError::into_inner) = done;
        ended?;
        failure.map_or(Ok(JobDone::Done), Err)
    }
}

/// Erases the records whose time is over: first those that were left before, then those that have become old since. If the host
/// stops, the next run goes on.
fn erase_old(job: &RunningJob, kept: Duration, done: &mut Progress) -> Result<(), JobError> {
    let age = i64::try_from(kept.as_millis()).unwrap_or(i64::MAX);
    let before = SystemClock.now().plus_millis(age.saturating_neg());
    for user in done.left.clone() {
        let mut after = None;
        done.left.remove(&user);
        let mut ended = Ok(true);
        while let Ok(true) = ended {
            ended = step(job, (Some(user), before, kept), &mut after, done);
        }
        if ended.is_err() || job.should_stop() {
            done.left.insert(user);
        }
        ended?;
    }
    let mut last = done.last;
    while step(job, (None, before, kept), &mut last, done)? {
        done.last = last;
    }
    Ok(())
}

/// Erases the next records. Returns whether there may be more.
fn step(
    job: &RunningJob,
    (user, before, kept): (Option<i64>, Timestamp, Duration),
    after: &mut Option<OldRecord>,
    done: &mut Progress,
) -> Result<bool, JobError> {
    let found = job.block_on(job.store().erasures().old_records(user, before, *after));
    let found = found
        .map_err(|error| JobError::with_cause(&error))?
        .map_err(|error| JobError::with_cause(&error))?;
    let Some(found) = found else { return Ok(false) };
    for (id, user) in found.due {
        if job.should_stop() {
            return Ok(false);
        }
        match erase(job, id, kept)? {
            Ok(()) => done.erased += 1,
            Err(ErasureError::Store(error @ StoreError::Internal(_))) => {
                done.failure = Some(JobError::with_cause(&error));
                done.left.insert(user);
            }
            Err(ErasureError::Store(error)) => return Err(JobError::with_cause(&error)),
            Err(ErasureError::Held) => {
                done.left.insert(user);
            }
            // Somebody was faster.
            Err(_) => {}
        }
    }
    done.left.extend(found.held);
    *after = Some(found.next);
    Ok(true)
}

fn erase(job: &RunningJob, id: i64, kept: Duration) -> Result<Result<(), ErasureError>, JobError> {
    let reason = Reason::parse(&format!("retention: record kept for {}", in_days(kept)));
    let order = ErasureOrder {
        reason: reason.map_err(|_| JobError::give_up("the reason of the erasure is no reason"))?,
        entry: entry_of(job, "records retention", Shown::default()),
        traceparent: None,
    };
    let ended = job.block_on(job.store().erasures().erase_record(id, order));
    Ok(ended.map_err(|error| JobError::with_cause(&error))?.map(drop))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use liveness_core::policy::Policy;
    use liveness_core::store::Store;

    use super::super::tests::{entry, record, run, sealing_store, wait};
    use super::*;

    const DAYS: i64 = 24 * 60 * 60;

    /// A handler that several runs share.
    struct Shared(Arc<RetainRecords>);

    impl JobHandler for Shared {
        fn kind(&self) -> JobKind {
            self.0.kind()
        }

        fn run(&self, job: &RunningJob) -> Result<JobDone, JobError> {
            self.0.run(job)
        }
    }

    fn policy() -> Policy {
        Policy::parse("base = \"record\"\n[retention]\nrecords = \"2d\"\n").unwrap()
    }

    fn order() -> ErasureOrder {
        ErasureOrder {
            reason: Reason::parse("a lawsuit").unwrap(),
            entry: entry(SystemClock.now()),
            traceparent: None,
        }
    }

    /// Whether the record still has a face and names whom it is of.
    fn is_whole(store: &Store, id: i64) -> bool {
        let evidence = wait(store.checks().evidence(id)).unwrap().unwrap();
        evidence.face.is_some()
    }

    #[test]
    fn a_record_is_erased_once_it_was_kept_for_long_enough_unless_its_user_is_held() {
        let folder = tempfile::tempdir().unwrap();
        let store = sealing_store(&folder);
        let job = Arc::new(RetainRecords::of(policy().retention()));
        let (old, young) = (record(&store, 1, true, 3 * DAYS), record(&store, 1, true, DAYS));
        let held = record(&store, 2, false, 3 * DAYS);
        wait(store.holds().place(2, false, order())).unwrap();

        assert_eq!(run(&store, Shared(Arc::clone(&job))), Ok(JobDone::Done));

        assert_eq!([old, young, held].map(|id| is_whole(&store, id)), [false, true, true]);
        let receipts = wait(store.trail().newest(2)).unwrap();
        let told = receipts.iter().map(|receipt| receipt.subject.shown.purpose.as_deref());
        assert!(
            told.clone().all(|told| told == Some("retention: record kept for 2 d")),
            "{receipts:?}"
        );
        assert!(receipts.iter().all(|receipt| receipt.message == "records retention"));

        // It has looked at the record already, and comes back to it.
        wait(store.holds().lift(2, order())).unwrap();
        assert_eq!(run(&store, Shared(Arc::clone(&job))), Ok(JobDone::Done));
        assert!(!is_whole(&store, held));
        // Neither this host nor another one erases anything twice.
        let before = wait(store.trail().newest(100)).unwrap().len();
        assert_eq!(run(&store, Shared(job)), Ok(JobDone::Done));
        assert_eq!(run(&store, RetainRecords::of(policy().retention())), Ok(JobDone::Done));
        assert_eq!(wait(store.trail().newest(100)).unwrap().len(), before);
    }

    #[test]
    fn without_an_end_there_is_no_job() {
        assert_eq!(RetainRecords::of(Policy::record().retention()).every(), None);
        assert_eq!(RetainRecords::of(policy().retention()).every(), Some(MINUTE));
    }
}
