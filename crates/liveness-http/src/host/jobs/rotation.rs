//! The job that rotates the keys of faces.

use std::time::Duration;

use liveness_core::Shown;
use liveness_core::jobs::{JobDone, JobError, JobKind, ROTATE_FACE_KEYS};
use liveness_core::store::{JobHandler, RunningJob};

use super::{audit, keys_of};

/// Does what `liveness-http faces rotate` does.
pub(super) struct RotateFaceKeys {
    pub(super) every: Option<Duration>,
}

impl JobHandler for RotateFaceKeys {
    fn kind(&self) -> JobKind {
        ROTATE_FACE_KEYS
    }

    fn every(&self) -> Option<Duration> {
        self.every
    }

    fn run(&self, job: &RunningJob) -> Result<JobDone, JobError> {
        const COMMAND: &str = "faces rotate";
        let keys = keys_of(job)?;
        audit(job, COMMAND, Shown::default())?;
        let rotated = keys.rotate(|_| {}).map_err(JobError::new)?;
        let (gone, current, rewrapped) = (rotated.destroyed_names(), &rotated.current, rotated.rewrapped);
        log::info!("the keys of faces were rotated: {rewrapped} are wrapped by {current}; destroyed: {gone}");
        audit(job, COMMAND, rotated.shown())?;
        Ok(JobDone::Done)
    }
}

#[cfg(test)]
mod tests {
    use super::super::DAY;
    use super::super::tests::{run, sealing_store, wait};
    use super::*;

    #[test]
    fn the_job_rotates_the_keys_and_leaves_two_entries() {
        let folder = tempfile::tempdir().unwrap();
        let store = sealing_store(&folder);

        assert_eq!(run(&store, RotateFaceKeys { every: Some(DAY) }), Ok(JobDone::Done));

        let files = std::fs::read_dir(folder.path().join("face-keys")).unwrap();
        let names: Vec<_> = files.map(|file| file.unwrap().file_name()).collect();
        assert_eq!(names.len(), 1, "{names:?}");
        assert!(names[0].to_string_lossy().starts_with("00000002-"), "{names:?}");
        let entries = wait(store.trail().newest(9)).unwrap();
        let [done, begun] = entries.as_slice() else {
            panic!("{entries:?}")
        };
        assert_eq!((&*done.principal, &*done.message), ("liveness-http", "faces rotate"));
        assert_eq!(done.request_id, begun.request_id);
        let detail = done.subject.shown.detail.as_deref().unwrap();
        assert!(detail.starts_with("done; 00000001-"), "{detail}");
    }
}
