//! Changes of jobs that wait to be written, as plain data.

use crate::jobs::NewJob;

/// A change of jobs.
#[derive(Debug)]
pub(crate) enum JobChange {
    Enqueue(Vec<NewJob>),
    /// Has the job run again that was given up.
    Retry(i64),
    /// Has at most so many jobs run again that were given up.
    RetrySome(i64),
}
