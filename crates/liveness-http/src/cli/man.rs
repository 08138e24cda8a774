//! `man`: the manual pages, generated from the command line.

use std::io::Write as _;
use std::path::PathBuf;

use clap::{Args, Command};
use clap_mangen::Man;

use super::failure::Failure;

pub(super) const EXAMPLES: &str = "\
Examples:
  liveness-http man > liveness-http.1
  liveness-http man --output man1

In a folder there is a page for each subcommand: liveness-http-serve.1 and so on.";

/// Where to write the pages.
#[derive(Args)]
pub(super) struct ManPages {
    /// Folder for all pages, made if it does not exist; without it, only the program's page is printed.
    #[arg(long, value_name = "FOLDER")]
    output: Option<PathBuf>,
}

impl ManPages {
    pub(super) fn run(self, command: Command) -> Result<(), Failure> {
        let Some(folder) = self.output else {
            let mut out = std::io::stdout().lock();
            // In a folder, `help` has no page either.
            Man::new(command.disable_help_subcommand(true)).render(&mut out)?;
            return Ok(out.flush()?);
        };
        let name = folder.display().to_string();
        let made = std::fs::create_dir_all(&folder).and_then(|()| clap_mangen::generate_to(command, &folder));
        made.map_err(|error| Failure::file("write the manual pages to", &name, &error))
    }
}
