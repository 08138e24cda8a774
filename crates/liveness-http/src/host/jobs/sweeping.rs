//! The jobs that delete keys and objects that no face has.

use std::time::Duration;

use liveness_core::jobs::{JobDone, JobError, JobKind};
use liveness_core::store::{JobHandler, RunningJob};
use liveness_core::{Clock as _, Shown, SystemClock};

use super::{DAY, audit, keys_of};

/// Deletes keys that were made for faces that were never recorded.
pub(super) struct SweepFaceKeys;

/// The age of a key at which it is looked for.
const OLD: Duration = DAY;
/// How long every recording takes that has a key already, by far.
const SETTLED: Duration = Duration::from_secs(10 * 60);

impl JobHandler for SweepFaceKeys {
    fn kind(&self) -> JobKind {
        const { JobKind::new("faces.sweep-keys") }
    }

    fn every(&self) -> Option<Duration> {
        Some(DAY)
    }

    fn run(&self, job: &RunningJob) -> Result<JobDone, JobError> {
        keys_of(job)?;
        let age = i64::try_from(OLD.as_millis()).unwrap_or(i64::MAX);
        let before = SystemClock.now().plus_millis(-age);
        let unused = job
            .store()
            .unused_face_keys(before)
            .map_err(|error| JobError::with_cause(&error))?;
        if unused.is_empty() {
            return Ok(JobDone::Done);
        }
        // A recording that has taken one of them is over by then, whatever the clocks say.
        if !job.wait(SETTLED) {
            return Err(JobError::new("stopped before the keys were deleted"));
        }
        let found = Shown {
            count: Some(unused.len() as u64),
            detail: Some("keys that no face had".to_owned()),
            ..Shown::default()
        };
        audit(job, "faces sweep-keys", found)?;
        let deleted = unused.delete().map_err(|error| JobError::with_cause(&error))?;
        log::info!("{deleted} keys of faces were deleted that no face had");
        Ok(JobDone::Done)
    }
}

/// Deletes objects that no face is in.
pub(super) struct SweepObjects {
    pub(super) owner: String,
}

impl JobHandler for SweepObjects {
    fn kind(&self) -> JobKind {
        const { JobKind::new("faces.sweep-objects") }
    }

    fn every(&self) -> Option<Duration> {
        Some(DAY)
    }

    fn run(&self, job: &RunningJob) -> Result<JobDone, JobError> {
        let swept = job.store().sweep_objects(SystemClock.now(), &self.owner);
        let swept = swept.map_err(|error| JobError::with_cause(&error))?;
        if swept.deleted > 0 {
            let done = Shown {
                count: Some(swept.deleted),
                detail: Some("done; objects that no face was in".to_owned()),
                ..Shown::default()
            };
            audit(job, "faces sweep-objects", done)?;
            log::info!("{} objects were deleted that no face was in", swept.deleted);
        }
        Ok(JobDone::Done)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{run, sealing_store, wait};
    use super::*;

    #[test]
    fn a_sweep_without_anything_to_delete_leaves_no_entry() {
        let folder = tempfile::tempdir().unwrap();
        let store = sealing_store(&folder);
        assert_eq!(run(&store, SweepFaceKeys), Ok(JobDone::Done));
        assert_eq!(wait(store.trail().newest(9)).unwrap(), []);
    }
}
