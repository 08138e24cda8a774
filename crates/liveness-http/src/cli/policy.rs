//! `policy`: prints the policy in force.

use std::io::Write as _;

use clap::Args;

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

  # Its version, by other tools
  liveness-http policy | grep -v -e '^#' -e '^$' | sha256sum";

/// Which policy.
#[derive(Args)]
pub(super) struct ShowPolicy {
    #[command(flatten)]
    config: PolicyConfig,
}

impl ShowPolicy {
    pub(super) fn run(self) -> Result<(), Failure> {
        let policy = self.config.load()?;
        let mut out = std::io::stdout().lock();
        out.write_all(policy.to_toml().as_bytes())?;
        Ok(out.flush()?)
    }
}
