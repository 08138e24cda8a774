//! The job that seals the faces that were recorded before there were keys.

use std::time::Duration;

use liveness_core::Shown;
use liveness_core::jobs::{JobDone, JobError, JobKind};
use liveness_core::store::{JobHandler, RunningJob, StoreError};

use super::{DAY, audit, entry_of, keys_of};
use crate::face_sealing::{SEAL, Sealed, seal_old_faces};
use crate::metrics::FacesInClear;

/// The pause after each few faces, in which others record.
const PAUSE: Duration = Duration::from_millis(20);
/// After so many faces there is a line in the log.
const FACES_OF_A_LINE: u64 = 1000;

/// Does what `liveness-http faces seal` does. A run that was interrupted is gone on with by the next.
pub(super) struct SealFaces {
    pub(super) in_clear: FacesInClear,
}

impl JobHandler for SealFaces {
    fn kind(&self) -> JobKind {
        const { JobKind::new("faces.seal") }
    }

    /// A node that has no keys yet may go on recording in clear for a while.
    fn every(&self) -> Option<Duration> {
        Some(DAY)
    }

    /// The host was perhaps started to have keys from now on.
    fn is_due_at_start(&self) -> bool {
        true
    }

    fn run(&self, job: &RunningJob) -> Result<JobDone, JobError> {
        let sealed = self.seal(job);
        // What another node does meanwhile is not known here.
        self.in_clear.set(sealed.is_ok().then_some(0));
        sealed
    }
}

impl SealFaces {
    fn seal(&self, job: &RunningJob) -> Result<JobDone, JobError> {
        keys_of(job)?;
        let total = job
            .store()
            .faces_in_clear()
            .map_err(|error| JobError::with_cause(&error))?;
        let total = u64::try_from(total).unwrap_or_default();
        if total == 0 {
            return Ok(JobDone::Done);
        }
        audit(job, SEAL, Shown::default())?;
        let entry = entry_of(job, SEAL, Shown::default());
        let mut lines = 0;
        let sealed = seal_old_faces(job.store(), entry, |sealed| {
            if sealed / FACES_OF_A_LINE > lines {
                lines = sealed / FACES_OF_A_LINE;
                log::info!("{sealed} of {total} faces are sealed that were recorded in clear");
            }
            self.in_clear.set(Some(total.saturating_sub(sealed)));
            job.wait(PAUSE)
        });
        let sealed = sealed.map_err(|error| not_sealed(&error))?;
        if !sealed.is_whole {
            return Err(JobError::new("stopped before all faces were sealed"));
        }
        audit(job, SEAL, sealed.shown())?;
        let Sealed { faces, .. } = sealed;
        log::info!(
            "{faces} faces were sealed that had been recorded in clear; parts of them stay in unused space until `faces seal --compact`"
        );
        Ok(JobDone::Done)
    }
}

/// Another attempt mends neither a right that is missing nor a face that was swapped.
fn not_sealed(error: &StoreError) -> JobError {
    match error {
        StoreError::Internal(_) => JobError::give_up(JobError::with_cause(error)),
        _ => JobError::with_cause(error),
    }
}

#[cfg(test)]
mod tests {
    use liveness_core::store::Store;
    use liveness_core::{Clock as _, SystemClock};

    use super::super::tests::{entry, record, run, sealing_store, wait};
    use super::*;
    use crate::metrics::Metrics;

    /// How many entries of sealings there are: of faces, and of others.
    fn told(store: &Store) -> (usize, usize) {
        let mut entries = wait(store.trail().newest(1000)).unwrap();
        entries.retain(|entry| entry.message == SEAL);
        let of_faces = entries.iter().filter(|entry| entry.subject.face_digest.is_some());
        let of_faces = of_faces.count();
        (of_faces, entries.len() - of_faces)
    }

    #[test]
    fn faces_in_clear_are_sealed_from_where_it_was_interrupted() {
        let folder = tempfile::tempdir().unwrap();
        let store = sealing_store(&folder);
        let in_clear = Store::open(&format!("sqlite://{}", folder.path().join("liveness.db").display())).unwrap();
        for user in 1..=40 {
            record(&in_clear, user, true, 60);
        }
        record(&store, 41, true, 60);
        let metrics = Metrics::default();
        let left = |number: u64| {
            let line = format!("\nliveness_faces_in_clear {number}\n");
            metrics.to_prometheus_text().unwrap().contains(&line)
        };
        let job = || SealFaces {
            in_clear: metrics.faces_in_clear.clone(),
        };

        let mut heard = Vec::new();
        let interrupted = seal_old_faces(&store, entry(SystemClock.now()), |sealed| {
            heard.push(sealed);
            sealed < 32
        });
        let expected = Sealed {
            faces: 32,
            is_whole: false,
        };
        assert_eq!((interrupted.unwrap(), heard), (expected, vec![16, 32]));
        assert_eq!(store.faces_in_clear().unwrap(), 8);
        assert_eq!(run(&store, job()), Ok(JobDone::Done));

        assert_eq!((store.faces_in_clear().unwrap(), left(0)), (0, true));
        // Each face that was in clear has one entry. The job has one at its beginning, and one at its end.
        assert_eq!(told(&store), (40, 2));
        let done = wait(store.trail().newest(1)).unwrap();
        let shown = &done[0].subject.shown;
        assert_eq!((shown.count, shown.detail.as_deref()), (Some(8), Some("done")));
        assert_eq!(done[0].principal, "liveness-http");
        for id in 1..=41 {
            assert!(
                wait(store.checks().evidence(id)).unwrap().unwrap().face.is_some(),
                "{id}"
            );
        }
        assert_eq!(run(&store, job()), Ok(JobDone::Done));
        assert_eq!(told(&store), (40, 2));
    }
}
