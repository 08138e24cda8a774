//! `doctor`: checks what a server would meet, and says what is wrong and how to fix it. It changes nothing.
//!
//! `host/checks/` and `server/settings_checks.rs` make the checks, for `serve` too. This file prints what they find.

use std::io::Write as _;

use clap::Args;
use serde_json::json;

use super::failure::Failure;
use super::output_format::OutputFormat;
use crate::config::ServeConfig;
use crate::host::checks::findings::{Findings, Level};
use crate::host::checks::{database, faces, trail, webhooks};
use crate::server::settings_checks;

pub(super) const EXAMPLES: &str = "\
Every line is one of these; only problems make the exit code 1:
  ok       as it should be
  hint     allowed, and perhaps not what you want
  warning  works, and should be fixed
  problem  does not work, or may lose or disclose records

`serve` does not start on a problem that ends with LIVENESS_ACCEPT=NAME, unless NAME
is in that variable, or in --accept. Then the problem is a warning.

Examples:
  # With the settings of this shell, or with flags of `serve`
  liveness-http doctor
  liveness-http doctor --bind 0.0.0.0:8080

  # For a monitor
  liveness-http doctor --format json

It makes and migrates no database. To see whether it can write, it writes something
and rolls that back. Run it as the server's user, because it checks permissions.";

/// What to check: the settings of `serve`.
#[derive(Args)]
pub(super) struct Doctor {
    /// For people, or for programs.
    #[arg(long, value_enum, default_value = "text")]
    format: OutputFormat,

    #[command(flatten)]
    config: ServeConfig,
}

impl Doctor {
    pub(super) fn run(self) -> Result<(), Failure> {
        let mut findings = Findings::accepting(&self.config.accept);
        settings_checks::probe(&self.config, &mut findings);
        settings_checks::check(&self.config, &mut findings);
        trail::check_key(&self.config.database, &mut findings);
        database::check(&self.config, &mut findings);
        faces::check(&self.config, &mut findings);
        webhooks::check(&self.config, &mut findings);
        let is_healthy = findings.count(Level::Problem) == 0;
        let mut out = std::io::stdout().lock();
        match self.format {
            OutputFormat::Json => {
                let report = json!({ "isHealthy": is_healthy, "findings": findings });
                serde_json::to_writer_pretty(&mut out, &report).map_err(std::io::Error::from)?;
                writeln!(out)?;
            }
            OutputFormat::Text => findings.print(&mut out)?,
        }
        out.flush()?;
        if is_healthy {
            Ok(())
        } else {
            Err(Failure::AlreadyReported)
        }
    }
}
