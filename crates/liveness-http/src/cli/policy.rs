//! `policy`: prints the policy in force, and tries another one on what is recorded.

mod trial;

use std::io::Write as _;

use clap::{Args, Subcommand};

use self::trial::Trial;
use super::failure::Failure;
use crate::policy_source::PolicyConfig;

pub(super) const EXAMPLES: &str = "\
It prints every key with a comment, as a file that can be used as LIVENESS_POLICY. The
first line has the version, which is the SHA-256 of the lines that are neither empty nor
comments. Each mistake in a file is a line on standard error, with its file and line.

Examples:
  # The policy in force
  liveness-http policy

  # A file to begin with, and what is wrong with it
  liveness-http policy --policy enforce > policy.toml
  liveness-http policy --policy policy.toml

  # What it would make of the records that are there
  liveness-http policy try policy.toml

  # Its version, by other tools
  liveness-http policy | grep -v -e '^#' -e '^$' | sha256sum";

/// Which policy.
#[derive(Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct PolicyCommand {
    #[command(subcommand)]
    action: Option<Action>,

    #[command(flatten)]
    config: PolicyConfig,
}

#[derive(Subcommand)]
enum Action {
    /// Judge stored records anew by another policy, and say which would change. Changes nothing.
    #[command(after_help = trial::EXAMPLES)]
    Try(Trial),
}

impl PolicyCommand {
    pub(super) async fn run(self) -> Result<(), Failure> {
        if let Some(Action::Try(trial)) = self.action {
            return trial.run().await;
        }
        let policy = self.config.load()?;
        let mut out = std::io::stdout().lock();
        out.write_all(policy.to_toml().as_bytes())?;
        Ok(out.flush()?)
    }
}
