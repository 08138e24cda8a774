//! The results of the checks.

use std::io::{self, Write};

use serde::Serialize;

use crate::accepted_dangers::AcceptedDangers;

/// How bad a finding is.
#[derive(Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Level {
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
    /// The name of a danger: records could be lost or given away. It is accepted by this name.
    #[serde(skip_serializing_if = "Option::is_none")]
    danger: Option<&'static str>,
}

impl Finding {
    fn text(&self) -> String {
        let Self { subject, found, .. } = self;
        let mend = self.mend.as_ref().map(|mend| format!("; {mend}"));
        format!("{subject}: {found}{}", mend.unwrap_or_default())
    }
}

/// All results.
#[derive(Default, Serialize)]
#[serde(transparent)]
pub(crate) struct Findings {
    all: Vec<Finding>,
    #[serde(skip)]
    accepted: AcceptedDangers,
}

impl Findings {
    /// Nothing yet. Dangers of these names will be warnings.
    pub(crate) fn accepting(accepted: &AcceptedDangers) -> Self {
        Self {
            all: Vec::new(),
            accepted: accepted.clone(),
        }
    }

    pub(crate) fn ok(&mut self, subject: &'static str, found: impl Into<String>) {
        self.add(Level::Ok, subject, found.into(), None, None);
    }

    pub(crate) fn hint(&mut self, subject: &'static str, found: impl Into<String>, mend: impl Into<String>) {
        self.add(Level::Hint, subject, found.into(), Some(mend.into()), None);
    }

    pub(crate) fn warning(&mut self, subject: &'static str, found: impl Into<String>, mend: impl Into<String>) {
        self.add(Level::Warning, subject, found.into(), Some(mend.into()), None);
    }

    pub(crate) fn problem(&mut self, subject: &'static str, found: impl Into<String>, mend: impl Into<String>) {
        self.add(Level::Problem, subject, found.into(), Some(mend.into()), None);
    }

    /// A problem by which records could be lost or given away. `serve` does not start on it, unless it is accepted.
    pub(crate) fn danger(&mut self, name: &'static str, subject: &'static str, found: impl Into<String>, mend: &str) {
        let (level, mend) = if self.accepted.has(name) {
            (Level::Warning, format!("{mend} (accepted: {name})"))
        } else {
            (Level::Problem, format!("{mend}, or accept it: LIVENESS_ACCEPT={name}"))
        };
        self.add(level, subject, found.into(), Some(mend), Some(name));
    }

    fn add(
        &mut self,
        level: Level,
        subject: &'static str,
        found: String,
        mend: Option<String>,
        danger: Option<&'static str>,
    ) {
        self.all.push(Finding {
            level,
            subject,
            found,
            mend,
            danger,
        });
    }

    pub(crate) fn count(&self, level: Level) -> usize {
        self.all.iter().filter(|finding| finding.level == level).count()
    }

    /// The dangers that are not accepted, in one line.
    pub(crate) fn refusal(&self) -> Option<String> {
        let is_refused = |finding: &&Finding| finding.danger.is_some() && finding.level == Level::Problem;
        let dangers: Vec<_> = self.all.iter().filter(is_refused).map(Finding::text).collect();
        (!dangers.is_empty()).then(|| dangers.join(". Also: "))
    }

    /// Logs what should be fixed, without what keeps the server from starting.
    pub(crate) fn log_warnings(&self) {
        for finding in &self.all {
            let is_told =
                finding.level == Level::Warning || finding.level == Level::Problem && finding.danger.is_none();
            if is_told {
                log::warn!("{}", finding.text());
            }
        }
    }

    /// Prints a line for each finding, and the totals.
    pub(crate) fn print(&self, out: &mut impl Write) -> io::Result<()> {
        for finding in &self.all {
            writeln!(out, "{:7}  {}", finding.level.name(), finding.text())?;
        }
        let [hints, warnings, problems] = [Level::Hint, Level::Warning, Level::Problem].map(|level| self.count(level));
        writeln!(out, "problems: {problems}, warnings: {warnings}, hints: {hints}")
    }
}
