//! `completions`: prints the completion script for a shell.

use std::io::Write as _;

use clap::{Args, Command};
use clap_complete::Shell;

use super::failure::{Failure, NAME};

pub(super) const EXAMPLES: &str = "\
Examples:
  liveness-http completions bash > liveness-http.bash
  liveness-http completions zsh > _liveness-http

The Debian package has those of bash, zsh and fish in their places already.";

/// Which shell to complete for.
#[derive(Args)]
pub(super) struct Completions {
    /// The shell.
    #[arg(value_enum)]
    shell: Shell,
}

impl Completions {
    pub(super) fn run(self, mut command: Command) -> Result<(), Failure> {
        // The script is made in memory first, because clap_complete panics when it cannot write.
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut command, NAME, &mut script);
        let mut out = std::io::stdout().lock();
        out.write_all(&script)?;
        Ok(out.flush()?)
    }
}
