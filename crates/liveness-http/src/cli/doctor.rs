//! `doctor`: looks at what a server would meet, and says what is wrong and what would mend it. It changes nothing.
//!
//! What there is to look at is told by the files of this folder; this one prints it.

mod database;
mod files;
mod settings;

use std::io::Write as _;

use clap::Args;
use serde::Serialize;
use serde_json::json;

use super::access::Format;
use super::failure::Failure;
use crate::config::ServeConfig;

pub(super) const EXAMPLES: &str = "\
Every line is one of these; only problems make the exit code 1:
  ok       as it should be
  hint     allowed, and perhaps not what you want
  warning  works, and should be mended
  problem  does not work, or may lose or give away what is recorded

Examples:
  # With the settings of this shell, or with flags of `serve`
  liveness-http doctor
  liveness-http doctor --bind 0.0.0.0:8080

  # For a monitor
  liveness-http doctor --format json

It makes no database, migrates none, and takes back what it writes to see whether
it can. Run it as the user that the server runs as: permissions are that user's.";

/// What to look at: the settings of `serve`.
#[derive(Args)]
pub(super) struct Doctor {
    /// For people, or for programs.
    #[arg(long, value_enum, default_value = "text")]
    format: Format,

    #[command(flatten)]
    config: ServeConfig,
}

/// How bad something is.
#[derive(Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Level {
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

/// Something that was looked at.
#[derive(Serialize)]
struct Finding {
    level: Level,
    subject: &'static str,
    found: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    mend: Option<String>,
}

/// All that was looked at.
#[derive(Default)]
struct Findings(Vec<Finding>);

impl Findings {
    fn ok(&mut self, subject: &'static str, found: impl Into<String>) {
        self.add(Level::Ok, subject, found.into(), None);
    }

    fn hint(&mut self, subject: &'static str, found: impl Into<String>, mend: impl Into<String>) {
        self.add(Level::Hint, subject, found.into(), Some(mend.into()));
    }

    fn warning(&mut self, subject: &'static str, found: impl Into<String>, mend: impl Into<String>) {
        self.add(Level::Warning, subject, found.into(), Some(mend.into()));
    }

    fn problem(&mut self, subject: &'static str, found: impl Into<String>, mend: impl Into<String>) {
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

    fn count(&self, level: Level) -> usize {
        self.0.iter().filter(|finding| finding.level == level).count()
    }
}

impl Doctor {
    pub(super) fn run(self) -> Result<(), Failure> {
        let mut findings = Findings::default();
        settings::look(&self.config, &mut findings);
        database::look(&self.config.database, &mut findings);
        let is_healthy = findings.count(Level::Problem) == 0;
        let mut out = std::io::stdout().lock();
        match self.format {
            Format::Json => {
                let told = json!({ "isHealthy": is_healthy, "findings": findings.0 });
                serde_json::to_writer_pretty(&mut out, &told).map_err(std::io::Error::from)?;
                writeln!(out)?;
            }
            Format::Text => print(&findings, &mut out)?,
        }
        out.flush()?;
        if is_healthy { Ok(()) } else { Err(Failure::Told) }
    }
}

fn print(findings: &Findings, out: &mut impl std::io::Write) -> std::io::Result<()> {
    for Finding {
        level,
        subject,
        found,
        mend,
    } in &findings.0
    {
        let mend = mend.as_ref().map(|mend| format!("; {mend}")).unwrap_or_default();
        writeln!(out, "{:7}  {subject}: {found}{mend}", level.name())?;
    }
    let [hints, warnings, problems] = [Level::Hint, Level::Warning, Level::Problem].map(|level| findings.count(level));
    writeln!(out, "problems: {problems}, warnings: {warnings}, hints: {hints}")
}
