//! Durable jobs, as the store offers them: one table, from which the runners of all nodes take what is due.

pub(crate) mod adding;
pub(crate) mod bell;
pub(crate) mod job;
pub(crate) mod leases;
pub(crate) mod operating;

use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::rand;

use self::bell::Bell;
use self::job::{Job, JobCounts, TakenJob};
use super::job_change::JobChange;
use super::write::{Write, Writer, Written};
use crate::jobs::{JobDone, JobKind, NewJob, millis};
use crate::store::engine::clock;
use crate::store::engine::connection::{Connection, Purpose};
use crate::store::engine::connections::Connections;
use crate::store::engine::error::StoreError;
use crate::store::queue::read_pool::ReadPool;

/// Durable jobs. A [`JobRunner`](crate::store::JobRunner) runs them. Who runs them in another way calls `take`, `extend` and
/// one of `complete`, `fail` and `release`.
#[derive(Clone, Debug)]
pub struct Jobs {
    connections: Arc<Connections>,
    reads: Arc<ReadPool>,
    writer: Arc<Writer>,
    bell: Arc<Bell>,
}

impl Jobs {
    pub(crate) fn new(connections: &Arc<Connections>, reads: &Arc<ReadPool>, writer: &Arc<Writer>) -> Self {
        Self {
            connections: Arc::clone(connections),
            reads: Arc::clone(reads),
            writer: Arc::clone(writer),
            bell: Arc::default(),
        }
    }

    /// What wakes the runner of this process.
    pub(crate) fn bell(&self) -> &Arc<Bell> {
        &self.bell
    }

    /// Adds jobs, all or none. They are durable when this returns. [`enqueue_jobs`](crate::store::enqueue_jobs) does the same in
    /// a transaction of the caller.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] when they were not added. [`StoreError::OutcomeUnknown`] when they may have been added or not.
    pub async fn enqueue(&self, jobs: Vec<NewJob>) -> Result<(), StoreError> {
        self.change(JobChange::Enqueue(jobs)).await?;
        Ok(())
    }

    /// Jobs behind an id, in the order in which they were added. Begin with 0.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`].
    pub async fn list(&self, after: i64, limit: i64) -> Result<Vec<Job>, StoreError> {
        self.reads
            .read(move |conn| {
                let now = clock::now(conn)?;
                operating::list(conn, after, limit, now)
            })
            .await
    }

    /// Has a job run now that was given up, with all its attempts. Returns whether there was one. If another job of the same key
    /// waits, that one runs now in its place.
    ///
    /// # Errors
    ///
    /// As [`enqueue`](Self::enqueue).
    pub async fn retry(&self, id: i64) -> Result<bool, StoreError> {
        Ok(self.change(JobChange::Retry(id)).await? > 0)
    }

    /// Does the same with the next jobs that were given up, at most `limit`. Returns how many.
    ///
    /// # Errors
    ///
    /// As [`enqueue`](Self::enqueue).
    pub async fn retry_some(&self, limit: i64) -> Result<u64, StoreError> {
        self.change(JobChange::RetrySome(limit)).await
    }

    async fn change(&self, change: JobChange) -> Result<u64, StoreError> {
        match self.writer.write(Write::Jobs(change)).await? {
            Written::Jobs(changed) => {
                self.bell.ring();
                Ok(changed)
            }
            other => Err(other.unexpected()),
        }
    }

    /// Adds a periodic job that is first due after one period, unless there is one of this kind. Several nodes may do so at once.
    /// If the job had another period, it has this one from now on. Blocks.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`].
    pub fn ensure_periodic(&self, kind: JobKind, every: Duration) -> Result<(), StoreError> {
        let every = millis(every).max(1);
        self.write(|conn| {
            let now = clock::now(conn)?;
            adding::ensure_periodic(conn, kind, every, now)
        })
    }

    /// Has the periodic job of a kind run now, unless it runs. Blocks.
    pub(crate) fn hasten(&self, kind: JobKind) -> Result<(), StoreError> {
        self.write(|conn| {
            let now = clock::now(conn)?;
            adding::put_forward(conn, kind, now)
        })
    }

    /// Deletes the periodic job of a kind, if there is one. If a node runs it, it ends what it has begun. Blocks.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`].
    pub fn end_periodic(&self, kind: JobKind) -> Result<(), StoreError> {
        self.write(|conn| adding::end_periodic(conn, kind))
    }

    /// Takes the job of a kind that has been due for longest, for so long. No other node takes it meanwhile, by the clock of the
    /// database. Blocks.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`].
    pub fn take(&self, kind: JobKind, lease: Duration) -> Result<Option<TakenJob>, StoreError> {
        let mut owner = [0; 16];
        rand::fill(&mut owner).map_err(|_| StoreError::unavailable("the machine gives no random bytes"))?;
        self.write(|conn| {
            let now = clock::now(conn)?;
            leases::take(conn, kind, owner, now, millis(lease))
        })
    }

    /// Goes on with a job for so long, from now. Returns false if another runner has taken it: then the work must end, and its
    /// outcome counts no more. Blocks.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`].
    pub fn extend(&self, job: &TakenJob, lease: Duration) -> Result<bool, StoreError> {
        self.write(|conn| {
            let until = clock::now(conn)?.saturating_add(millis(lease));
            leases::extend(conn, job, until)
        })
    }

    /// Ends a job that is done. It is deleted, unless it is to run again. Returns false, and changes nothing, if another runner
    /// has taken it. Blocks.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub fn complete(&self, job: &TakenJob, done: JobDone) -> Result<bool, StoreError> {
        self.write(|conn| {
            let now = clock::now(conn)?;
            leases::complete(conn, job, done, now)
        })
    }

    /// Ends an attempt that failed. The job runs again after a while, or is given up where that is `None`. Returns false, and
    /// changes nothing, if another runner has taken it. Blocks.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub fn fail(&self, job: &TakenJob, error: &str, retry_after: Option<Duration>) -> Result<bool, StoreError> {
        self.write(|conn| {
            let now = clock::now(conn)?;
            leases::fail(conn, job, error, retry_after.map(millis), now)
        })
    }

    /// Gives a job back that was not done. It is due as before, and the attempt does not count. Returns false, and changes
    /// nothing, if another runner has taken it. Blocks.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub fn release(&self, job: &TakenJob) -> Result<bool, StoreError> {
        self.write(|conn| leases::release(conn, job))
    }

    /// For how long no job of these kinds may be taken. `None` if there is none. Blocks.
    pub(crate) fn next_in(&self, kinds: &[JobKind]) -> Result<Option<Duration>, StoreError> {
        self.connections.read(|conn| {
            let now = clock::now(conn)?;
            let mut soonest: Option<i64> = None;
            for kind in kinds {
                let next = leases::next(conn, *kind)?;
                soonest = soonest.into_iter().chain(next).min();
            }
            let wait = soonest.map(|at| at.saturating_sub(now).max(0).unsigned_abs());
            Ok(wait.map(Duration::from_millis))
        })
    }

    /// What there is of these kinds. Blocks.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`].
    pub fn count(&self, kinds: &[JobKind]) -> Result<Vec<JobCounts>, StoreError> {
        self.connections.read(|conn| {
            let now = clock::now(conn)?;
            operating::count(conn, kinds, now)
        })
    }

    fn write<T>(
        &self,
        mut operation: impl FnMut(&mut Connection<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.connections
            .write(|conn| conn.transaction(Purpose::Write, &mut operation))
    }
}
