//! How a job ends.

use std::error::Error;
use std::fmt::{self, Display};

use crate::Timestamp;

/// A job that has done its work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobDone {
    /// It is done. A periodic job runs again when it is due next, another is deleted.
    Done,
    /// It is to run again at this time, or soon after.
    RunAgainAt(Timestamp),
}

/// Why a job failed. The text is kept with the job and shown to operators, so it must name no person and hold no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobError {
    message: String,
    is_final: bool,
}

impl JobError {
    /// A failure that may pass. The job runs again after a while, until its attempts are used up.
    pub fn new(why: impl Display) -> Self {
        Self {
            message: one_line(&why.to_string()),
            is_final: false,
        }
    }

    /// The same, with what the error came from.
    pub fn with_cause(error: &dyn Error) -> Self {
        match error.source() {
            Some(cause) => Self::new(format!("{error}: {cause}")),
            None => Self::new(error),
        }
    }

    /// A failure that will not pass by itself. The job is given up at once, until an operator has it run again.
    pub fn give_up(why: impl Display) -> Self {
        Self {
            is_final: true,
            ..Self::new(why)
        }
    }

    /// Whether the job is given up at once.
    pub fn is_final(&self) -> bool {
        self.is_final
    }
}

impl Display for JobError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for JobError {}

/// The most characters of a failure that are kept.
const KEPT: usize = 1000;

/// The text in one line, without what a database or a terminal would stumble over.
fn one_line(text: &str) -> String {
    let words: Vec<_> = text.split(|c: char| c.is_whitespace() || c.is_control()).collect();
    let words = words.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>();
    words.join(" ").chars().take(KEPT).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_one_short_line() {
        let error = JobError::new("two\n\tlines \0 and \u{1b}[31m more");
        assert_eq!(error.to_string(), "two lines and [31m more");
        assert_eq!(JobError::new("x".repeat(5000)).to_string().len(), KEPT);
        assert!(JobError::give_up("no").is_final() && !error.is_final());
    }
}
