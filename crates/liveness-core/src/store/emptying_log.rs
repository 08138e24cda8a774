//! The job that empties the write-ahead log of a SQLite file after an erasure.

use std::time::Duration;

use super::job_runner::handler::{JobHandler, RunningJob};
use crate::jobs::{Backoff, EMPTY_LOG, JobDone, JobError, JobKind};

/// Empties the log of a SQLite file. An erasure of a face in clear does so itself, unless somebody reads the file all the while: a
/// backup, or a shell that was left open. Then it leaves this job. Give it to a [`JobRunner`](super::JobRunner) wherever faces in
/// clear are erased.
#[derive(Debug, Clone, Copy, Default)]
pub struct EmptyLog;

impl JobHandler for EmptyLog {
    fn kind(&self) -> JobKind {
        EMPTY_LOG
    }

    /// Some readers stay for a night: it is tried for a day.
    fn backoff(&self) -> Backoff {
        Backoff {
            first: Duration::from_secs(5),
            longest: Duration::from_secs(10 * 60),
            attempts: 200,
        }
    }

    fn run(&self, job: &RunningJob) -> Result<JobDone, JobError> {
        match job.store().erasures().empty_log() {
            Ok(true) => Ok(JobDone::Done),
            Ok(false) => Err(JobError::new(
                "somebody reads the database for a long time, so erased faces stay in its -wal",
            )),
            Err(error) => Err(JobError::new(error.cause())),
        }
    }
}
