//! The results of the checks.

use std::io::{self, Write};

use serde::Serialize;

/// How bad a finding is.
#[derive(Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Level {
    Ok,
    Hint,
    Warning,
    Problem,
}

impl Level {
    fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Hint => "hint",
            Self::Warning => "warning",
            Self::Problem => "problem",
        }
    }
}

/// One result of a check.
#[derive(Serialize)]
struct Finding {
    level: Level,
    subject: &'static str,
    found: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    mend: Option<String>,
}

/// All results.
#[derive(Default, Serialize)]
#[serde(transparent)]
pub(super) struct Findings(Vec<Finding>);

impl Findings {
    pub(super) fn ok(&mut self, subject: &'static str, found: impl Into<String>) {
        self.add(Level::Ok, subject, found.into(), None);
    }

    pub(super) fn hint(&mut self, subject: &'static str, found: impl Into<String>, mend: impl Into<String>) {
        self.add(Level::Hint, subject, found.into(), Some(mend.into()));
    }

    pub(super) fn warning(&mut self, subject: &'static str, found: impl Into<String>, mend: impl Into<String>) {
        self.add(Level::Warning, subject, found.into(), Some(mend.into()));
    }

    pub(super) fn problem(&mut self, subject: &'static str, found: impl Into<String>, mend: impl Into<String>) {
        self.add(Level::Problem, subject, found.into(), Some(mend.into()));
    }

    fn add(&mut self, level: Level, subject: &'static str, found: String, mend: Option<String>) {
        self.0.push(Finding {
            level,
            subject,
            found,
            mend,
        });
    }

    pub(super) fn count(&self, level: Level) -> usize {
        self.0.iter().filter(|finding| finding.level == level).count()
    }

    /// Prints a line for each finding, and the totals.
    pub(super) fn print(&self, out: &mut impl Write) -> io::Result<()> {
        for Finding {
            level,
            subject,
            found,
            mend,
        } in &self.0
        {
            let mend = mend.as_ref().map(|mend| format!("; {mend}")).unwrap_or_default();
            writeln!(out, "{:7}  {subject}: {found}{mend}", level.name())?;
        }
        let [hints, warnings, problems] = [Level::Hint, Level::Warning, Level::Problem].map(|level| self.count(level));
        writeln!(out, "problems: {problems}, warnings: {warnings}, hints: {hints}")
    }
}
