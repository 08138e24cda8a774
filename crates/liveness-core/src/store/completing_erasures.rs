//! The job that completes erasures which were begun and not committed.

use super::job_runner::handler::{JobHandler, RunningJob};
use super::tables::erasures::ErasureError;
use crate::jobs::{COMPLETE_ERASURES, JobDone, JobError, JobKind};

/// Completes erasures. The key of a face is destroyed before its erasure is committed. Where the commit fails, or the process
/// ends in between, the face is unreadable and no entry says so, until the same erasure is asked for again or this job runs: a
/// minute later at most. Give it to a [`JobRunner`](super::JobRunner) wherever faces are sealed and erased.
#[derive(Debug, Clone, Copy, Default)]
pub struct CompleteErasures;

impl JobHandler for CompleteErasures {
    fn kind(&self) -> JobKind {
        COMPLETE_ERASURES
    }

    fn run(&self, job: &RunningJob) -> Result<JobDone, JobError> {
        let completing = job.store().erasures().complete(job.payload());
        match job.block_on(completing).map_err(JobError::new)? {
            Err(ErasureError::Store(error)) => Err(JobError::with_cause(&error)),
            // It was completed meanwhile, or nothing of it was begun and it may not begin any more.
            Ok(()) | Err(_) => Ok(JobDone::Done),
        }
    }
}
