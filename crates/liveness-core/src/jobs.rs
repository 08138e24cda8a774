//! Durable jobs: what they are called, how one is asked for, when one that failed runs again, and when a periodic one is
//! due. This room knows no database. [`Store::jobs`](crate::store::Store::jobs) keeps jobs, and
//! [`JobRunner`](crate::store::JobRunner) runs them.

mod backoff;
mod ending;
mod kind;
mod new_job;
mod schedule;

pub use self::backoff::Backoff;
pub(crate) use self::backoff::jitter;
pub use self::ending::{JobDone, JobError};
pub use self::kind::JobKind;
pub use self::new_job::NewJob;
pub(crate) use self::schedule::millis;
pub use self::schedule::next_run;

/// The periodic job that rotates the keys of faces. Receipts of erasures say when it runs next.
pub const ROTATE_FACE_KEYS: JobKind = JobKind::new("faces.rotate");

/// The job that completes an erasure which was begun and not committed: [`CompleteErasures`](crate::store::CompleteErasures).
pub const COMPLETE_ERASURES: JobKind = JobKind::new("erasures.complete");

/// The job that empties the write-ahead log of a SQLite file once nobody keeps it from being emptied: it holds what was erased.
/// [`EmptyLog`](crate::store::EmptyLog) runs it.
pub const EMPTY_LOG: JobKind = JobKind::new("erasures.empty-log");
