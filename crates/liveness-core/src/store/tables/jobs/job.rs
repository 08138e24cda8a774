//! A job as it is kept.

use serde_json::Value;

use crate::Timestamp;

/// What becomes of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobState {
    /// It waits until it is due, or until a runner is free.
    Waiting,
    /// A runner has it.
    Running,
    /// It was given up, and waits for an operator.
    Dead,
}

impl JobState {
    /// The state in one word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Dead => "dead",
        }
    }
}

/// A job as a list shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// Its id, which no other job ever has.
    pub id: i64,
    /// Its kind. It need not be one that this program knows.
    pub kind: String,
    /// Its key, if it has one. That of a periodic job is empty.
    pub key: Option<String>,
    /// What becomes of it.
    pub state: JobState,
    /// How many times it was begun since it was last done.
    pub attempts: u32,
    /// When it is due, or was.
    pub run_at: Timestamp,
    /// Why it failed the last time, if it did.
    pub last_error: Option<String>,
    /// When it was added.
    pub created_at: Timestamp,
}

/// A job that a runner has taken. Only who has this can end the job, until the lease has ended and another runner has taken it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TakenJob {
    /// Its id.
    pub id: i64,
    /// Its key, if it has one.
    pub key: Option<String>,
    /// What its handler needs to know.
    pub payload: Value,
    /// The number of this attempt, from 1.
    pub attempt: u32,
    /// The token of this lease.
    pub(crate) owner: [u8; 16],
}

/// What there is of a kind of jobs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobCounts {
    /// The kind.
    pub kind: &'static str,
    /// How many wait or run, up to 10,000.
    pub waiting: u64,
    /// How many were given up, up to 10,000.
    pub dead: u64,
    /// For how many seconds the oldest one has been due and not been taken. 0 if none is.
    pub late_seconds: u64,
}
